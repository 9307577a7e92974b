"""Two policies against each other: equal, narrower, wider, or neither, with a witness for each direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from keyhole.iam.decide import decide
from keyhole.iam.match import match_action
from keyhole.iam.model import ContextValue, Effect, Policy, PolicyKind, PolicySet, Request
from keyhole.iam.symbolic.allowed import allowed
from keyhole.iam.symbolic.budget import DEFAULT_S, Budget
from keyhole.iam.symbolic.callers import (
    OWN_ACCOUNT,
    PRINCIPAL_KINDS,
    Caller,
    ask_with_variables,
    callers_of,
    named_accounts,
)
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, negate
from keyhole.iam.symbolic.question import HOLDS, Answer, Verdict, refute
from keyhole.iam.symbolic.theory import Theory

_EVERYTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
_ASSUME = "sts:AssumeRole"


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


def compare(first: Policy, second: Policy, kind: PolicyKind, budget_s: float = DEFAULT_S) -> Comparison:
    """Compare two policies of one kind; `budget_s`: seconds for each direction."""
    notes = Notes()
    within = is_within(first, second, kind, Budget(budget_s), notes)
    return Comparison(within, is_within(second, first, kind, Budget(budget_s), notes))


@dataclass(slots=True)
class Notes:
    """What was found out about two policies in one direction, and holds in the other; of no others.

    Kept for policies that are compared for one caller alone, who is the same in both directions.
    """

    _encoders: dict[object, Encoder] = field(default_factory=dict)
    _formulas: dict[object, Formula] = field(default_factory=dict)
    _theories: dict[int, Theory] = field(default_factory=dict)

    def encoder(self, setting: object, make: Callable[[], Encoder]) -> Encoder:
        """Give the encoder of one setting."""
        if setting not in self._encoders:
            self._encoders[setting] = make()
        return self._encoders[setting]

    def allowed(self, encoder: Encoder, policies: PolicySet, policy: Policy) -> Formula:
        """Give when the set allows, in which the policy has its place."""
        key = (id(encoder), id(policy))
        if key not in self._formulas:
            self._formulas[key] = allowed(encoder, policies, sure=True)
        return self._formulas[key]

    def theory(self, encoder: Encoder, budget: Budget) -> Theory:
        """Give what has been solved already; all formulas have been made."""
        theory = self._theories.setdefault(id(encoder), Theory(budget, frozenset(encoder.several)))
        theory.budget = budget
        return theory


def is_within(first: Policy, second: Policy, kind: PolicyKind, budget: Budget, notes: Notes | None = None) -> Answer:
    """Whether every request that the first allows is one that the second allows, as `decide` decides both.

    `notes`: those of the other direction.
    """
    if first.version == second.version and set(first.statements) == set(second.statements):
        return HOLDS
    unknown = HOLDS
    for caller, around in _settings(first, second, kind):
        if budget.is_over:
            return Answer(Verdict.UNKNOWN, reason=f"it takes longer than {budget.seconds:g} s")
        kept = notes if notes is not None and kind not in PRINCIPAL_KINDS else Notes()
        pair = _Pair(first, second, _put(first, kind, around), _put(second, kind, around), around.trust is not None)
        answer = _is_within_for(caller, pair, budget, kept)
        if answer.verdict is Verdict.FAILS:
            return answer
        if answer.verdict is Verdict.UNKNOWN:
            unknown = answer
    return unknown


def _settings(first: Policy, second: Policy, kind: PolicyKind) -> Iterator[tuple[Caller, PolicySet]]:
    """Give who asks, and what has a say beside the policy.

    Roles and KMS keys leave it to IAM policies whether a caller may. Whose a resource is its policy does not say: it
    may be of an account that no policy names, where everybody's own policies allow everything; or of one that is
    named, whose callers have policies that allow everything, or nothing.
    """
    all_else = (everything(),)
    if kind not in PRINCIPAL_KINDS:
        for caller in callers_of((first, second), kind):
            yield caller, PolicySet(resource=leaving_it_to_iam(PolicyKind.RESOURCE, OWN_ACCOUNT))
            if _may_assume(first, kind):
                yield caller, PolicySet(trust=leaving_it_to_iam(PolicyKind.TRUST, OWN_ACCOUNT))
        return
    accounts = named_accounts((first, second))
    owner = next(number for number in _owners() if number not in accounts)
    for caller in callers_of((first, second), kind, account=owner, is_owner_free=True):
        yield caller, PolicySet(all_else)
    for number in accounts:
        for caller in callers_of((first, second), kind, account=number, within=number):
            yield caller, PolicySet()
            yield caller, PolicySet(all_else)


def _owners() -> Iterator[str]:
    yield OWN_ACCOUNT
    yield from (f"{number:012d}" for number in count(1))


def _may_assume(policy: Policy, kind: PolicyKind) -> bool:
    """Hold unless the policy allows nobody to assume a role."""
    return kind is PolicyKind.SCP or any(
        statement.effect is Effect.ALLOW
        and any(match_action(text, _ASSUME) for text in statement.actions.patterns) is not statement.actions.negated
        for statement in policy.statements
    )


class _Pair(NamedTuple):
    """Two policies, and each where it is attached; `is_trust`: for who assumes roles."""

    first: Policy
    second: Policy
    ours: PolicySet
    theirs: PolicySet
    is_trust: bool


def _is_within_for(caller: Caller, pair: _Pair, budget: Budget, notes: Notes) -> Answer:
    first, second, ours, theirs, is_trust = pair

    def confirm(request: Request) -> bool:
        asked = caller.complete(request)
        first, second = (_moved(each, asked) if caller.is_anyone else each for each in (ours, theirs))
        is_more = decide(asked, first).is_allowed and not decide(asked, second).is_allowed
        return is_more and caller.is_coherent(asked)

    def ask(encoder: Encoder) -> Answer:
        goals = [notes.allowed(encoder, ours, first), negate(notes.allowed(encoder, theirs, second))]
        listed = [*goals, *caller.domain(encoder)]
        return refute(encoder, listed, confirm, budget, notes.theory(encoder, budget))

    def make(given: Mapping[str, ContextValue | None]) -> Encoder:
        # Asked anew with values for variables, others than those that are always known are given.
        setting = (is_trust, tuple(given.items()))
        return notes.encoder(setting, lambda: Encoder(caller.request, given, settles_doubts=True))

    return caller.finish(ask_with_variables(caller.given, make, ask))


def _moved(policies: PolicySet, request: Request) -> PolicySet:
    """Give the policies with what protects the resource in the account of the request, where it is as well."""
    kind = PolicyKind.RESOURCE if policies.trust is None else PolicyKind.TRUST
    gate = leaving_it_to_iam(kind, request.resource_account)
    return replace(policies, resource=gate) if policies.trust is None else replace(policies, trust=gate)


def _put(policy: Policy, kind: PolicyKind, around: PolicySet) -> PolicySet:
    """Give the policy where it is attached, beside the others that have a say."""
    match kind:
        case PolicyKind.RESOURCE:
            return replace(around, resource=policy)
        case PolicyKind.TRUST:
            return replace(around, trust=policy)
        case PolicyKind.SCP:
            return replace(around, identity=(everything(),), scps=((policy,),))
    return replace(around, identity=(policy,))


def policy_set(policy: Policy, kind: PolicyKind, identity: tuple[Policy, ...]) -> PolicySet:
    """Give the policy as the only one that has a say beside the caller's own; KMS keys leave it to IAM policies."""
    if kind in PRINCIPAL_KINDS:
        return _put(policy, kind, PolicySet(identity))
    return _put(policy, kind, PolicySet(resource=leaving_it_to_iam(PolicyKind.RESOURCE, OWN_ACCOUNT)))


@lru_cache(maxsize=64)
def leaving_it_to_iam(kind: PolicyKind, account: str) -> Policy:
    """Give the policy of a resource, or a role's trust policy, that leaves it to the account's own policies.

    AWS: AWS KMS Developer Guide, "Default key policy"; IAM User Guide, "AWS account principals".
    """
    from keyhole.iam.parse import parse_policy

    action = "" if kind is PolicyKind.RESOURCE else _ASSUME
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": action or "*"}
    resource = {} if action else {"Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": {**statement, **resource}}
    return parse_policy(document, kind, name="one that leaves it to IAM")


@lru_cache(maxsize=1)
def everything() -> Policy:
    """Give the policy that allows everything."""
    from keyhole.iam.parse import parse_policy

    return parse_policy(_EVERYTHING, PolicyKind.IDENTITY, name="everything")
