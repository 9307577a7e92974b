"""`keyhole local events`: every call that the local AWS got, and what became of it."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from keyhole.cli.options import LOCAL_PORT, Port

if TYPE_CHECKING:
    from keyhole.local.event_text import Line

    Widths = tuple[int, int, int]

_POLL_MS = 100
# Principal, call, resource: what they get from the beginning, and at most.
_WIDTHS = (24, 26, 32)
_WIDEST = (56, 40, 56)


def events(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    json: Annotated[
        bool | None,
        typer.Option(
            "--json/--text",
            help="JSON Lines as CloudTrail shapes them, or a line for people to read.",
            show_default="text on a terminal, JSON Lines elsewhere",
        ),
    ] = None,
    denied: Annotated[bool, typer.Option("--denied", help="Only what was denied or refused.")] = False,
    principal: Annotated[
        str, typer.Option("--principal", help="Only callers with this in their ARN or key id.", metavar="TEXT")
    ] = "",
    since: Annotated[
        str, typer.Option("--since", help="Only from then on: `10m`, `2h`, `1d`, or a moment in ISO 8601.")
    ] = "",
    port: Port = LOCAL_PORT,
) -> None:
    """Show every call: who made it, what it touched, whether IAM allowed it, and why.

    The events of a local AWS that has ended are kept until another one starts on its port.

    Example: [bold]keyhole local events --follow --denied[/]
    """
    from datetime import UTC, datetime

    from keyhole.errors import KeyholeError
    from keyhole.local.event_file import EventFile, parse_event
    from keyhole.local.event_text import Wanted, describe_line, parse_since
    from keyhole.local.state import events_path

    wanted = Wanted(denied, principal, parse_since(since, datetime.now(UTC)))
    as_json = json if json is not None else not sys.stdout.isatty()
    path = events_path(port)
    if not follow and not path.exists():
        hint = "start one: `keyhole local start`"
        raise KeyholeError(f"no local AWS has run on port {port} yet: there are no events", hint=hint)
    widths = _WIDTHS
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(EventFile(path)) as file:
        while True:
            found = [(line, event) for line in file.read_lines() if (event := parse_event(line)) and wanted.has(event)]
            lines = [] if as_json else [describe_line(event) for _, event in found]
            widths = _widen(widths, lines)
            texts = (_columns(line, widths) for line in lines) if lines else (line for line, _ in found)
            if not _write(texts) or not follow or _is_reader_gone():
                break


def _write(lines: Iterable[str]) -> bool:
    """Hold iff somebody still reads what is written."""
    try:
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its end: that must not fail as well.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def _is_reader_gone() -> bool:
    """Wait a moment, and hold iff the reader of a pipe ends meanwhile."""
    try:
        poll = select.poll()
        # Asked for nothing, it tells of errors alone.
        poll.register(sys.stdout.fileno(), 0)
        return bool(poll.poll(_POLL_MS))
    except OSError:
        time.sleep(_POLL_MS / 1000)
        return False


def _widen(widths: Widths, lines: Iterable[Line]) -> Widths:
    """Give widths that hold these lines as well; one that is longer than a column's most stands out of it."""
    first, second, third = widths
    for line in lines:
        principal, call, resource = len(line.principal), len(line.call), len(line.resource)
        first = max(first, principal) if principal <= _WIDEST[0] else first
        second = max(second, call) if call <= _WIDEST[1] else second
        third = max(third, resource) if resource <= _WIDEST[2] else third
    return first, second, third


def _columns(line: Line, widths: Widths) -> str:
    from rich.text import Text

    from keyhole.cli.console import out

    style = "" if line.outcome == "allowed" else "bold red" if line.outcome in ("DENIED", "REFUSED") else "yellow"
    columns = zip((line.principal, line.call, line.resource), widths, strict=True)
    shown = Text("  ".join((line.time, *(f"{text:<{width}}" for text, width in columns), "")))
    shown.append(line.outcome, style)
    shown.append(f"  {line.detail}" if line.detail else "", "dim")
    with out.capture() as capture:
        out.print(shown, soft_wrap=True, end="")
    return capture.get().rstrip()
