"""The decision: explicit deny over everything, then every layer that must allow, then identity or resource.

AWS: IAM User Guide, "Policy evaluation logic", "Policy evaluation for requests within a single account" and
"Cross-account policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keyhole.iam.layers import LAYER_ORDER, Evaluation, Layer, evaluate_layers, resource_account
from keyhole.iam.model import (
    Decision,
    Effect,
    Outcome,
    PolicyKind,
    PolicySet,
    PrincipalKind,
    Request,
    StatementTrace,
    Truth,
)
from keyhole.iam.principals import ACCOUNT_KINDS, Reach
from keyhole.iam.service_rules import ASSUMING_ACTIONS, find_ban, find_right, needs_key_policy
from keyhole.iam.showing import printable

LAYER_NAMES = {
    PolicyKind.IDENTITY: "identity-based policy",
    PolicyKind.RESOURCE: "resource-based policy",
    PolicyKind.TRUST: "role trust policy",
    PolicyKind.BOUNDARY: "permissions boundary",
    PolicyKind.SESSION: "session policy",
    PolicyKind.SCP: "service control policy",
    PolicyKind.RCP: "resource control policy",
    PolicyKind.ENDPOINT: "VPC endpoint policy",
}
"""Each layer as AWS calls it in its messages."""


@dataclass(frozen=True, slots=True)
class _Grants:
    """What the layers allow, as the rules ask for it; an absent boundary or session policy allows everything."""

    identity: bool
    boundary: bool
    session: bool
    reach: Reach
    gate: PolicyKind
    """The policy on the resource's side: its resource policy, or a role's trust policy."""


def decide(request: Request, policies: PolicySet) -> Decision:
    """Whether the request is allowed, why, which layers blocked it, and every statement that was looked at."""
    evaluation = evaluate_layers(request, policies)
    if right := find_right(request):
        return Decision(Outcome.ALLOWED, right, (), evaluation.trace)
    denying = tuple(layer for layer in evaluation.layers if layer.denies)
    if denying:
        blocked_by = _in_order(layer.kind for layer in denying)
        return Decision(Outcome.EXPLICIT_DENY, _explain_deny(denying), blocked_by, evaluation.trace)
    if ban := find_ban(request):
        layer, reason = ban
        return Decision(Outcome.IMPLICIT_DENY, reason, (layer,), evaluation.trace)
    blocked_by = _in_order(_find_blocking(request, policies, evaluation))
    if blocked_by:
        return Decision(
            Outcome.IMPLICIT_DENY, _explain_lack(request, blocked_by, evaluation), blocked_by, evaluation.trace
        )
    return Decision(Outcome.ALLOWED, _explain_allow(request, evaluation), (), evaluation.trace)


def _in_order(kinds: Iterable[PolicyKind]) -> tuple[PolicyKind, ...]:
    found = set(kinds)
    return tuple(kind for kind in LAYER_ORDER if kind in found)


def _find_blocking(request: Request, policies: PolicySet, evaluation: Evaluation) -> set[PolicyKind]:
    """The layers that lack an allow which the request needs; none of them denies explicitly."""
    blocking = {layer.kind for layer in evaluation.layers if layer.must_allow and not layer.allows}
    grants = _collect_grants(request, policies, evaluation)
    caller = request.principal
    if caller.kind not in ACCOUNT_KINDS:
        # Services, identity providers and anonymous callers have no policies: the resource's side alone decides.
        lacking = set() if grants.reach else {grants.gate}
    elif caller.account != resource_account(request):
        lacking = _lacking_for_identity(grants) | (set() if grants.reach else {grants.gate})
    else:
        lacking = _lacking_within_account(request, policies, grants)
    return blocking | lacking


def _collect_grants(request: Request, policies: PolicySet, evaluation: Evaluation) -> _Grants:
    is_assuming = policies.trust is not None or request.action.lower() in ASSUMING_ACTIONS
    gate = PolicyKind.TRUST if is_assuming else PolicyKind.RESOURCE
    gate_layer = evaluation.find(gate)
    kind = request.principal.kind
    # AWS STS API Reference, "GetFederationToken": without a session policy the session has no permissions.
    session_if_absent = kind is not PrincipalKind.FEDERATED_USER
    return _Grants(
        identity=kind is PrincipalKind.ROOT or _allows(evaluation.find(PolicyKind.IDENTITY), if_absent=False),
        boundary=_allows(evaluation.find(PolicyKind.BOUNDARY), if_absent=True),
        session=_allows(evaluation.find(PolicyKind.SESSION), if_absent=session_if_absent),
        reach=gate_layer.reach if gate_layer else Reach.NONE,
        gate=gate,
    )


def _allows(layer: Layer | None, *, if_absent: bool) -> bool:
    return bool(layer.allows) if layer else if_absent


def _lacking_within_account(request: Request, policies: PolicySet, grants: _Grants) -> set[PolicyKind]:
    """Identity or resource is enough; a grant to the caller itself is limited by nothing but explicit denies.

    AWS: "How AWS enforcement code logic evaluates requests to allow or deny access", Resource-based policies.
    """
    if grants.reach is Reach.DIRECT:
        return set()
    if grants.reach is Reach.ROLE:
        return _lacking_limits(grants)
    if grants.reach is Reach.NONE and _is_exclusive(request, policies, grants):
        return {grants.gate}
    return _lacking_for_identity(grants)


def _is_exclusive(request: Request, policies: PolicySet, grants: _Grants) -> bool:
    """Hold iff the resource's own policy must name the caller or its account: role trust and KMS key policies.

    AWS: "IAM role trust policies and KMS key policies are exceptions to this logic" (same page).
    """
    has_policy = policies.resource is not None
    return grants.gate is PolicyKind.TRUST or needs_key_policy(request, has_policy=has_policy)


def _lacking_for_identity(grants: _Grants) -> set[PolicyKind]:
    return (set() if grants.identity else {PolicyKind.IDENTITY}) | _lacking_limits(grants)


def _lacking_limits(grants: _Grants) -> set[PolicyKind]:
    """Boundary and session policies that are there and do not allow."""
    boundary = set() if grants.boundary else {PolicyKind.BOUNDARY}
    return boundary | (set() if grants.session else {PolicyKind.SESSION})


def _explain_deny(denying: tuple[Layer, ...]) -> str:
    """The first statement that denies; a sure one before one that could not be evaluated."""
    traces = [trace for layer in denying for trace in layer.denies]
    sure = [trace for trace in traces if trace.truth is Truth.TRUE]
    if sure:
        return f"{describe_statement(sure[0])} denies it"
    return f"{describe_statement(traces[0])} could not be evaluated, so it denies: {_name_unknown(traces[0])}"


def _explain_lack(request: Request, blocked_by: tuple[PolicyKind, ...], evaluation: Evaluation) -> str:
    """The layers without an allow, and the statement that might have been one but could not be evaluated."""
    names = " and ".join(f"no {LAYER_NAMES[kind]}" for kind in blocked_by)
    reason = f"{names} allows the `{request.action}` action"
    for trace in evaluation.trace:
        if trace.layer in blocked_by and trace.effect is Effect.ALLOW and trace.truth is Truth.UNKNOWN:
            return f"{reason}; {describe_statement(trace)} could not be evaluated: {_name_unknown(trace)}"
    return reason


def _name_unknown(trace: StatementTrace) -> str:
    return next(element.detail for element in trace.elements if element.truth is Truth.UNKNOWN)


def _explain_allow(request: Request, evaluation: Evaluation) -> str:
    """The statements that grant: those of identity and resource rather than those that merely do not limit."""
    for kind in (PolicyKind.IDENTITY, PolicyKind.RESOURCE, PolicyKind.TRUST):
        layer = evaluation.find(kind)
        if layer and layer.allows:
            return f"{describe_statement(layer.allows[0])} allows it"
    return f"`{request.principal.arn}` is the account root, which has full access to its account"


def describe_statement(trace: StatementTrace) -> str:
    """A statement as people name it: its place, its policy and its Sid."""
    policy = f" `{trace.policy}`" if trace.policy else ""
    sid = f" `{printable(trace.sid)}`" if trace.sid else ""
    return f"statement {trace.number}{sid} of {LAYER_NAMES[trace.layer]}{policy}"
