"""Rendering: a Policy becomes the canonical JSON form of its document; parsing it gives the same Policy."""

from __future__ import annotations

from typing import Any

from keyhole.iam.model import Element, Policy, PrincipalElement, Statement


def render_policy(policy: Policy) -> dict[str, Any]:
    """The document in AWS's order of elements: a list of statements, and a text where a list would have one member."""
    document: dict[str, Any] = {"Version": policy.version}
    if policy.id:
        document["Id"] = policy.id
    document["Statement"] = [_render_statement(statement) for statement in policy.statements]
    return document


def _render_statement(statement: Statement) -> dict[str, Any]:
    rendered: dict[str, Any] = {"Sid": statement.sid} if statement.sid else {}
    rendered["Effect"] = statement.effect.value
    if statement.principals is not None:
        rendered[_name("Principal", statement.principals)] = _render_principals(statement.principals)
    rendered[_name("Action", statement.actions)] = _render_values(statement.actions.patterns)
    if statement.resources is not None:
        rendered[_name("Resource", statement.resources)] = _render_values(statement.resources.patterns)
    conditions: dict[str, dict[str, Any]] = {}
    for condition in statement.conditions:
        conditions.setdefault(condition.name, {})[condition.key] = _render_values(condition.values)
    if conditions:
        rendered["Condition"] = conditions
    return rendered


def _name(name: str, element: Element | PrincipalElement) -> str:
    return f"Not{name}" if element.negated else name


def _render_values(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _render_principals(element: PrincipalElement) -> str | dict[str, Any]:
    by_kind: dict[str, list[str]] = {}
    for pattern in element.patterns:
        if pattern.kind == "*":
            return "*"
        by_kind.setdefault(pattern.kind, []).append(pattern.value)
    return {kind: _render_values(tuple(values)) for kind, values in by_kind.items()}
