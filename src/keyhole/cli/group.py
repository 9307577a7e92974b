"""The commands and their group: every error ends here, as a message and an exit code, never as a traceback."""

from __future__ import annotations

import os
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from keyhole.cli.next_commands import complete_commands
from keyhole.errors import ExitCode, KeyholeError


class KeyholeCommand(TyperCommand):
    """A command whose errors propose commands that lead to the same file and the same AWS as it."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyholeError as error:
            error.hint = complete_commands(error.hint, ctx.params)
            raise


class KeyholeGroup(TyperGroup):
    """Commands in the order in which one uses them; KeyholeErrors are shown."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click gives it
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyholeError as error:
            from keyhole.cli.console import show_error

            show_error(error)
            raise typer.Exit(int(error.exit_code)) from None
        except KeyboardInterrupt:
            from keyhole.cli.console import say

            say("\ninterrupted")
            raise typer.Exit(int(ExitCode.INTERRUPTED)) from None
        except BrokenPipeError:
            raise typer.Exit(0) from None
        except Exception as error:
            if isinstance(error, (TyperException, typer.Exit, typer.Abort)) or "KEYHOLE_DEBUG" in os.environ:
                raise
            from keyhole.cli.console import show_bug

            show_bug(error)
            raise typer.Exit(int(ExitCode.BUG)) from None
