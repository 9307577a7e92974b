"""One statement against one request: element by element, up to the first that does not hold.

AWS: IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

from dataclasses import dataclass

from keyhole.iam.conditions import MOST_SHOWN, evaluate_condition
from keyhole.iam.match import complete_arn, match_action, match_resource
from keyhole.iam.model import (
    Effect,
    Element,
    ElementTrace,
    Policy,
    PolicyKind,
    Request,
    Statement,
    StatementTrace,
    Truth,
)
from keyhole.iam.principals import ACCOUNT_KINDS, Reach, match_principal
from keyhole.iam.variables import expand_variables, has_variables

PRINCIPAL_KINDS = frozenset({PolicyKind.RESOURCE, PolicyKind.TRUST, PolicyKind.RCP, PolicyKind.ENDPOINT})
"""The policies whose statements say to whom they apply; the others apply to whom they are attached."""

_COMPLETED_KINDS = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A statement's trace, and how closely its Principal names the caller."""

    trace: StatementTrace
    reach: Reach = Reach.NONE


def evaluate_statement(
    request: Request, policy: Policy, index: int, layer: PolicyKind, *, has_boundary: bool = False
) -> Verdict:
    """Whether the statement applies: TRUE if every element holds, FALSE at the first that does not."""
    statement = policy.statements[index]
    elements: list[ElementTrace] = []
    reach = Reach.NONE
    if layer in PRINCIPAL_KINDS:
        element, reach = _judge_principal(request, statement, has_boundary)
        elements.append(element)
    if not _has_failed(elements):
        elements.append(_judge_action(statement.actions, request.action))
    if statement.resources is not None and not _has_failed(elements):
        elements.append(_judge_resource(statement.resources, request, policy.version, layer))
    elif layer is not PolicyKind.TRUST and statement.resources is None and not _has_failed(elements):
        elements.append(ElementTrace("Resource", Truth.FALSE, "the statement names no resource"))
    for condition in statement.conditions:
        if _has_failed(elements):
            break
        truth, detail = evaluate_condition(condition, request.context, policy.version)
        elements.append(ElementTrace(f"Condition {condition.name}", truth, detail))
    truth = _conjoin(elements)
    trace = StatementTrace(layer, policy.name, index, statement.sid, statement.effect, truth, tuple(elements))
    return Verdict(trace, reach)


def _has_failed(elements: list[ElementTrace]) -> bool:
    return bool(elements) and elements[-1].truth is Truth.FALSE


def _conjoin(elements: list[ElementTrace]) -> Truth:
    """All of them: one that fails decides, one that is UNKNOWN leaves the rest UNKNOWN."""
    if _has_failed(elements):
        return Truth.FALSE
    return Truth.UNKNOWN if any(element.truth is Truth.UNKNOWN for element in elements) else Truth.TRUE


def _judge_principal(request: Request, statement: Statement, has_boundary: bool) -> tuple[ElementTrace, Reach]:
    """The Principal of a policy that needs one: a statement without it is malformed and never matches."""
    principals, caller = statement.principals, request.principal
    if principals is None:
        return ElementTrace("Principal", Truth.FALSE, "the statement names no principal"), Reach.NONE
    name = "NotPrincipal" if principals.negated else "Principal"
    is_deny = statement.effect is Effect.DENY
    if principals.negated and is_deny and has_boundary and caller.kind in ACCOUNT_KINDS:
        # AWS: "Permissions boundaries for IAM entities": NotPrincipal with Deny always denies such a principal.
        detail = f"`{caller.arn}` has a permissions boundary, which `NotPrincipal` with `Deny` always hits"
        return ElementTrace(name, Truth.TRUE, detail), Reach.DIRECT
    truth, reach = match_principal(principals, caller, request.context)
    listed = _show(tuple(pattern.value for pattern in principals.patterns))
    who = f"`{caller.arn or caller.kind.value}`"
    detail = {
        Truth.TRUE: f"{who} is {'not ' if principals.negated else ''}covered by {listed}",
        Truth.FALSE: f"{who} is {'' if principals.negated else 'not '}covered by {listed}",
        Truth.UNKNOWN: f"whether {who} is covered by {listed} cannot be told",
    }[truth]
    return ElementTrace(name, truth, detail), reach


def _judge_action(actions: Element, action: str) -> ElementTrace:
    name = "NotAction" if actions.negated else "Action"
    found = next((pattern for pattern in actions.patterns if match_action(pattern, action)), None)
    return _judge(name, actions, action, found)


def _judge_resource(resources: Element, request: Request, version: str, layer: PolicyKind) -> ElementTrace:
    name = "NotResource" if resources.negated else "Resource"
    found = next(
        (pattern for pattern in resources.patterns if _covers(pattern, request, version, layer)),
        None,
    )
    return _judge(name, resources, request.resource, found)


def _covers(pattern: str, request: Request, version: str, layer: PolicyKind) -> bool:
    """Hold iff the Resource pattern names the request's resource; an unresolvable variable names nothing."""
    if has_variables(pattern, version):
        parts = expand_variables(pattern, request.context, version)
        return parts is not None and match_resource(parts, request.resource)
    if match_resource(pattern, request.resource):
        return True
    return layer in _COMPLETED_KINDS and match_resource(complete_arn(pattern), request.resource)


def _judge(name: str, element: Element, asked: str, found: str | None) -> ElementTrace:
    """The trace of an Action or Resource element, given the pattern that matched."""
    holds = (found is not None) is not element.negated
    match = f"`{asked}` matches `{found}`" if found is not None else f"`{asked}` matches none of "
    detail = match if found is not None else match + _show(element.patterns)
    return ElementTrace(name, Truth.TRUE if holds else Truth.FALSE, detail)


def _show(values: tuple[str, ...]) -> str:
    """A few of the values, in backticks."""
    shown = ", ".join(f"`{value}`" for value in values[:MOST_SHOWN])
    rest = len(values) - MOST_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown
