"""What somebody can do, and whether it can give itself more, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from keyhole.iam.access.abilities import Abilities, Grant
from keyhole.iam.access.escalation_search import Escalation
from keyhole.iam.access.standing import Can
from keyhole.iam.symbolic.question import Verdict
from keyhole.iam.symbolic.telling import describe_request, request_as_json


def render_abilities(found: Abilities) -> RenderableType:
    """Give each grant: the actions, where, under which conditions, by which statements, and less what."""
    lines = [f"[bold]{escape(found.arn)}[/]"]
    if found.untold:
        lines.append(f"    [bold yellow]it cannot be told what it can do[/]: {escape(found.untold)}")
    elif not found.grants:
        lines.append("    can do nothing by policies of its own")
    for grant in found.grants:
        lines.extend(_grant_lines(grant))
    for role in found.roles:
        verb = "can assume" if role.verdict is Can.CAN else "[bold yellow]may perhaps assume[/]"
        lines.append(f"\n{verb} [bold]{escape(role.arn)}[/]")
        lines.extend(f"    if {escape(text)}" for way in role.ways for text in way.conditions)
        if role.verdict is Can.UNKNOWN:
            lines.append(f"    [dim]{escape(role.reason)}[/]")
    return Text.from_markup("\n".join(lines))


def _grant_lines(grant: Grant) -> Iterator[str]:
    yield f"\n[bold]{escape(', '.join(grant.actions))}[/]"
    yield f"    on {escape('anything' if grant.resources == '*' else grant.resources)}"
    if grant.conditions:
        yield f"    if {escape(grant.conditions)}"
    yield from (f"    [yellow]not[/] {escape(text)}" for text in grant.less)
    if grant.untold:
        yield f"    [bold yellow]{escape(grant.untold)}[/]"
    yield from (f"    [dim]by {escape(name)}[/]" for name in grant.statements)


def render_escalation(found: Escalation) -> RenderableType:
    """Give the path step by step, each with its requests, and what it leads to."""
    match found.verdict:
        case Verdict.HOLDS:
            return Text.from_markup("[green]it cannot give itself more[/], by any path that is looked at")
        case Verdict.UNKNOWN:
            return Text.from_markup(
                f"[bold yellow]whether it can give itself more cannot be told[/]: {escape(found.reason)}"
            )
    lines = ["[bold red]it can give itself more[/]:"]
    for number, step in enumerate(found.steps, 1):
        lines.append(f"  {number}. {escape(step.says)}")
        lines += [f"       [dim]{escape(f'{each.action} on {each.resource}')}[/]" for each in step.requests]
    if found.gain is not None:
        lines.append("  then, what it could not do before:")
        lines.extend(f"       {escape(line)}" for line in describe_request(found.gain)[:2])
    return Text.from_markup("\n".join(lines))


def abilities_as_json(found: Abilities) -> dict[str, Any]:
    """Give the same as plain data."""
    return {
        "arn": found.arn,
        "untold": found.untold,
        "grants": [
            {
                "actions": list(grant.actions),
                "resources": grant.resources,
                "conditions": grant.conditions,
                "statements": list(grant.statements),
                "less": list(grant.less),
                "untold": grant.untold,
            }
            for grant in found.grants
        ],
        "assumes": [{"role": role.arn, "verdict": str(role.verdict), "reason": role.reason} for role in found.roles],
    }


def escalation_as_json(found: Escalation) -> dict[str, Any]:
    """Give a path as plain data."""
    return {
        "verdict": str(found.verdict),
        "reason": found.reason,
        "steps": [
            {"says": step.says, "requests": [request_as_json(request) for request in step.requests]}
            for step in found.steps
        ],
        "gain": request_as_json(found.gain) if found.gain else None,
    }
