"""Proofs: every claim for all requests that it is about, and that nothing was granted which the file does not ask for.

Where `keyhole.verify.rehearse` decides one request for a claim, this decides all of them at once. It does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from keyhole.blueprint import LAUNCHER, Blueprint, Claim, Expected
from keyhole.blueprint.asked import (
    asked_of_bucket,
    asked_of_callers,
    asked_of_launcher,
    asked_of_role,
    asked_of_workload,
)
from keyhole.blueprint.claims import CALLERS
from keyhole.blueprint.workloads import managed_policy_arn
from keyhole.iam import (
    Condition,
    ContextValue,
    Effect,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalKind,
    Request,
    decide,
    parse_policy,
)
from keyhole.iam.decide import describe_statement
from keyhole.iam.symbolic.allowed import POLICY_OF_ITS_OWN, allowed
from keyhole.iam.symbolic.budget import DEFAULT_S, Budget
from keyhole.iam.symbolic.callers import OWNER_KEYS, Caller, ask_with_variables, caller_keys, callers_of
from keyhole.iam.symbolic.compare import everything
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, negate
from keyhole.iam.symbolic.question import HOLDS, Answer, Verdict, refute
from keyhole.iam.text import write_document
from keyhole.resources.bucket import Bucket
from keyhole.resources.role import Role
from keyhole.spec import Spec
from keyhole.spec.model import RoleBased
from keyhole.verify.escalations import find_planned_escalation
from keyhole.verify.managed import Documents
from keyhole.verify.rehearse import PlannedPolicies

_TLS = "aws:securetransport"
_PREFIX = "s3:prefix"


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was to be shown, and the answer. `by`: the statement that the witness owes its allowing to."""

    id: str
    sentence: str
    why: str
    place: str
    answer: Answer
    by: str = ""
    claim: Claim | None = None


def prove(
    spec: Spec,
    blueprint: Blueprint,
    managed: Documents | None = None,
    *,
    budget_s: float = DEFAULT_S,
    policies: PlannedPolicies | None = None,
) -> tuple[Proof, ...]:
    """Prove every claim, and that nothing more is granted, on the planned policies, or those that are given.

    Each proof has its own budget.
    """
    prover = _Prover(spec, blueprint, managed or {}, budget_s, policies)
    return (*map(prover.claim, blueprint.claims), *prover.nothing_more())


class _Prover:
    def __init__(
        self,
        spec: Spec,
        blueprint: Blueprint,
        managed: Documents,
        budget_s: float,
        policies: PlannedPolicies | None,
    ) -> None:
        self._spec = spec
        self._blueprint = blueprint
        self._policies = policies or PlannedPolicies(blueprint, managed)
        self._managed = {
            arn: parse_policy(write_document(document), PolicyKind.IDENTITY, name=arn)
            for arn, document in managed.items()
        }
        self._budget_s = budget_s

    def claim(self, claim: Claim) -> Proof:
        """Prove one claim for every request that it is about."""
        policies = self._policies.of(claim)
        caller = self._caller(claim.who, self._given(claim))
        can = claim.expected is Expected.CAN

        def goals(encoder: Encoder) -> Iterator[Formula]:
            yield encoder.action_in((claim.action,))
            yield encoder.resource_in((claim.resource,))
            if can and claim.action == "s3:ListBucket" and claim.target.prefix:
                under = Condition("StringLike", "s3:prefix", (f"{claim.target.prefix}*",))
                yield encoder.condition(under, "2012-10-17").sure
            granted = allowed(encoder, policies, sure=can)
            yield negate(granted) if can else granted

        answer = self._ask(caller, goals, lambda request: decide(request, policies).is_allowed is not can)
        by = _owed_to(answer, policies)
        return Proof(claim.id, claim.sentence, claim.why, claim.place, answer, by, claim)

    def nothing_more(self) -> Iterator[Proof]:
        """Prove that nothing is granted which the file does not ask for: by workload, bucket and role."""
        app, scope = self._blueprint.app, self._blueprint.scope
        for key in app.workloads:
            yield self._identity(key, asked_of_workload(self._spec, key, scope), f"workload {key}")
            if key + LAUNCHER in self._policies.identity:
                yield self._identity(key + LAUNCHER, asked_of_launcher(app, key, scope), f"who launches {key}")
            if app.workloads[key].policy_file is not None:
                yield self._no_escalation(key)
        for name in app.uploads:
            if name + CALLERS in self._policies.identity:
                asked = asked_of_callers(app, name, scope)
                yield self._identity(name + CALLERS, asked, f"the role for callers of upload {name}")
        for resource in self._blueprint.resources:
            if isinstance(resource, Bucket) and resource.name in self._policies.buckets:
                yield self._bucket(resource)
            if isinstance(resource, Bucket) and app.buckets[resource.address.partition(".")[2]].tls_only:
                yield self._tls_only(resource)
            if isinstance(resource, Role):
                yield self._role(resource)

    def _identity(self, who: str, asked: Policy, name: str) -> Proof:
        # KMS keys and roles are reached by nobody whom their own policies do not let in. Here they leave it to IAM, as
        # a key's does that AWS gives, so that nothing but the identity's own policies stands between.
        identity, boundary = self._policies.identity.get(who, ()), self._policies.boundaries.get(who)
        wanted, keys, trust = self._wanted(who, asked), self._policies.key_policy, self._policies.open_trust
        answer, ours, budget = HOLDS, PolicySet(), Budget(self._budget_s)
        for ours, theirs in (
            (PolicySet(identity, keys, boundary=boundary), PolicySet(wanted, keys)),
            (PolicySet(identity, trust=trust, boundary=boundary), PolicySet(wanted, trust=trust)),
        ):
            answer = self._is_within(self._caller(who, {}), ours, theirs, budget)
            if answer.verdict is not Verdict.HOLDS:
                break
        sentence = f"{name} can do nothing that the file does not ask for"
        place = self._place(who)
        why = "its grants are all it may do"
        return Proof(f"workload.{who}.nothing-more", sentence, why, place, answer, _owed_to(answer, ours))

    def _wanted(self, who: str, asked: Policy) -> tuple[Policy, ...]:
        """Give what the file asks for somebody: its grants, and the policies of AWS that it gives to just this one."""
        workload = self._blueprint.app.workloads.get(who)
        names = workload.managed_policies if isinstance(workload, RoleBased) else []
        arns = (managed_policy_arn(self._blueprint.scope, name) for name in names)
        return (asked, *(self._managed[arn] for arn in arns if arn in self._managed))

    def _no_escalation(self, key: str) -> Proof:
        answer, path = find_planned_escalation(self._blueprint, self._policies, key, self._budget_s)
        sentence = f"workload {key} cannot give itself more than the file gives its workloads"
        place = self._spec.places.where(("workloads", key, "policy_file"))
        why = "no path of steps leads from its policies to more"
        return Proof(f"workload.{key}.no-escalation-path", sentence, why, place, answer, path)

    def _bucket(self, bucket: Bucket) -> Proof:
        key = bucket.address.partition(".")[2]
        scope = self._blueprint.scope
        planned, asked = self._policies.buckets[bucket.name], asked_of_bucket(self._blueprint.app, key, scope)
        answer, ours = self._nobody_more(planned, asked, PolicyKind.RESOURCE)
        sentence = f"the policy of bucket {key} lets in nobody whom the file does not"
        place = self._spec.places.where(("buckets", key))
        return Proof(
            f"bucket.{key}.nobody-more", sentence, "the file names who may", place, answer, _owed_to(answer, ours)
        )

    def _tls_only(self, bucket: Bucket) -> Proof:
        """Even whoever may do everything else is refused."""
        key = bucket.address.partition(".")[2]
        scope = self._blueprint.scope
        policy = self._policies.buckets.get(bucket.name)
        policies, budget = PolicySet((everything(),), policy), Budget(self._budget_s)
        arn = f"arn:{scope.partition}:s3:::{bucket.name}"

        def goals(encoder: Encoder) -> Iterator[Formula]:
            yield encoder.action_in(("s3:*",))
            yield encoder.resource_in((arn, f"{arn}/*"))
            if encoder.request.principal.kind is PrincipalKind.ROOT:
                # The owner's root always gets at the policy itself: nothing in it could keep it from that.
                yield negate(encoder.action_in(POLICY_OF_ITS_OWN))
            yield allowed(encoder, policies, sure=False)

        answer = HOLDS
        listed = (policy,) if policy is not None else ()
        for caller in callers_of(listed, PolicyKind.RESOURCE, account=scope.account):
            plain = replace(caller, given={**caller.given, _TLS: "false"})
            found = self._ask(plain, goals, lambda request: decide(request, policies).is_allowed, budget)
            answer = answer if found.verdict is Verdict.HOLDS else found
            if found.verdict is Verdict.FAILS:
                break
        place = self._spec.places.where(("buckets", key))
        sentence = f"nobody reaches bucket {key} without TLS"
        why = "the bucket takes requests over TLS alone"
        return Proof(f"bucket.{key}.tls-only", sentence, why, place, answer, _owed_to(answer, policies))

    def _role(self, role: Role) -> Proof:
        key = role.address.partition(".")[2]
        arn = f"arn:{self._blueprint.scope.partition}:iam::{self._blueprint.scope.account}:role{role.path}{role.name}"
        planned = self._policies.trusts[arn]
        asked = asked_of_role(self._blueprint.app, key, self._blueprint.scope)
        answer, ours = self._nobody_more(planned, asked, PolicyKind.TRUST)
        sentence = f"nobody gets role {role.name} whom the file does not give it to"
        place = self._place(key, "kind")
        return Proof(
            f"role.{key}.nobody-more", sentence, "the file says who runs", place, answer, _owed_to(answer, ours)
        )

    def _place(self, who: str, *more: str) -> str:
        """Give where the file speaks of a workload, of who launches it, or of an upload's callers."""
        if who.endswith(CALLERS):
            return self._spec.places.where(("uploads", who.removesuffix(CALLERS), "caller_role"))
        return self._spec.places.where(("workloads", who.removesuffix(LAUNCHER), *more))

    def _nobody_more(self, planned: Policy, asked: Policy, kind: PolicyKind) -> tuple[Answer, PolicySet]:
        unknown, ours, budget = HOLDS, PolicySet(), Budget(self._budget_s)
        account = self._blueprint.scope.account
        for caller in callers_of((planned, asked), kind, account=account):
            for identity in self._own_policies(caller.request.principal, kind):
                # What a federated user may do is what its session's policy lets through.
                is_federated = caller.request.principal.kind is PrincipalKind.FEDERATED_USER
                around = PolicySet(identity, session=identity if is_federated else ())
                sets = [
                    replace(around, trust=each) if kind is PolicyKind.TRUST else replace(around, resource=each)
                    for each in (planned, asked)
                ]
                answer = self._is_within(caller, sets[0], sets[1], budget)
                if answer.verdict is Verdict.FAILS:
                    return answer, sets[0]
                if answer.verdict is Verdict.UNKNOWN:
                    unknown, ours = answer, sets[0]
        return unknown, ours

    def _own_policies(self, principal: Principal, kind: PolicyKind) -> tuple[tuple[Policy, ...], ...]:
        """Give what policies of its own somebody may have who asks: others are let by their accounts.

        In its own account a bucket's policy only adds to them; a trust policy may leave it to them who gets the role.
        """
        if principal.account != self._blueprint.scope.account:
            return ((everything(),),)
        return ((), (everything(),)) if kind is PolicyKind.TRUST else ((),)

    def _is_within(self, caller: Caller, ours: PolicySet, theirs: PolicySet, budget: Budget) -> Answer:
        def goals(encoder: Encoder) -> Iterator[Formula]:
            yield allowed(encoder, ours, sure=False)
            yield negate(allowed(encoder, theirs, sure=True))

        def confirm(request: Request) -> bool:
            return decide(request, ours).is_allowed and not decide(request, theirs).is_allowed

        return self._ask(caller, goals, confirm, budget)

    def _ask(
        self,
        caller: Caller,
        goals: Callable[[Encoder], Iterator[Formula]],
        confirm: Callable[[Request], bool],
        budget: Budget | None = None,
    ) -> Answer:
        budget = budget or Budget(self._budget_s)
        if budget.is_over:
            return Answer(Verdict.UNKNOWN, reason=f"it takes longer than {budget.seconds:g} s")

        def is_shown(request: Request) -> bool:
            asked = caller.complete(request)
            return caller.is_coherent(asked) and confirm(asked)

        def ask(encoder: Encoder) -> Answer:
            wanted = [*goals(encoder), *caller.domain(encoder)]
            return refute(encoder, wanted, is_shown, budget)

        return caller.finish(ask_with_variables(caller.given, partial(Encoder, caller.request), ask))

    def _owner(self) -> dict[str, ContextValue | None]:
        """Give what AWS says of whose the resource is."""
        return dict.fromkeys(OWNER_KEYS, self._blueprint.scope.account)

    def _caller(self, who: str, given: Mapping[str, ContextValue | None]) -> Caller:
        principal = self._policies.principal(who)
        request = Request(principal, "", "", resource_account=self._blueprint.scope.account)
        return Caller(request, {**caller_keys(principal), **given})

    def _given(self, claim: Claim) -> dict[str, ContextValue | None]:
        given = self._owner() | {key.lower(): value for key, value in claim.context.items()}
        if claim.expected is Expected.CAN:
            # Workloads speak TLS, as AWS's own programs do by default.
            given.setdefault(_TLS, "true")
        if claim.action == "s3:ListBucket":
            if claim.expected is Expected.CAN and claim.target.prefix:
                given.pop(_PREFIX, None)
            else:
                given.setdefault(_PREFIX, None)
        return given


def _owed_to(answer: Answer, policies: PolicySet) -> str:
    """Give the statement by which the witness is allowed, "" where it is denied or there is none."""
    if answer.witness is None:
        return ""
    decision = decide(answer.witness, policies)
    if not decision.is_allowed:
        return ""
    allowing = [t for t in decision.trace if t.effect is Effect.ALLOW and t.truth.value == "true"]
    # What was taken for granted of the caller's own policies stands in no account.
    real = next((t for t in allowing if t.policy != everything().name), None)
    return describe_statement(real) if real is not None else "no statement that denies it" if allowing else ""


def is_proved(proofs: tuple[Proof, ...]) -> bool:
    """Hold iff everything that was to be shown was shown."""
    return all(proof.answer.verdict is Verdict.HOLDS for proof in proofs)


def refuted(proofs: tuple[Proof, ...]) -> tuple[Proof, ...]:
    """Give what a request shows to be otherwise."""
    return tuple(proof for proof in proofs if proof.answer.verdict is Verdict.FAILS)
