"""When a set of policies allows a request of one caller: the layers of `decide` as one formula.

`surely` is exactly where `decide` allows. `possibly` is wherever AWS may allow: statements that nobody can evaluate for
certain count as they would widen it.
AWS: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keyhole.iam.layers import is_bound_by_rcps, is_bound_by_scps
from keyhole.iam.model import Effect, Policy, PolicyKind, PolicySet, PrincipalKind
from keyhole.iam.principals import ACCOUNT_KINDS, Reach
from keyhole.iam.service_rules import ASSUMING_ACTIONS, banned_actions, reserved_changes, rightful_actions
from keyhole.iam.symbolic.encode import Bounds, Encoder
from keyhole.iam.symbolic.formula import Formula, conjoin, disjoin, negate

_MUST_ALLOW = frozenset({PolicyKind.SCP, PolicyKind.ENDPOINT})
POLICY_OF_ITS_OWN = ("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy")
"""What a bucket's policy never denies to the root of the account that owns it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: when it denies, and when it allows, by how closely it names the caller."""

    kind: PolicyKind
    deny: Bounds
    allow: dict[Reach, Bounds]

    def allows(self, *, sure: bool, least: Reach = Reach.NONE) -> Formula:
        """Give when it allows, to the caller or to what the caller is part of."""
        return disjoin(_pick(bounds, sure=sure) for reach, bounds in self.allow.items() if reach >= least)


def _pick(bounds: Bounds, *, sure: bool) -> Formula:
    return bounds.sure if sure else bounds.possible


def allowed(encoder: Encoder, policies: PolicySet, *, sure: bool) -> Formula:
    """Give when the encoder's caller is allowed; `sure`: certainly, else possibly."""
    layers = list(_layers(encoder, policies))
    denied = disjoin(_pick(layer.deny, sure=not sure) for layer in layers)
    request = encoder.request
    right = encoder.action_in(rights) if (rights := rightful_actions(request)) else False
    must = [layer.allows(sure=sure) for layer in layers if layer.kind in _MUST_ALLOW]
    granted = _granted(encoder, policies, {layer.kind: layer for layer in layers}, sure=sure)
    return disjoin((right, conjoin((granted, *must, negate(_banned(encoder)), negate(denied)))))


def _banned(encoder: Encoder) -> Formula:
    actions, exceptions = banned_actions(encoder.request.principal.kind)
    by_kind: Formula = (
        conjoin((encoder.action_in(actions), negate(encoder.action_in(exceptions)))) if actions else False
    )
    changes, roles = reserved_changes()
    return disjoin((by_kind, conjoin((encoder.action_in(changes), encoder.resource_in(roles)))))


def _layers(encoder: Encoder, policies: PolicySet) -> Iterable[Layer]:
    request = encoder.request
    if is_bound_by_scps(request):
        yield from (_layer(encoder, policies, PolicyKind.SCP, level) for level in policies.scps)
    if is_bound_by_rcps(request):
        yield from (_layer(encoder, policies, PolicyKind.RCP, level) for level in policies.rcps)
    for kind, group in (
        (PolicyKind.ENDPOINT, policies.endpoint),
        (PolicyKind.IDENTITY, policies.identity),
        (PolicyKind.BOUNDARY, policies.boundary),
        (PolicyKind.SESSION, policies.session),
        (PolicyKind.RESOURCE, policies.resource),
        (PolicyKind.TRUST, policies.trust),
    ):
        if group:
            yield _layer(encoder, policies, kind, group if isinstance(group, tuple) else (group,))


def _layer(encoder: Encoder, policies: PolicySet, kind: PolicyKind, group: tuple[Policy, ...]) -> Layer:
    denies: list[Bounds] = []
    allows: dict[Reach, list[Bounds]] = {}
    has_boundary = policies.boundary is not None
    for policy in group:
        for statement in policy.statements:
            for found in encoder.statement(policy, statement, kind, has_boundary=has_boundary):
                if statement.effect is Effect.DENY:
                    denies.append(found.bounds)
                else:
                    allows.setdefault(found.reach, []).append(found.bounds)
    deny = _either(denies)
    caller = encoder.request.principal
    is_own_root = caller.kind is PrincipalKind.ROOT and caller.account == encoder.request.resource_account
    if kind is PolicyKind.RESOURCE and is_own_root:
        # A root's own bucket's policy cannot keep it from that policy.
        others = negate(encoder.action_in(POLICY_OF_ITS_OWN))
        deny = Bounds(conjoin((deny.sure, others)), conjoin((deny.possible, others)))
    return Layer(kind, deny, {reach: _either(found) for reach, found in allows.items()})


def _either(found: Iterable[Bounds]) -> Bounds:
    listed = list(found)
    return Bounds(disjoin(bounds.sure for bounds in listed), disjoin(bounds.possible for bounds in listed))


def _granted(encoder: Encoder, policies: PolicySet, layers: dict[PolicyKind, Layer], *, sure: bool) -> Formula:
    """Give when identity or resource grants, as far as boundary and session let it."""
    caller = encoder.request.principal
    gate_kind = PolicyKind.TRUST if policies.trust is not None else PolicyKind.RESOURCE
    gate = layers.get(gate_kind)

    def reached(least: Reach) -> Formula:
        return gate.allows(sure=sure, least=least) if gate is not None else False

    if caller.kind not in ACCOUNT_KINDS:
        return conjoin((reached(Reach.ACCOUNT), _no_missing_trust(encoder, policies)))
    identity = caller.kind is PrincipalKind.ROOT or _layer_allows(layers, PolicyKind.IDENTITY, sure=sure, absent=False)
    limits = conjoin(
        (
            _layer_allows(layers, PolicyKind.BOUNDARY, sure=sure, absent=policies.boundary is None),
            _layer_allows(layers, PolicyKind.SESSION, sure=sure, absent=_needs_no_session(policies, caller.kind)),
        )
    )
    by_identity = conjoin((identity, limits))
    if encoder.request.resource_account and caller.account != encoder.request.resource_account:
        return conjoin((by_identity, reached(Reach.ACCOUNT), _no_missing_trust(encoder, policies)))
    has_trust = _no_missing_trust(encoder, policies)
    delegated = conjoin((reached(Reach.ACCOUNT), has_trust))
    open_to_identity = disjoin((delegated, negate(_exclusive(encoder, policies))))
    return disjoin(
        (
            conjoin((reached(Reach.DIRECT), has_trust)),
            conjoin((reached(Reach.ROLE), limits, has_trust)),
            conjoin((open_to_identity, by_identity)),
        )
    )


def _needs_no_session(policies: PolicySet, kind: PrincipalKind) -> bool:
    return not policies.session and kind is not PrincipalKind.FEDERATED_USER


def _layer_allows(layers: dict[PolicyKind, Layer], kind: PolicyKind, *, sure: bool, absent: bool) -> Formula:
    layer = layers.get(kind)
    return layer.allows(sure=sure) if layer is not None else absent


def _no_missing_trust(encoder: Encoder, policies: PolicySet) -> Formula:
    """Assuming a role is for trust policies: a resource policy does not grant it."""
    return True if policies.trust is not None else negate(encoder.action_in(tuple(ASSUMING_ACTIONS)))


def _exclusive(encoder: Encoder, policies: PolicySet) -> Formula:
    """Give where the resource's own policy must name the caller or its account: role trust and KMS keys."""
    if policies.trust is not None:
        return True
    is_kms: Formula = encoder.action_in(("kms:*",))
    if policies.resource is None:
        is_kms = conjoin((is_kms, encoder.resource_in(("*:key/*",))))
    return disjoin((is_kms, encoder.action_in(tuple(ASSUMING_ACTIONS))))
