"""Setting secrets on GitHub by its own CLI, where that is installed and signed in; values go by standard input."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence

import typer

from keyhole.cli.console import say
from keyhole.errors import ExitCode, KeyholeError
from keyhole.snippets import JobSecret

TIMEOUT_S = 60


def set_secrets(secrets: Sequence[JobSecret], *, yes: bool) -> None:
    """Ask, and set each. Raises: KeyholeError if there is nothing to set, no `gh`, or nobody is signed in."""
    if not secrets:
        raise KeyholeError("no workload of the file is of kind `github-actions`", hint="there is no secret to set")
    gh = _signed_in()
    if not yes:
        _ask(secrets)
    for secret in secrets:
        done = _run((gh, *secret.command[1:]), secret.value)
        if done.returncode:
            why = done.stderr.strip().splitlines()
            raise KeyholeError(
                f"`{shlex.join(secret.command)}` failed: {why[-1] if why else f'exit code {done.returncode}'}",
                hint="may you administer this repository, and is the environment there?",
            )
        say(f"[green]✓[/] secret {secret.name} of {secret.where}")


def _signed_in() -> str:
    gh = shutil.which("gh")
    if gh is None:
        raise KeyholeError(
            "GitHub's CLI `gh` is not installed here",
            hint="install it, or set the secret on GitHub: Settings, Secrets and variables, Actions",
        )
    if _run((gh, "auth", "status"), "").returncode:
        raise KeyholeError("`gh` is not signed in to GitHub", hint="`gh auth login` does it")
    return gh


def _ask(secrets: Sequence[JobSecret]) -> None:
    if not sys.stdin.isatty():
        raise KeyholeError(
            "this sets a secret on GitHub, and nobody is here to ask (no terminal)", hint="add `--yes` to go ahead"
        )
    what = ", ".join(f"{secret.name} of {secret.where}" for secret in secrets)
    if not typer.confirm(f"Set {what}?", err=True):
        say("nothing was set")
        raise typer.Exit(int(ExitCode.FINDING))


def _run(command: Sequence[str], text: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - `gh` by its full path, and no shell
            command, input=text, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise KeyholeError(f"`gh` did not answer within {TIMEOUT_S} s", hint="is GitHub to be reached?") from error
    except OSError as error:
        raise KeyholeError(f"`gh` cannot be run: {error.strerror}", hint="install it anew") from error
