"""A plan for people and for machines."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

from keyhole.aws import Call
from keyhole.naming import short_name
from keyhole.provision.apply import Applied
from keyhole.provision.plan import Change, Plan, Verb

WIDE = 100
_SIGNS = {
    Verb.CREATE: ("+", "green"),
    Verb.UPDATE: ("~", "yellow"),
    Verb.DELETE: ("-", "red"),
    Verb.KEEP: ("=", "dim"),
}


def render_plan(plan: Plan, *, width: int, verbose: bool = False) -> RenderableType:
    """Give the plan as a tree: every resource, what happens to it and why, and a line that counts.

    The API's names of the calls are shown where the terminal is wide enough for them, or if `verbose`.
    """
    scope = plan.scope
    title = f"[bold]{scope.app}[/] · {scope.environment} · account {scope.account} · {scope.region}"
    tree = Tree(title, guide_style="dim")
    longest = max((len(_marked(call)) for change in plan.changes for call in change.calls), default=0)
    why_width = min(longest, 70) if verbose or width >= WIDE else None
    for change in plan.changes:
        _add_change(tree, change, why_width, verbose=verbose)
    for refusal in plan.refusals:
        branch = tree.add(f"[bold red]![/] [bold]{escape(refusal.address)}[/] [red]{escape(refusal.message)}[/]")
        branch.add(f"[cyan]help[/]: {escape(refusal.hint)}")
    return Group(tree, Text.from_markup(_summary(plan)))


def _add_change(tree: Tree, change: Change, why_width: int | None, *, verbose: bool) -> None:
    sign, color = _SIGNS[change.verb]
    name = short_name(change.name)
    branch = tree.add(f"[{color}]{sign} {escape(change.address)}[/] [dim]{escape(name)}[/]")
    if change.note:
        branch.add(Text(change.note, style="dim"))
    if change.empties:
        branch.add(f"[red]! delete what it holds: {change.content}, for good[/]")
    for call in change.calls:
        leaf = branch.add(_call_line(call, why_width))
        if verbose:
            for key, value in call.params.items():
                leaf.add(Text(f"{key}: {_pretty(value)}", style="dim"))


def _call_line(call: Call, why_width: int | None) -> str:
    style = "red" if call.destructive else "default"
    if why_width is None:
        return f"[{style}]{escape(_marked(call))}[/]"
    why = escape(_marked(call).ljust(why_width))
    return f"[{style}]{why}[/]  [dim]{call.service}:{call.operation}[/]"


def _marked(call: Call) -> str:
    """Give what the call is for; one that takes something away stands out without colour too."""
    return f"{'! ' if call.destructive else ''}{call.why or call.operation}"


def _pretty(value: Any) -> str:
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _summary(plan: Plan) -> str:
    if plan.is_empty:
        return "\nnothing to do: AWS agrees with the file"
    counts = [f"{plan.count(verb)} to {verb}" for verb in (Verb.CREATE, Verb.UPDATE, Verb.DELETE) if plan.count(verb)]
    if plan.count(Verb.KEEP):
        counts.append(f"{plan.count(Verb.KEEP)} unchanged")
    calls = "1 call" if plan.call_count == 1 else f"{plan.call_count} calls"
    text = f"\n[bold]plan[/]: {', '.join(counts) or 'nothing'} ({calls})"
    if takes := sum(call.destructive for change in plan.changes for call in change.calls):
        text += f"\n[red]![/] marks what takes something away: {takes} of them"
    if plan.refusals:
        text += f"\n[red]{len(plan.refusals)} refused[/]: nothing was changed"
    return text


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """Give the plan as plain data."""
    scope = plan.scope
    return {
        "app": scope.app,
        "environment": scope.environment,
        "account": scope.account,
        "region": scope.region,
        "empty": plan.is_empty,
        "changes": [_change_as_json(change) for change in plan.changes],
        "refusals": [
            {"address": refusal.address, "message": refusal.message, "hint": refusal.hint} for refusal in plan.refusals
        ],
    }


def applied_as_json(plan: Plan, applied: Applied | None) -> dict[str, Any]:
    """Give the plan and what became of it as plain data; `applied` is None where there was nothing to do."""
    applied = applied or Applied()
    return {
        **plan_as_json(plan),
        "complete": applied.is_complete and not plan.refusals,
        "done": [change.address for change in applied.done],
        "failed": [
            {
                "address": failure.change.address,
                "operation": failure.call.operation if failure.call else None,
                "error": str(failure.error),
                "hint": failure.error.hint,
            }
            for failure in applied.failures
        ],
        "unfinished": [change.address for change in applied.unfinished],
        "not_begun": [change.address for change in applied.skipped],
        "interrupted": applied.interrupted,
    }


def _change_as_json(change: Change) -> dict[str, Any]:
    return {
        "address": change.address,
        "name": change.name,
        "verb": str(change.verb),
        "after": list(change.after),
        "destructive": change.is_destructive,
        "note": change.note,
        "calls": [
            {
                "service": call.service,
                "operation": call.operation,
                "params": dict(call.params),
                "destructive": call.destructive,
                "why": call.why,
            }
            for call in change.calls
        ],
    }
