"""Who of an account can do something: each user, each role and the root, by which statements, under which conditions.

AWS: IAM User Guide, "Policy evaluation logic" and "Policy evaluation for requests within a single account".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from keyhole.errors import PolicyError
from keyhole.iam.access.account import Account, Holder
from keyhole.iam.access.asking import Goals, Voice, find_allowed, find_witness, owner_keys, sessions_of, voice_of
from keyhole.iam.access.document import Part, may_overlap, part_of
from keyhole.iam.access.outsiders import find_federated
from keyhole.iam.access.standing import Can, Standing, Target, Way, name_statement, too_late
from keyhole.iam.access.words import describe_condition
from keyhole.iam.decide import decide
from keyhole.iam.model import (
    Decision,
    Effect,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalKind,
    Request,
    Truth,
)
from keyhole.iam.parse import parse_policy
from keyhole.iam.principals import Reach
from keyhole.iam.service_rules import rightful_actions
from keyhole.iam.statement import judge_principal
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.callers import caller_keys
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, disjoin
from keyhole.iam.symbolic.question import Verdict

_ANYONE = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*"}}'


def find_who(account: Account, target: Target, budget: Budget | None = None) -> Iterator[Standing]:
    """Give for the root, and for every user and role, whether it can, and which federated users can by themselves.

    The budget is for all of them together.
    """
    budget = budget or Budget()
    yield judge_root(account, target, budget.part())
    judge = Judge(target, budget)
    yield from map(judge.judge, account.holders)
    yield from find_federated(account.number, target, budget)


def find_who_of_all(account: Account, targets: Iterable[Target], budget: Budget) -> Iterator[Standing]:
    """Give the same for several resources, within one budget: once that is over, everyone is unknown for the rest."""
    for target in targets:
        is_last = budget.is_over
        yield from find_who(account, target, budget)
        if is_last:
            return


def judge_root(account: Account, target: Target, budget: Budget) -> Standing:
    """Whether the account's own root can: nothing but a resource's policy keeps it from anything."""
    arn = f"arn:{account.partition}:iam::{account.number}:root"
    root = Principal(PrincipalKind.ROOT, arn, account.number)
    voice = Voice(root, {**caller_keys(root), **owner_keys(target.account), "aws:userid": account.number})
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

    def __init__(self, target: Target, budget: Budget) -> None:
        self._target = target
        self._budget = budget
        self._part = part_of(target.policy, target.asked) if target.policy is not None else None
        self._known: dict[tuple[object, ...], dict[tuple[int, int], Request]] = {}

    def judge(self, holder: Holder) -> Standing:
        """Whether one user or role can."""
        target = self._target
        if holder.problems:
            return Standing(holder.arn, Can.UNKNOWN, reason=holder.problems[0])
        if self._budget.is_over:
            return Standing(holder.arn, Can.UNKNOWN, reason=too_late(self._budget))
        standing = Standing(holder.arn, Can.CANNOT, reason="no policy allows it")
        sessions = sessions_of(holder, target.policy)
        may = [each for each in sessions if _may_be_granted(holder, each[0], target, self._part)]
        if not may:
            return standing
        try:
            parts, own = holder.relevant(target.asked)
        except PolicyError as error:
            return Standing(holder.arn, Can.UNKNOWN, reason=str(error))
        policies = target.beside(own, self._part)
        for principal, session in may:
            voice = replace(voice_of(holder, policies, target.account), principal=principal, session=session)
            found = self._judge(holder, voice, policies, parts)
            if found.verdict is Can.CAN:
                return found
            if standing.verdict is not Can.UNKNOWN:
                standing = found
        return standing

    def _judge(self, holder: Holder, voice: Voice, policies: PolicySet, parts: tuple[Part, ...]) -> Standing:
        target, budget = self._target, self._budget.part()
        sides = [*parts, *([self._part] if self._part is not None else [])]
        allowing = [
            (side, index)
            for side, part in enumerate(sides)
            for index, statement in enumerate(part.policy.statements)
            if statement.effect is Effect.ALLOW
        ]

        key = (holder.is_role, tuple(part.policy.statements for part in parts), policies.boundary)
        known = self._known.setdefault(key, {})
        ways: list[Way] = []
        for side, index in allowing:
            part, kind = sides[side], PolicyKind.IDENTITY if side < len(parts) else target.kind
            is_by_it = partial(_is_by, kind, part.policy.name, index)
            witness = _again(voice, policies, known.get((side, index)), is_by_it)
            if witness is None:
                goals = _through(part.policy, kind, index, target, has_boundary=policies.boundary is not None)
                witness = find_witness(
                    voice, policies, goals, budget, resource_account=target.account, is_meant=is_by_it
                )
            if witness is not None:
                known[side, index] = witness
                statement = part.policy.statements[index]
                name = name_statement(part.policy, kind, part.numbers[index], statement)
                ways.append(Way(name, tuple(map(describe_condition, statement.conditions)), witness))
        if ways:
            return Standing(holder.arn, Can.CAN, tuple(ways))
        answer = find_allowed(voice, policies, target.goals, budget, resource_account=target.account)
        if answer.witness is not None:
            reason = self._explain(holder, answer.witness) or "several statements together allow it"
            return Standing(holder.arn, Can.CAN, (Way(reason, (), answer.witness),))
        if answer.verdict is Verdict.UNKNOWN:
            return Standing(holder.arn, Can.UNKNOWN, reason=answer.reason)
        own = [(sides[side], index) for side, index in allowing if side < len(parts)]
        reasons = (self._why_not(holder, voice, part, index, budget) for part, index in own)
        reason = next(filter(None, reasons), "what would allow it does not apply to it")
        return Standing(holder.arn, Can.CANNOT, reason=reason)

    def _why_not(self, holder: Holder, voice: Voice, part: Part, index: int, budget: Budget) -> str:
        """Say what keeps the caller from a request that one of its own statements would allow."""
        target = self._target
        goals = _through(part.policy, PolicyKind.IDENTITY, index, target, has_boundary=False)
        trust = anyone() if target.kind is PolicyKind.TRUST else None
        only = PolicySet((replace(part.policy, statements=(part.policy.statements[index],)),), trust=trust)
        witness = find_witness(
            voice, only, goals, budget, resource_account=target.account, is_meant=lambda decision: decision.is_allowed
        )
        return self._explain(holder, witness) if witness is not None else ""

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


def _again(
    voice: Voice, policies: PolicySet, witness: Request | None, is_meant: Callable[[Decision], bool]
) -> Request | None:
    """Give what another may as the voice's own request, None unless it may so too by a decision that is meant."""
    if witness is None:
        return None
    request = voice.instead_of(witness)
    decision = decide(request, policies)
    return request if decision.is_allowed and is_meant(decision) else None


def _is_by(kind: PolicyKind, policy: str, number: int, decision: Decision) -> bool:
    """Hold iff this very statement applies to what was decided."""
    statement = (kind, policy, number, Truth.TRUE)
    return any((trace.layer, trace.policy, trace.number, trace.truth) == statement for trace in decision.trace)


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
