"""Who of an account can do something: each user, each role and the root, by which statements, under which conditions.

AWS: IAM User Guide, "Policy evaluation logic" and "Policy evaluation for requests within a single account".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from keyhole.errors import PolicyError
from keyhole.iam.access.account import Account, Holder
from keyhole.iam.access.asking import Goals, Voice, find_allowed, voice_of
from keyhole.iam.access.document import Asked, Part, may_overlap, part_of
from keyhole.iam.access.words import describe_condition
from keyhole.iam.decide import LAYER_NAMES, decide
from keyhole.iam.model import (
    Effect,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalKind,
    Request,
    Statement,
    Truth,
)
from keyhole.iam.parse import parse_policy
from keyhole.iam.principals import Reach
from keyhole.iam.service_rules import rightful_actions
from keyhole.iam.statement import judge_principal
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.callers import Caller, caller_keys, callers_of
from keyhole.iam.symbolic.compare import everything
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, disjoin, negate
from keyhole.iam.symbolic.question import Answer, Verdict

_ANYONE = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*"}}'


class Can(StrEnum):
    """Whether somebody can: `unknown` is never taken for either."""

    CAN = "can"
    CANNOT = "cannot"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked of: a pattern of actions on a pattern of resources, whose account and own policy are these.

    `kind` says whether `policy` is a resource's policy or a role's trust policy. `within`: patterns one of which the
    resource must fit as well, where there are any; `outside`: those that it must not fit.
    """

    action: str
    resource: str
    account: str
    policy: Policy | None = None
    kind: PolicyKind = PolicyKind.RESOURCE
    within: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    @property
    def asked(self) -> Asked:
        """Give what documents are looked over for."""
        return Asked(self.action, self.resource)

    def goals(self, encoder: Encoder) -> Iterator[Formula]:
        """Give that a request is one of those that are asked about."""
        if self.action != "*":
            yield encoder.action_in((self.action,))
        if self.resource != "*":
            yield encoder.resource_in((self.resource,))
        if self.within:
            yield encoder.resource_in(self.within)
        if self.outside:
            yield negate(encoder.resource_in(self.outside))

    def with_whole(self, policies: PolicySet) -> PolicySet:
        """Give the caller's policies together with the resource's own."""
        if self.kind is PolicyKind.TRUST:
            return replace(policies, trust=self.policy)
        return replace(policies, resource=self.policy)

    def beside(self, policies: PolicySet, part: Part | None) -> PolicySet:
        """Give the caller's policies together with a part of the resource's own."""
        found = part.policy if part is not None else None
        if self.kind is PolicyKind.TRUST:
            return replace(policies, trust=found)
        return replace(policies, resource=found)


@dataclass(frozen=True, slots=True)
class Way:
    """One statement by which it can, its conditions in words, and a request that shows it."""

    statement: str
    conditions: tuple[str, ...]
    witness: Request


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether one principal can, by which ways, or why it cannot be told."""

    arn: str
    verdict: Can
    ways: tuple[Way, ...] = ()
    reason: str = ""


def find_who(account: Account, target: Target, budget_s: float = 5.0) -> Iterator[Standing]:
    """Give for the root, and for every user and role, whether it can. `budget_s` is for each one of them."""
    yield judge_root(account, target, Budget(budget_s))
    judge = Judge(target, budget_s)
    yield from map(judge.judge, account.holders)


def judge_root(account: Account, target: Target, budget: Budget) -> Standing:
    """Whether the account's own root can: nothing but a resource's policy keeps it from anything."""
    arn = f"arn:{account.partition}:iam::{account.number}:root"
    root = Principal(PrincipalKind.ROOT, arn, account.number)
    voice = Voice(root, {**caller_keys(root), "aws:userid": account.number})
    policies = PolicySet(resource=target.policy)
    if target.kind is PolicyKind.TRUST:
        policies = PolicySet(trust=target.policy)
    answer = find_allowed(voice, policies, target.goals, budget, resource_account=target.account)
    match answer.verdict:
        case Verdict.FAILS if answer.witness is not None:
            return Standing(arn, Can.CAN, (Way("the account's root may do everything in it", (), answer.witness),))
        case Verdict.HOLDS:
            return Standing(arn, Can.CANNOT, reason="what protects the resource keeps the root out as well")
    return Standing(arn, Can.UNKNOWN, reason=answer.reason)


class Judge:
    """Judges users and roles; what one can, those that have the same policies are tried with first."""

    def __init__(self, target: Target, budget_s: float = 5.0) -> None:
        self._target = target
        self._budget_s = budget_s
        self._part = part_of(target.policy, target.asked) if target.policy is not None else None
        self._known: dict[tuple[object, ...], list[tuple[int, int, Request]]] = {}

    def judge(self, holder: Holder) -> Standing:
        """Whether one user or role can."""
        if holder.problems:
            return Standing(holder.arn, Can.UNKNOWN, reason=holder.problems[0])
        voices = [holder.principal, *_named_sessions(holder, self._target.policy)]
        may = [principal for principal in voices if _may_be_granted(holder, principal, self._target, self._part)]
        standing = Standing(holder.arn, Can.CANNOT, reason="no policy allows it")
        if not may:
            return standing
        try:
            parts, own = holder.relevant(self._target.asked)
        except PolicyError as error:
            return Standing(holder.arn, Can.UNKNOWN, reason=str(error))
        policies = self._target.beside(own, self._part)
        for principal in may:
            voice = replace(voice_of(holder, policies, self._target.account), principal=principal)
            found = self._judge(holder, voice, policies, parts)
            if found.verdict is Can.CAN:
                return found
            if standing.verdict is not Can.UNKNOWN:
                standing = found
        return standing

    def _judge(self, holder: Holder, voice: Voice, policies: PolicySet, parts: tuple[Part, ...]) -> Standing:
        target, budget = self._target, Budget(self._budget_s)
        sides = [*parts, *([self._part] if self._part is not None else [])]
        allowing = [
            (side, index)
            for side, part in enumerate(sides)
            for index, statement in enumerate(part.policy.statements)
            if statement.effect is Effect.ALLOW
        ]

        def way(side: int, index: int, witness: Request) -> Way:
            kind = PolicyKind.IDENTITY if side < len(parts) else target.kind
            part = sides[side]
            statement = part.policy.statements[index]
            name = name_statement(part.policy, kind, part.numbers[index], statement)
            return Way(name, tuple(map(describe_condition, statement.conditions)), witness)

        key = (holder.is_role, tuple(part.policy.statements for part in parts), policies.boundary)
        if key in self._known:
            again = [(s, i, voice.instead_of(witness)) for s, i, witness in self._known[key]]
            if all(decide(request, policies).is_allowed for _, _, request in again):
                return Standing(holder.arn, Can.CAN, tuple(way(*each) for each in again))
        found: list[tuple[int, int, Request]] = []
        doubt = ""
        for side, index in allowing:
            kind = PolicyKind.IDENTITY if side < len(parts) else target.kind
            goals = _through(sides[side].policy, kind, index, target, has_boundary=policies.boundary is not None)
            answer = find_allowed(voice, policies, goals, budget, resource_account=target.account, sure_only=True)
            if answer.witness is not None:
                found.append((side, index, answer.witness))
        if found:
            self._known[key] = found
            return Standing(holder.arn, Can.CAN, tuple(way(*each) for each in found))
        answer = find_allowed(voice, policies, target.goals, budget, resource_account=target.account)
        if answer.witness is not None:
            reason = self._explain(holder, answer.witness) or "several statements together allow it"
            return Standing(holder.arn, Can.CAN, (Way(reason, (), answer.witness),))
        if answer.verdict is Verdict.UNKNOWN:
            return Standing(holder.arn, Can.UNKNOWN, reason=answer.reason)
        for side, index in allowing:
            if side < len(parts) and not doubt:
                doubt = self._why_not(holder, voice, sides[side], index, budget)
        return Standing(holder.arn, Can.CANNOT, reason=doubt or "what would allow it does not apply to it")

    def _why_not(self, holder: Holder, voice: Voice, part: Part, index: int, budget: Budget) -> str:
        """Say what keeps the caller from a request that one of its own statements would allow."""
        target = self._target
        goals = _through(part.policy, PolicyKind.IDENTITY, index, target, has_boundary=False)
        alone = PolicySet((part.policy,), trust=anyone() if target.kind is PolicyKind.TRUST else None)
        only = PolicySet((replace(part.policy, statements=(part.policy.statements[index],)),), trust=alone.trust)
        answer = find_allowed(voice, only, goals, budget, resource_account=target.account, sure_only=True)
        if answer.witness is None:
            return ""
        return self._explain(holder, answer.witness)

    def _explain(self, holder: Holder, request: Request) -> str:
        """Give the decision's reason by the whole policies, "" if one of them does not parse."""
        try:
            whole = holder.policies()
        except PolicyError:
            return ""
        return decide(request, self._target.with_whole(whole)).reason


def anyone() -> Policy:
    """Give a trust policy that lets everyone in."""
    return parse_policy(_ANYONE, PolicyKind.TRUST)


def _named_sessions(holder: Holder, policy: Policy | None) -> Iterator[Principal]:
    """Give the sessions of the role that the resource's policy names one by one."""
    if not holder.is_role or policy is None:
        return
    start = holder.principal.arn.rpartition("/")[0] + "/"
    named = {
        pattern.value
        for statement in policy.statements
        for pattern in (statement.principals.patterns if statement.principals else ())
        if pattern.value.startswith(start)
    }
    for arn in sorted(named):
        yield replace(holder.principal, arn=arn)


def _may_be_granted(holder: Holder, principal: Principal, target: Target, part: Part | None) -> bool:
    """Hold unless certainly nothing grants it: neither its own policies nor, in its own name, the resource's."""
    request = Request(principal, "", target.resource, resource_account=target.account)
    if any(may_overlap(target.action.lower(), right.lower()) for right in rightful_actions(request)):
        return True
    by_identity = any(document.may_grant(target.asked) for document in holder.documents)
    if target.kind is not PolicyKind.TRUST and by_identity:
        return True
    for statement in part.policy.statements if part is not None else ():
        if statement.effect is Effect.DENY:
            continue
        trace, reach = judge_principal(request, statement, target.kind, holder.boundary is not None)
        if trace.truth is Truth.UNKNOWN or (trace.truth is Truth.TRUE and (by_identity or reach >= Reach.ROLE)):
            return True
    return False


def _through(policy: Policy, kind: PolicyKind, index: int, target: Target, *, has_boundary: bool) -> Goals:
    """Give that a request is asked about, and that this very statement allows it."""
    statement = policy.statements[index]

    def goals(encoder: Encoder) -> Iterator[Formula]:
        yield from target.goals(encoder)
        applying = encoder.statement(policy, statement, kind, has_boundary=has_boundary)
        yield disjoin(found.bounds.sure for found in applying)

    return goals


def name_statement(policy: Policy, kind: PolicyKind, number: int, statement: Statement) -> str:
    """Give a statement as people name it."""
    sid = f" `{statement.sid}`" if statement.sid else ""
    name = f" `{policy.name}`" if policy.name else ""
    return f"statement {number}{sid} of {LAYER_NAMES[kind]}{name}"


def find_outsiders(account: str, target: Target, budget_s: float = 5.0) -> Iterator[Standing]:
    """Give who of no user, role or root of the account can: other accounts, services, providers, everyone.

    Of other accounts it is taken that they let their own.
    """
    if target.policy is None:
        return
    for caller in callers_of((target.policy,), target.kind, account=target.account):
        principal = caller.request.principal
        if principal.account == account:
            continue
        answer = ask_outsider(caller, target, budget_s)
        arn = _describe_caller(caller)
        if answer.witness is not None:
            yield Standing(arn, Can.CAN, _ways(answer.witness, target))
        elif answer.verdict is Verdict.UNKNOWN:
            yield Standing(arn, Can.UNKNOWN, reason=answer.reason)


def _describe_caller(caller: Caller) -> str:
    """Give whom a caller stands for: itself, or all of its sort."""
    principal = caller.request.principal
    free = caller.free.get("aws:principalarn", ())
    if free:
        return free[0].replace("?" * 12, "*").replace("?*", "*")
    if principal.kind is PrincipalKind.SERVICE and caller.free:
        return "any AWS service"
    return principal.role_arn or principal.arn or "anyone on the web"


def ask_outsider(caller: Caller, target: Target, budget_s: float) -> Answer:
    """Look for a request of somebody outside the account that the resource's policy allows."""
    identity = (everything(),) if caller.request.principal.account else ()
    policies = PolicySet(identity, resource=target.policy)
    if target.kind is PolicyKind.TRUST:
        policies = PolicySet(identity, trust=target.policy)
    voice = Voice(caller.request.principal, caller.given, stranger=caller)

    def goals(encoder: Encoder) -> Iterator[Formula]:
        yield from target.goals(encoder)
        if rights := rightful_actions(caller.request):
            yield negate(encoder.action_in(rights))

    return find_allowed(voice, policies, goals, Budget(budget_s), resource_account=target.account)


def _ways(witness: Request, target: Target) -> tuple[Way, ...]:
    policy = target.policy
    if policy is None:
        return ()
    policies = PolicySet((everything(),) if witness.principal.account else (), resource=policy)
    if target.kind is PolicyKind.TRUST:
        policies = PolicySet(policies.identity, trust=policy)
    allowing = [
        trace.number
        for trace in decide(witness, policies).trace
        if trace.layer is target.kind and trace.effect is Effect.ALLOW and trace.truth is Truth.TRUE
    ]
    return tuple(
        Way(
            name_statement(policy, target.kind, number, policy.statements[number]),
            tuple(map(describe_condition, policy.statements[number].conditions)),
            witness,
        )
        for number in allowing
    )
