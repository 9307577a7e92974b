"""Who can do something, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from keyhole.iam import Context
from keyhole.iam.access.standing import Can, Standing, Way
from keyhole.iam.symbolic.telling import describe_request, request_as_json

# They follow from who asks and whose resource it is.
_UNTOLD = frozenset({"aws:userid", "aws:resourceaccount", "s3:resourceaccount"})
_SIGNS = {Can.CAN: ("can", "bold"), Can.UNKNOWN: ("cannot be told", "bold yellow")}


def unite(standings: Iterable[Standing]) -> list[Standing]:
    """Give one answer for each principal, of its answers for several resources: it can if it can for any."""
    found: dict[str, Standing] = {}
    for each in standings:
        known = found.get(each.arn)
        if known is None or known.verdict is Can.CANNOT:
            found[each.arn] = each
        elif each.verdict is Can.CAN:
            ways = (*known.ways, *each.ways) if known.verdict is Can.CAN else each.ways
            found[each.arn] = Standing(each.arn, Can.CAN, ways)
    return list(found.values())


def render_who(
    asked: str, inside: Sequence[Standing], outside: Sequence[Standing], *, show_all: bool = False
) -> RenderableType:
    """Give who can and by what, then who cannot be told of, then how many cannot; with `show_all` each and why."""
    lines: list[str] = []
    for standing in (*inside, *outside):
        if standing.verdict is not Can.CANNOT:
            lines.extend(_lines(standing, is_outside=standing in outside))
    cannot = [standing for standing in inside if standing.verdict is Can.CANNOT]
    if show_all:
        lines.extend(f"{escape(each.arn)} cannot: {escape(each.reason)}" for each in cannot)
    can = sum(standing.verdict is Can.CAN for standing in inside)
    unknown = sum(standing.verdict is Can.UNKNOWN for standing in inside)
    counts = f"{can} can, {len(cannot)} cannot"
    counts += f", [bold yellow]{unknown} cannot be told[/]" if unknown else ""
    counts += f"; [bold red]outside the account: {len(outside)}[/]" if outside else ""
    return Text.from_markup("\n".join([*lines, f"\n{escape(asked)}: {counts}"]))


def _lines(standing: Standing, *, is_outside: bool) -> Iterator[str]:
    word, style = _SIGNS[standing.verdict]
    place = " [bold red](outside the account)[/]" if is_outside else ""
    yield f"[{style}]{escape(standing.arn)}[/] {word}{place}{': ' + escape(standing.reason) if standing.reason else ''}"
    for way in standing.ways:
        yield f"    by {escape(way.statement)}"
        for condition in way.conditions:
            yield f"        if {escape(condition)}"
        yield from (f"        [dim]{escape(line)}[/]" for line in _example(way))


def _example(way: Way) -> list[str]:
    told = {key: value for key, value in way.witness.context.items() if key not in _UNTOLD}
    lines = describe_request(replace(way.witness, context=Context(told)))[1:]
    return [f"e.g. {lines[0]}", *(f"     {line}" for line in lines[1:])]


def who_as_json(inside: Sequence[Standing], outside: Sequence[Standing], notes: Sequence[str]) -> dict[str, Any]:
    """Give the same as plain data."""
    return {
        "principals": [_as_json(standing) for standing in inside],
        "outside": [_as_json(standing) for standing in outside],
        "not_looked_at": list(notes),
    }


def _as_json(standing: Standing) -> dict[str, Any]:
    return {
        "arn": standing.arn,
        "verdict": str(standing.verdict),
        "reason": standing.reason,
        "ways": [
            {"statement": way.statement, "conditions": list(way.conditions), "witness": request_as_json(way.witness)}
            for way in standing.ways
        ],
    }
