"""`keyhole rotate`: a new access key in the place of the old one, with overlap."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, Json, Local, LocalPort, Profile, Yes

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def rotate(
    workload: Annotated[
        str, typer.Argument(help="Whose key; left out: every workload's whose key is handed over.", metavar="WORKLOAD")
    ] = "",
    file: File = DEFAULT_FILE,
    env: Environment = "",
    force: Annotated[
        bool, typer.Option("--force", help="Deactivate the old key even if it may be in use; the next run deletes it.")
    ] = False,
    unused_for: Annotated[
        str,
        typer.Option("--unused-for", help="How long the old key must be unused to end: 24h, 90m, 7d.", metavar="TIME"),
    ] = "24h",
    yes: Yes = False,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Make a second access key, hand it over, try it, and end the old one when nobody uses it any more.

    AWS tells of uses some hours late, so the old key stays active for a day: run it again then. Exit code 1 says that
    an old key is left.

    Example: [bold]keyhole rotate uploader[/]
    """
    from keyhole.cli.console import err, say, show_json
    from keyhole.cli.rotation import choose_keys, rotate_key
    from keyhole.cli.workspace import open_workspace
    from keyhole.errors import ExitCode

    patience = parse_time(unused_for)
    with err.status("reading AWS…"):
        workspace = open_workspace(file, env, local=local, port=local_port, profile=profile)
    wanted = choose_keys(workspace, workload)
    results = [rotate_key(workspace, want, unused_for=patience, force=force, yes=yes, as_json=json) for want in wanted]
    if json:
        show_json([result.as_json() for result in results])
    left = [result for result in results if not result.is_complete]
    if left:
        say(f"to go on: `keyhole rotate{f' {workload}' if workload else ''}{workspace.flags}`")
        raise typer.Exit(int(ExitCode.FINDING))


def parse_time(text: str) -> timedelta:
    """Give a length of time that is written like "24h". Raises: KeyholeError."""
    from keyhole.errors import KeyholeError

    found = re.fullmatch(r"(\d{1,6})([smhd])|0", text)
    if found is None:
        raise KeyholeError(f"`{text}` is not a length of time", hint="write it like `24h`, `90m`, `7d` or `0`")
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found[1] else timedelta()
