"""Traces of compiled policies: what does not depend on the request is made once, the rest as by the plain path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keyhole.iam.bound import BoundStatement, ResourceCheck, bind_resources, bind_values, literal_heads
from keyhole.iam.conditions import VERBS, evaluate_condition
from keyhole.iam.model import Condition, Element, ElementTrace, Request, StatementTrace, Truth
from keyhole.iam.operators.registry import find_operator
from keyhole.iam.statement import PRINCIPAL_KINDS, evaluate_statement, judge_action, judge_principal, show_values
from keyhole.iam.variables import has_variables

Trace = Callable[[Request, str], StatementTrace]

# What a NamedTuple's own constructor calls, without the detour: most statements of most requests end up here.
_new: Callable[[type[Any], tuple[Any, ...]], Any] = tuple.__new__


def bind_trace(bound: BoundStatement, action: str, *, has_boundary: bool) -> StatementTrace | Trace:
    """Give the trace of a statement for requests of one action, or what makes it of a request and its resource.

    A statement that does not name the action has the same trace for every request.
    """
    policy, index, layer, statement = bound.policy, bound.index, bound.layer, bound.statement
    resources = statement.resources
    is_plain = (
        resources is None or resources.negated or any(has_variables(p, policy.version) for p in resources.patterns)
    )
    if resources is None or is_plain:
        return lambda request, _: evaluate_statement(request, policy, index, layer, has_boundary=has_boundary).trace
    rest = _trace_after_principal(bound, action, resources)
    if layer not in PRINCIPAL_KINDS:
        return rest
    head = (layer, policy.name, index, statement.sid, statement.effect)

    listed = show_values(tuple(p.value for p in statement.principals.patterns)) if statement.principals else ""
    covers_everyone = bound.reach is not None

    def trace(request: Request, resource: str) -> StatementTrace:
        if covers_everyone:
            principal = ElementTrace("Principal", Truth.TRUE, f"`{request.principal.arn}` is covered by {listed}")
        else:
            principal, _ = judge_principal(request, statement, layer, has_boundary)
        if principal.truth is Truth.FALSE:
            return StatementTrace(*head, Truth.FALSE, (principal,))
        found = rest if isinstance(rest, StatementTrace) else rest(request, resource)
        truth = found.truth if principal.truth is Truth.TRUE or found.truth is Truth.FALSE else principal.truth
        return StatementTrace(*head, truth, (principal, *found.elements))

    return trace


def _trace_after_principal(bound: BoundStatement, action: str, resources: Element) -> StatementTrace | Trace:
    """The elements from Action on: one that fails ends the trace, one that is UNKNOWN leaves the rest UNKNOWN."""
    policy, layer, statement = bound.policy, bound.layer, bound.statement
    head = (layer, policy.name, bound.index, statement.sid, statement.effect)
    named = judge_action(statement.actions, action)
    if named.truth is Truth.FALSE:
        return StatementTrace(*head, Truth.FALSE, (named,))
    heads, covers = literal_heads(resources), bind_resources(resources, layer)
    missed = f"` matches none of {show_values(resources.patterns)}"
    hits = tuple((f"` matches `{p}`", bind_resources(Element((p,)), layer)) for p in resources.patterns)
    conditions = tuple((f"Condition {c.name}", _trace_condition(c, policy.version)) for c in statement.conditions)
    head_of_miss = (*head, Truth.FALSE)

    def trace(request: Request, resource: str) -> StatementTrace:
        if not (resource.startswith(heads) and covers(resource)):
            missing = _new(ElementTrace, ("Resource", Truth.FALSE, f"`{resource}{missed}"))
            found: StatementTrace = _new(StatementTrace, (*head_of_miss, (named, missing)))
            return found
        elements = [named, ElementTrace("Resource", Truth.TRUE, f"`{resource}{_find_hit(hits, resource)}")]
        verdict = Truth.TRUE
        for name, condition in conditions:
            truth, detail = condition(request)
            elements.append(ElementTrace(name, truth, detail))
            if truth is not Truth.TRUE:
                verdict = truth
            if truth is Truth.FALSE:
                break
        return StatementTrace(*head, verdict, tuple(elements))

    return trace


def _trace_condition(condition: Condition, version: str) -> Callable[[Request], tuple[Truth, str]]:
    """The verdict on a condition and its words; those for an absent key or several values are the plain path's."""
    operator = find_operator(condition.operator)
    matcher = bind_values(condition, version) if operator and condition.values else None
    if operator is None or matcher is None:
        return lambda request: evaluate_condition(condition, request.context, version)
    key, negated = condition.key.lower(), operator.negated
    shown = show_values(condition.values)
    held = f"`: `{condition.name}` {VERBS[Truth.TRUE]} {shown}"
    failed = f"`: `{condition.name}` {VERBS[Truth.FALSE]} {shown}"
    opening = f"`{condition.key}` is `"

    def trace(request: Request) -> tuple[Truth, str]:
        given = request.context.by_key.get(key)
        if not given or not isinstance(given, str):
            return evaluate_condition(condition, request.context, version)
        if matcher(given) is not negated:
            return Truth.TRUE, f"{opening}{given}{held}"
        return Truth.FALSE, f"{opening}{given}{failed}"

    return trace


def _find_hit(hits: tuple[tuple[str, ResourceCheck], ...], resource: str) -> str:
    """The words for the first pattern that matches, of which there is one."""
    return next(words for words, matches in hits if matches(resource))
