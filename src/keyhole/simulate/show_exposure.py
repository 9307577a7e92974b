"""How open a bucket or a policy is, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from keyhole.iam.access.exposure import Exposure
from keyhole.iam.symbolic.telling import describe_request, request_as_json
from keyhole.simulate.exposure import Openness


def render_openness(name: str, found: Openness) -> RenderableType:
    """Give the verdict by both definitions, and each statement that lets somebody in, with a request and the fix."""
    public = "[bold red]public[/]" if found.is_public else "[green]not public[/]"
    lines = [f"{escape(name)}: {public} by AWS's definition; {_tell(found)}"]
    if not found.has_policy:
        lines.append("it has no policy")
    for exposure in found.exposures:
        lines.extend(_lines(exposure))
    lines.extend(f"[dim]{escape(note)}[/]" for note in found.notes)
    return Text.from_markup("\n".join(lines))


def _tell(found: Openness) -> str:
    if found.is_closed:
        return "[green]nobody outside the account comes in[/]"
    if any(exposure.is_open and exposure.is_sure for exposure in found.exposures):
        return "[bold yellow]somebody outside the account comes in[/]"
    return "[bold yellow]whether somebody outside the account comes in cannot be told[/]"


def _lines(exposure: Exposure) -> Iterator[str]:
    kind = "[bold red]public[/]" if exposure.is_public else "[bold yellow]open to others[/]"
    yield f"\n{kind}: {escape(exposure.statement)}"
    yield f"    lets in {escape(', '.join(exposure.who) or 'nobody for now')}"
    if exposure.witness is not None:
        _, asks, *circumstances = describe_request(exposure.witness)
        yield f"    [dim]e.g. {escape(asks)}[/]"
        yield from (f"    [dim]     {escape(line)}[/]" for line in circumstances)
    if exposure.reason:
        yield f"    {escape(exposure.reason)}"
    if exposure.held_back:
        yield f"    [green]{escape(exposure.held_back)}[/]"
    yield f"    [cyan]fix[/]: {escape(exposure.fix)}"


def openness_as_json(name: str, found: Openness) -> dict[str, Any]:
    """Give the same as plain data."""
    return {
        "name": name,
        "public": found.is_public,
        "closed": found.is_closed,
        "notes": list(found.notes),
        "exposures": [
            {
                "statement": exposure.statement,
                "who": list(exposure.who),
                "public": exposure.is_public,
                "held_back": exposure.held_back,
                "witness": request_as_json(exposure.witness) if exposure.witness else None,
                "reason": exposure.reason,
                "fix": exposure.fix,
            }
            for exposure in found.exposures
        ],
    }
