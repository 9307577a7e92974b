"""The layers of a request: which policies have a say, what each layer denies, and what it allows.

AWS: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access"; AWS Organizations
User Guide, "Service control policies (SCPs)" and "Resource control policies (RCPs)".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from keyhole.iam.model import Effect, Policy, PolicyKind, PolicySet, PrincipalKind, Request, StatementTrace, Truth
from keyhole.iam.principals import ACCOUNT_KINDS, Reach, is_account_id
from keyhole.iam.statement import Verdict, evaluate_statement

LAYER_ORDER = (
    PolicyKind.SCP,
    PolicyKind.RCP,
    PolicyKind.ENDPOINT,
    PolicyKind.IDENTITY,
    PolicyKind.BOUNDARY,
    PolicyKind.SESSION,
    PolicyKind.RESOURCE,
    PolicyKind.TRUST,
)
"""The order in which layers are evaluated and named; AWS names the first that it meets."""

_POLICY_OF_ITS_OWN = frozenset({"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"})


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's answer. `reach`: the closest grant that it makes, for layers that name principals.

    `must_allow`: without an allow in it the request is denied; that of resource and identity depends on each other.
    """

    kind: PolicyKind
    denies: tuple[StatementTrace, ...]
    allows: tuple[StatementTrace, ...]
    reach: Reach
    must_allow: bool


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every layer that is there, in order, and every statement that was looked at."""

    layers: tuple[Layer, ...]
    trace: tuple[StatementTrace, ...]

    def find(self, kind: PolicyKind) -> Layer | None:
        """The answer of the first layer of a kind, or None where the request has no such layer."""
        return next((layer for layer in self.layers if layer.kind is kind), None)


def resource_account(request: Request) -> str:
    """The account that owns the resource: as said, else as its ARN says, else the caller's own."""
    if request.resource_account:
        return request.resource_account
    fields = request.resource.split(":", 5)
    named = fields[4] if len(fields) == 6 and fields[0] == "arn" else ""
    return named if is_account_id(named) else request.principal.account


def evaluate_layers(request: Request, policies: PolicySet) -> Evaluation:
    """Every statement of every policy that binds the request, whether or not it decides."""
    layers: list[Layer] = []
    trace: list[StatementTrace] = []
    for kind, group in _binding_policies(request, policies):
        verdicts = tuple(_judge(request, policies, kind, group))
        trace.extend(verdict.trace for verdict in verdicts)
        layers.append(_summarize(request, kind, verdicts))
    return Evaluation(tuple(layers), tuple(trace))


def _binding_policies(request: Request, policies: PolicySet) -> Iterator[tuple[PolicyKind, tuple[Policy, ...]]]:
    """The layers that are there, as groups of policies of which one allow is enough; each SCP or RCP level is one."""
    if is_bound_by_scps(request):
        yield from ((PolicyKind.SCP, level) for level in policies.scps)
    if is_bound_by_rcps(request):
        yield from ((PolicyKind.RCP, level) for level in policies.rcps)
    single = {
        PolicyKind.ENDPOINT: policies.endpoint,
        PolicyKind.BOUNDARY: policies.boundary,
        PolicyKind.RESOURCE: policies.resource,
        PolicyKind.TRUST: policies.trust,
    }
    several = {PolicyKind.IDENTITY: policies.identity, PolicyKind.SESSION: policies.session}
    for kind in LAYER_ORDER[2:]:
        if kind in several:
            group = several[kind]
            if group:
                yield kind, group
        elif (policy := single[kind]) is not None:
            yield kind, (policy,)


def is_bound_by_scps(request: Request) -> bool:
    """SCPs bind the members' principals: not the management account's, nor service-linked roles, nor outsiders."""
    caller = request.principal
    is_management = request.context.get("aws:PrincipalOrgMasterAccountId") == caller.account
    return caller.kind in ACCOUNT_KINDS and not is_management and not _is_service_linked(request)


def is_bound_by_rcps(request: Request) -> bool:
    """RCPs bind the resource for everyone, anonymous callers included; service-linked roles alone are exempt."""
    return not _is_service_linked(request)


def _is_service_linked(request: Request) -> bool:
    return ":role/aws-service-role/" in request.principal.role_arn


def _judge(request: Request, policies: PolicySet, kind: PolicyKind, group: tuple[Policy, ...]) -> Iterator[Verdict]:
    has_boundary = policies.boundary is not None
    for policy in group:
        for index in range(len(policy.statements)):
            yield evaluate_statement(request, policy, index, kind, has_boundary=has_boundary)


def _summarize(request: Request, kind: PolicyKind, verdicts: Iterable[Verdict]) -> Layer:
    """What the statements of a layer come to: an Allow has to be TRUE, a Deny need only not be FALSE."""
    denies: list[StatementTrace] = []
    allows: list[StatementTrace] = []
    reach = Reach.NONE
    for verdict in verdicts:
        trace = verdict.trace
        if trace.effect is Effect.DENY and trace.truth is not Truth.FALSE:
            denies.append(trace)
        elif trace.effect is Effect.ALLOW and trace.truth is Truth.TRUE:
            allows.append(trace)
            reach = max(reach, verdict.reach)
    if kind is PolicyKind.RESOURCE and _is_own_bucket_policy(request):
        denies = []
    return Layer(kind, tuple(denies), tuple(allows), reach, kind in {PolicyKind.SCP, PolicyKind.ENDPOINT})


def _is_own_bucket_policy(request: Request) -> bool:
    """Hold iff an account root asks for its own bucket's policy, which that policy cannot deny.

    AWS: Amazon S3 API Reference, "PutBucketPolicy": only endpoint and organization policies can block it.
    """
    caller = request.principal
    is_own_root = caller.kind is PrincipalKind.ROOT and caller.account == resource_account(request)
    return is_own_root and request.action.lower() in _POLICY_OF_ITS_OWN
