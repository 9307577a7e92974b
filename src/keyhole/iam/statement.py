"""One statement against one request: element by element, up to the first that does not hold.

AWS: IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

from dataclasses import dataclass

from keyhole.iam.conditions import MOST_SHOWN, evaluate_condition
from keyhole.iam.match import ARN_FIELDS, complete_arn, match_action, match_resource
from keyhole.iam.model import (
    Effect,
    Element,
    ElementTrace,
    Policy,
    PolicyKind,
    PrincipalElement,
    PrincipalKind,
    Request,
    Statement,
    StatementTrace,
    Truth,
)
from keyhole.iam.principals import ACCOUNT_KINDS, Reach, match_principal
from keyhole.iam.variables import expand_variables, has_variables

PRINCIPAL_KINDS = frozenset({PolicyKind.RESOURCE, PolicyKind.TRUST, PolicyKind.RCP, PolicyKind.ENDPOINT})
"""The policies whose statements say to whom they apply; the others apply to whom they are attached."""

COMPLETED_KINDS = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY})


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
        element, reach = judge_principal(request, statement, layer, has_boundary)
        elements.append(element)
    if not _has_failed(elements):
        elements.append(judge_action(statement.actions, request.action))
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


def judge_principal(
    request: Request, statement: Statement, layer: PolicyKind, has_boundary: bool
) -> tuple[ElementTrace, Reach]:
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
    if truth is Truth.TRUE and not is_deny and _is_ambiguous(principals, request, layer):
        truth = Truth.UNKNOWN
    listed = show_values(tuple(pattern.value for pattern in principals.patterns))
    who = f"`{caller.arn or caller.kind.value}`"
    detail = {
        Truth.TRUE: f"{who} is {'not ' if principals.negated else ''}covered by {listed}",
        Truth.FALSE: f"{who} is {'' if principals.negated else 'not '}covered by {listed}",
        Truth.UNKNOWN: f"whether {who} is covered by {listed} cannot be told",
    }[truth]
    return ElementTrace(name, truth, detail), reach


def _is_ambiguous(principals: PrincipalElement, request: Request, layer: PolicyKind) -> bool:
    """Hold iff it depends whether AWS reads the Principal of an Allow in this way.

    AWS: "AWS JSON policy elements: NotPrincipal": "Using it with "Effect":"Allow" is not supported".
    At a gateway endpoint, which only S3 and DynamoDB have, an account's entry is its root alone, and users and roles
    cannot be named. AWS: PrivateLink Guide, "Control access to VPC endpoints", Principals for gateway endpoints.
    """
    if principals.negated:
        return True
    has_gateway = layer is PolicyKind.ENDPOINT and request.action.lower().startswith(("s3:", "dynamodb:"))
    is_for_all = any(pattern.value == "*" for pattern in principals.patterns)
    return has_gateway and not is_for_all and request.principal.kind in ACCOUNT_KINDS - {PrincipalKind.ROOT}


def judge_action(actions: Element, action: str) -> ElementTrace:
    name = "NotAction" if actions.negated else "Action"
    found = next((pattern for pattern in actions.patterns if match_action(pattern, action)), None)
    return _judge(name, actions, action, found)


def _judge_resource(resources: Element, request: Request, version: str, layer: PolicyKind) -> ElementTrace:
    """UNKNOWN where it hangs on a variable: AWS says that one without a value may make the statement invalid."""
    name = "NotResource" if resources.negated else "Resource"
    doubtful: str | None = None
    for pattern in resources.patterns:
        covers = _covers(pattern, request, version, layer)
        if covers is Truth.TRUE:
            return _judge(name, resources, request.resource, pattern)
        if covers is Truth.UNKNOWN or (covers is None and resources.negated):
            doubtful = pattern
    if doubtful is not None:
        detail = f"whether `{request.resource}` matches `{doubtful}` cannot be told from its variables"
        return ElementTrace(name, Truth.UNKNOWN, detail)
    return _judge(name, resources, request.resource, None)


def _covers(pattern: str, request: Request, version: str, layer: PolicyKind) -> Truth | None:
    """Whether the Resource pattern names the request's resource; None where a variable has no value.

    AWS: "Variables and tags", Resource element: "You can't use a variable to replace parts of the ARN before the
    fifth colon": a match that needs one there is UNKNOWN.
    """
    if has_variables(pattern, version):
        parts = expand_variables(pattern, request.context, version)
        if parts is None:
            return None
        if not match_resource(parts, request.resource):
            return Truth.FALSE
        return Truth.TRUE if pattern.partition("${")[0].count(":") >= ARN_FIELDS - 1 else Truth.UNKNOWN
    is_named = match_resource(pattern, request.resource) or (
        layer in COMPLETED_KINDS and match_resource(complete_arn(pattern), request.resource)
    )
    return Truth.TRUE if is_named else Truth.FALSE


def _judge(name: str, element: Element, asked: str, found: str | None) -> ElementTrace:
    """The trace of an Action or Resource element, given the pattern that matched."""
    holds = (found is not None) is not element.negated
    match = f"`{asked}` matches `{found}`" if found is not None else f"`{asked}` matches none of "
    detail = match if found is not None else match + show_values(element.patterns)
    return ElementTrace(name, Truth.TRUE if holds else Truth.FALSE, detail)


def show_values(values: tuple[str, ...]) -> str:
    """A few of the values, in backticks."""
    shown = ", ".join(f"`{value}`" for value in values[:MOST_SHOWN])
    rest = len(values) - MOST_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown
