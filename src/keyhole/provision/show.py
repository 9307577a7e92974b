"""A plan for people and for machines."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

from keyhole.aws import Call
from keyhole.provision.plan import Change, Plan, Verb

_SIGNS = {
    Verb.CREATE: ("+", "green"),
    Verb.UPDATE: ("~", "yellow"),
    Verb.DELETE: ("-", "red"),
    Verb.KEEP: ("=", "dim"),
}


def render_plan(plan: Plan, *, verbose: bool = False) -> RenderableType:
    """Give the plan as a tree: every resource, what happens to it and why, and a line that counts."""
    scope = plan.scope
    title = f"[bold]{scope.app}[/] · {scope.environment} · account {scope.account} · {scope.region}"
    tree = Tree(title, guide_style="dim")
    width = max((len(call.why) for change in plan.changes for call in change.calls), default=0)
    for change in plan.changes:
        _add_change(tree, change, min(width, 60), verbose=verbose)
    for refusal in plan.refusals:
        branch = tree.add(f"[bold red]![/] [bold]{escape(refusal.address)}[/] [red]{escape(refusal.message)}[/]")
        branch.add(f"[cyan]help[/]: {escape(refusal.hint)}")
    return Group(tree, Text.from_markup(_summary(plan)))


def _add_change(tree: Tree, change: Change, width: int, *, verbose: bool) -> None:
    sign, color = _SIGNS[change.verb]
    name = change.name.rpartition("/")[2]
    branch = tree.add(f"[{color}]{sign} {escape(change.address)}[/] [dim]{escape(name)}[/]")
    if change.empties:
        branch.add(f"[red]delete what it holds: {change.content}, for good[/]")
    for call in change.calls:
        leaf = branch.add(_call_line(call, width))
        if verbose:
            for key, value in call.params.items():
                leaf.add(Text(f"{key}: {_pretty(value)}", style="dim"))


def _call_line(call: Call, width: int) -> str:
    why = escape((call.why or call.operation).ljust(width))
    style = "red" if call.destructive else "default"
    return f"[{style}]{why}[/]  [dim]{call.service}:{call.operation}[/]"


def _pretty(value: Any) -> str:
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def _summary(plan: Plan) -> str:
    if plan.is_empty:
        return "\nnothing to do: AWS agrees with the file"
    counts = [f"{plan.count(verb)} to {verb}" for verb in (Verb.CREATE, Verb.UPDATE, Verb.DELETE) if plan.count(verb)]
    if plan.count(Verb.KEEP):
        counts.append(f"{plan.count(Verb.KEEP)} as they are")
    text = f"\n[bold]plan[/]: {', '.join(counts) or 'nothing'} ({plan.call_count} calls)"
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


def _change_as_json(change: Change) -> dict[str, Any]:
    return {
        "address": change.address,
        "name": change.name,
        "verb": str(change.verb),
        "after": list(change.after),
        "destructive": change.is_destructive,
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
