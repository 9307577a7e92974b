"""How the command line speaks: results on stdout, everything said along the way on stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape

from keyhole.errors import AwsError, KeyholeError, SpecError

# A pipe has no width of its own: nothing that someone may want to search or copy is cut there.
PIPE_WIDTH = 200


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(stderr=stderr, highlight=False, emoji=False, width=width)


out = _console(stderr=False)
err = _console(stderr=True)


def say(message: str) -> None:
    """Say something along the way: on stderr, so that piped results stay clean."""
    err.print(message, soft_wrap=True)


def say_warning(message: str, hint: str) -> None:
    """Say what is accepted and yet likely a mistake."""
    err.print(f"[bold yellow]warning[/]: {_code(message)}", soft_wrap=True)
    if hint:
        err.print(f"  [cyan]help[/]: {_code(hint)}", soft_wrap=True)


def show_json(value: Any) -> None:
    """Print a result for machines."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def show_error(error: KeyholeError) -> None:
    """Print what is wrong, where, and what to do."""
    if isinstance(error, SpecError):
        for mistake in error.mistakes:
            err.print(f"[bold red]error[/]: [bold]{escape(mistake.where)}[/]: {_code(mistake.message)}", soft_wrap=True)
            if mistake.hint:
                err.print(f"  [cyan]help[/]: {_code(mistake.hint)}", soft_wrap=True)
        err.print(f"\n{escape(error.message)}", soft_wrap=True)
        return
    err.print(f"[bold red]error[/]: {_code(str(error))}", soft_wrap=True)
    if error.hint:
        err.print(f"  [cyan]help[/]: {_code(error.hint)}", soft_wrap=True)
    elif isinstance(error, AwsError):
        err.print("  [cyan]help[/]: AWS gives no further reason; the request id names this call to AWS support")


def show_bug(error: Exception) -> None:
    """Print what nobody foresaw in one line; the whole of it is there for who asks."""
    err.print(f"[bold red]error[/]: {escape(f'{type(error).__name__}: {error}')}", soft_wrap=True)
    err.print("  [cyan]help[/]: this should not happen: KEYHOLE_DEBUG=1 shows where it did; please report it")


def _code(text: str) -> str:
    """Show what stands in backticks in bold, as it was written."""
    parts = escape(text).split("`")
    return "".join(f"[bold]`{part}`[/]" if index % 2 else part for index, part in enumerate(parts))
