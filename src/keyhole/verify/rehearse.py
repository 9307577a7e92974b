"""Claims against the policies of the plan, by the same engine that the local AWS enforces with. No I/O.

For each claim one request that stands for its pattern is decided. This shows that the planned policies agree with the
file before anything is changed; it does not quantify over every request that the pattern covers.
"""

from __future__ import annotations

from dataclasses import dataclass

from keyhole.blueprint import ANONYMOUS, GITHUB_JOB, LAUNCHER, Blueprint, Claim, Expected
from keyhole.blueprint.policies import account_trust
from keyhole.iam import (
    Context,
    Decision,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalKind,
    Request,
    decide,
    denial_message,
    parse_policy,
)
from keyhole.iam.text import write_document
from keyhole.naming import Scope
from keyhole.resources.bucket import Bucket
from keyhole.resources.inline_policy import InlinePolicy
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.oidc_provider import OidcProvider
from keyhole.resources.role import Role
from keyhole.resources.user import User
from keyhole.verify.managed import Documents

SAMPLE = "keyhole-sample.png"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A claim and what the planned policies decide; `reason` in AWS's words where they deny."""

    claim: Claim
    holds: bool
    decision: Decision
    reason: str


def rehearse(blueprint: Blueprint, managed: Documents | None = None) -> tuple[Rehearsal, ...]:
    """Decide every claim of the blueprint against its own policies, and those that AWS keeps: `managed`, by their ARNs.

    Raises: PolicyError if a generated policy is one that AWS would refuse.
    """
    policies = PlannedPolicies(blueprint, managed or {})
    return tuple(_decide(claim, policies, blueprint.scope) for claim in blueprint.claims)


def claim_request(claim: Claim, policies: PlannedPolicies, scope: Scope) -> Request:
    """Give a request that stands for the claim's pattern."""
    resource = claim.resource[:-1] + SAMPLE if claim.target.is_object else claim.resource
    context = {"aws:SecureTransport": "true", **claim.context}
    return Request(policies.principal(claim.who), claim.action, resource, Context(context), scope.account)


def _decide(claim: Claim, policies: PlannedPolicies, scope: Scope) -> Rehearsal:
    request = claim_request(claim, policies, scope)
    decision = decide(request, policies.of(claim))
    holds = decision.is_allowed == (claim.expected is Expected.CAN)
    reason = decision.reason if decision.is_allowed else denial_message(request, decision)
    return Rehearsal(claim, holds, decision, reason)


class PlannedPolicies:
    """The blueprint's policies, parsed: by workload, by bucket name, and the trust policies by the ARN of the role."""

    def __init__(self, blueprint: Blueprint, managed: Documents) -> None:
        documents = {
            resource.arn: parse_policy(write_document(resource.document), PolicyKind.IDENTITY, name=resource.arn)
            for resource in blueprint.resources
            if isinstance(resource, ManagedPolicy)
        }
        for arn, document in managed.items():
            documents[arn] = parse_policy(write_document(document), PolicyKind.IDENTITY, name=arn)
        self.identity: dict[str, tuple[Policy, ...]] = {}
        self._principals: dict[str, Principal] = {ANONYMOUS: Principal(PrincipalKind.ANONYMOUS)}
        self.buckets: dict[str, Policy] = {}
        self.trusts: dict[str, Policy] = {}
        self.boundaries: dict[str, Policy] = {}
        scope = blueprint.scope
        # A key's own policy is not in the file: it is taken to be the one that AWS gives, by which IAM policies decide.
        # AWS: AWS KMS Developer Guide, "Default key policy".
        document = {**account_trust(scope.partition, scope.account, ()), "Id": "key-default-1"}
        document["Statement"] = [{**document["Statement"][0], "Action": "kms:*", "Resource": "*"}]
        self.key_policy = parse_policy(write_document(document), PolicyKind.RESOURCE, name="default key policy")
        trust = account_trust(scope.partition, scope.account, ())
        self.open_trust = parse_policy(write_document(trust), PolicyKind.TRUST, name="a role that leaves it to IAM")
        iam = f"arn:{scope.partition}:iam::{scope.account}"
        for resource in blueprint.resources:
            key = resource.address.partition(".")[2]
            if isinstance(resource, Role | User) and resource.boundary_arn:
                self.boundaries[key] = documents[resource.boundary_arn]
            match resource:
                case Role():
                    arn = f"{iam}:role{resource.path}{resource.name}"
                    self._attach(key, documents, resource.policy_arns)
                    self.trusts[arn] = parse_policy(write_document(resource.trust), PolicyKind.TRUST, name=arn)
                    self._principals[key] = Principal(
                        PrincipalKind.ROLE_SESSION,
                        arn=f"arn:{scope.partition}:sts::{scope.account}:assumed-role/{resource.name}/keyhole",
                        account=scope.account,
                        role_arn=arn,
                    )
                case User():
                    self._attach(key, documents, resource.policy_arns)
                    arn = f"{iam}:user{resource.path}{resource.name}"
                    self._principals[key] = Principal(PrincipalKind.USER, arn=arn, account=scope.account)
                case InlinePolicy():
                    text = write_document(resource.document)
                    parsed = parse_policy(text, PolicyKind.IDENTITY, name=resource.name)
                    self.identity[key] = (*self.identity.get(key, ()), parsed)
                case ManagedPolicy() if key.endswith(LAUNCHER):
                    self.identity[key] = (documents[resource.arn],)
                    user = Principal(PrincipalKind.USER, arn=f"{iam}:user/launcher", account=scope.account)
                    self._principals[key] = user
                case OidcProvider():
                    self._principals[GITHUB_JOB] = Principal(PrincipalKind.WEB_IDENTITY, arn=resource.arn)
                case Bucket() if resource.settings.policy is not None:
                    text = write_document(resource.settings.policy)
                    self.buckets[resource.name] = parse_policy(text, PolicyKind.RESOURCE, name=resource.name)
                case _:
                    pass

    def of(self, claim: Claim) -> PolicySet:
        """Give every policy that has a say on the claim."""
        resource, trust = self.buckets.get(claim.target.bucket), self.trusts.get(claim.resource)
        if claim.action.startswith("kms:"):
            resource = self.key_policy
        is_assumption = claim.action.startswith("sts:Assume")
        identity = self.identity.get(claim.who, ())
        return PolicySet(identity, resource, trust if is_assumption else None, self.boundaries.get(claim.who))

    def _attach(self, key: str, documents: dict[str, Policy], arns: tuple[str, ...]) -> None:
        self.identity[key] = (*self.identity.get(key, ()), *(documents[arn] for arn in arns))

    def principal(self, who: str) -> Principal:
        if who.endswith(".amazonaws.com"):
            return Principal(PrincipalKind.SERVICE, arn=who)
        return self._principals[who]
