"""`keyhole status`: what is there, and how it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyhole.cli.group import KeyholeCommand
from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, Json, Local, LocalPort, Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyhole.status.report import Report

DEFAULT_PAUSE_S = 30.0


class StatusCommand(KeyholeCommand):
    """A command whose `--watch` may stand alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if "--watch" in args:
            at = args.index("--watch") + 1
            if at == len(args) or not args[at].replace(".", "", 1).isdigit():
                args = [*args[:at], str(DEFAULT_PAUSE_S), *args[at:]]
        return super().parse_args(ctx, args)


def status(
    file: File = DEFAULT_FILE,
    env: Environment = "",
    old_key: Annotated[
        list[str] | None,
        typer.Option("--old-key", help="Also show whether this access key is still used.", metavar="ID"),
    ] = None,
    watch: Annotated[
        float | None,
        typer.Option("--watch", min=1, help="Look again every so many seconds, 30 by default.", metavar="[SECONDS]"),
    ] = None,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Show what is there and how it is: drift from the file, keys, alarms, the trail, what is public.

    It reads AWS and changes nothing. Exit code 0: all is as the file says; 1: something was found, or could not be
    found out; 3: AWS said no to everything.

    Example: [bold]keyhole status --local[/]
    """
    from datetime import UTC, datetime

    from keyhole.aws.client import BotocoreAws
    from keyhole.cli.console import err, out, show_json
    from keyhole.cli.workspace import open_workspace
    from keyhole.errors import ExitCode, KeyholeError
    from keyhole.status.authors import name_authors
    from keyhole.status.keys import check_key_id
    from keyhole.status.reading import read_status
    from keyhole.status.report import make_report
    from keyhole.status.show import render_report, report_as_json

    if json and watch is not None:
        raise KeyholeError("`--json` and `--watch` exclude each other", hint="call it as often as you need it")
    old_keys = tuple(check_key_id(key) for key in old_key or ())
    with err.status("reading AWS…"):
        workspace = open_workspace(file, env, local=local, port=local_port, profile=profile)

    def look() -> Report:
        reading = read_status(workspace.aws, workspace.blueprint, old_keys)
        report = make_report(workspace.blueprint, reading, datetime.now(UTC), workspace.flags)
        if workspace.aws.endpoint_url:
            # Only AWS itself keeps a history of events; `keyhole local events` has the local one.
            return report
        names = {want.address: want.name for want in workspace.blueprint.resources}
        names |= {address: have.name for address, have in reading.there().items()}
        return name_authors(report, names, lambda region: BotocoreAws(region, profile=profile))

    if watch is not None:
        _watch(look, watch)
        return
    with err.status("reading AWS…"):
        report = look()
    if json:
        show_json(report_as_json(report))
    else:
        out.print(render_report(report, width=out.width))
    if not report.is_fine:
        raise typer.Exit(int(ExitCode.FINDING))


def _watch(look: Callable[[], Report], pause_s: float) -> None:
    """Look again and again until Ctrl-C, which is how it is meant to end."""
    import contextlib
    import time

    from keyhole.cli.console import out, show_error
    from keyhole.errors import KeyholeError
    from keyhole.status.show import render_report

    before: Report | None = None
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            try:
                report = look()
            except KeyholeError as error:
                # The network comes back, and credentials are renewed: watching goes on.
                show_error(error)
            else:
                if out.is_terminal:
                    out.clear()
                    out.print(render_report(report, width=out.width))
                    out.print(f"[dim]{report.at.astimezone():%H:%M:%S}, again every {pause_s:g} s; Ctrl-C ends it[/]")
                else:
                    _print_changes(before, report)
                before = report
            time.sleep(pause_s)


def _print_changes(before: Report | None, report: Report) -> None:
    from keyhole.status.show import describe_changes

    lines = describe_changes(before, report)
    if before is None and report.is_fine:
        lines = ("✓ everything is as the file says",)
    for line in lines:
        sys.stdout.write(f"{report.at.isoformat(timespec='seconds')}  {line}\n")
    sys.stdout.flush()
