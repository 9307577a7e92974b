"""Two policies against each other: equal, narrower, wider, or neither, with a witness for each direction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count

from keyhole.iam.decide import decide
from keyhole.iam.model import Policy, PolicyKind, PolicySet, Request
from keyhole.iam.symbolic.allowed import allowed
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.callers import (
    OWN_ACCOUNT,
    PRINCIPAL_KINDS,
    Caller,
    ask_with_variables,
    callers_of,
    named_accounts,
)
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import negate
from keyhole.iam.symbolic.question import HOLDS, Answer, Verdict, refute

_EVERYTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'


class Relation(StrEnum):
    """How the first policy is to the second."""

    EQUAL = "equal"
    NARROWER = "narrower"
    WIDER = "wider"
    INCOMPARABLE = "incomparable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`within`: whether all that the first allows, the second allows; `contains`: the other way round."""

    within: Answer
    contains: Answer

    @property
    def relation(self) -> Relation:
        """How the first is to the second; `unknown` where one direction is."""
        verdicts = (self.within.verdict, self.contains.verdict)
        if Verdict.UNKNOWN in verdicts:
            return Relation.UNKNOWN
        match verdicts:
            case (Verdict.HOLDS, Verdict.HOLDS):
                return Relation.EQUAL
            case (Verdict.HOLDS, _):
                return Relation.NARROWER
            case (_, Verdict.HOLDS):
                return Relation.WIDER
        return Relation.INCOMPARABLE


def compare(first: Policy, second: Policy, kind: PolicyKind, budget: Budget | None = None) -> Comparison:
    """Compare two policies of one kind."""
    return Comparison(
        is_within(first, second, kind, budget or Budget()), is_within(second, first, kind, budget or Budget())
    )


def is_within(first: Policy, second: Policy, kind: PolicyKind, budget: Budget) -> Answer:
    """Whether every request that the first allows is one that the second allows, as `decide` decides both."""
    unknown = HOLDS
    for caller, identity in _settings(first, second, kind):
        answer = _is_within_for(caller, policy_set(first, kind, identity), policy_set(second, kind, identity), budget)
        if answer.verdict is Verdict.FAILS:
            return answer
        if answer.verdict is Verdict.UNKNOWN:
            unknown = answer
    return unknown


def _settings(first: Policy, second: Policy, kind: PolicyKind) -> Iterator[tuple[Caller, tuple[Policy, ...]]]:
    """Give who asks, and what identity policies it has.

    Whose resource it is nobody says. It may be of an account that no policy names, where everybody's own policies
    allow everything; or of one that is named, whose callers have policies that allow everything, or nothing.
    """
    if kind not in PRINCIPAL_KINDS:
        yield from ((caller, ()) for caller in callers_of((first, second), kind))
        return
    accounts = named_accounts((first, second))
    owner = next(number for number in _owners() if number not in accounts)
    yield from ((caller, (everything(),)) for caller in callers_of((first, second), kind, account=owner))
    for number in accounts:
        for caller in callers_of((first, second), kind, account=number):
            if caller.request.principal.account == number:
                yield caller, ()
                yield caller, (everything(),)


def _owners() -> Iterator[str]:
    yield OWN_ACCOUNT
    yield from (f"{number:012d}" for number in count(1))


def _is_within_for(caller: Caller, ours: PolicySet, theirs: PolicySet, budget: Budget) -> Answer:
    def confirm(request: Request) -> bool:
        asked = caller.complete(request)
        is_more = decide(asked, ours).is_allowed and not decide(asked, theirs).is_allowed
        return is_more and caller.is_coherent(asked)

    def ask(encoder: Encoder) -> Answer:
        goals = [allowed(encoder, ours, sure=True), negate(allowed(encoder, theirs, sure=True))]
        return refute(encoder, [*goals, *caller.domain(encoder)], confirm, budget)

    return caller.finish(ask_with_variables(caller, ask, settles_doubts=True))


def policy_set(policy: Policy, kind: PolicyKind, identity: tuple[Policy, ...]) -> PolicySet:
    """Give the policy as the only one that has a say beside the caller's own."""
    match kind:
        case PolicyKind.RESOURCE:
            return PolicySet(identity=identity, resource=policy)
        case PolicyKind.TRUST:
            return PolicySet(identity=identity, trust=policy)
    return PolicySet(identity=(policy,))


def everything() -> Policy:
    """Give the policy that allows everything."""
    from keyhole.iam.parse import parse_policy

    return parse_policy(_EVERYTHING, PolicyKind.IDENTITY, name="everything")
