"""Against every request over a tiny alphabet: what `is_within` says holds has no exception among them."""

from __future__ import annotations

from itertools import product
from random import Random

from small_policies import (
    ACTIONS,
    ADDRESS_KEY,
    NUMBER_KEY,
    PAIRS,
    SET_KEY,
    TEXT_KEY,
    random_policy,
    similar_policy,
)

from keyhole.iam import (
    Context,
    Effect,
    Element,
    Policy,
    PolicyKind,
    Principal,
    PrincipalKind,
    Request,
    Statement,
    decide,
)
from keyhole.iam.conditions import evaluate_condition
from keyhole.iam.match import match_action, match_resource
from keyhole.iam.model import ContextValue, Truth
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.compare import is_within, policy_set
from keyhole.iam.symbolic.question import Verdict

TEXTS = tuple("".join(letters) for length in range(5) for letters in product("ab/", repeat=length))
RESOURCES = (*TEXTS, "*", "c", "ca", "abc")
VALUES: dict[str, tuple[ContextValue | None, ...]] = {
    TEXT_KEY: (None, "", "a", "b", "A", "ab", "aa", "B", "c", "aab"),
    NUMBER_KEY: (None, "8", "9", "9.5", "10", "10.25", "10.5", "10.75", "11", "12"),
    ADDRESS_KEY: (None, "10.0.0.0", "10.0.0.1", "10.0.0.2", "10.200.0.0", "192.0.2.9", "11.0.0.0", "::1"),
    SET_KEY: (None, "", "a", "b", ("a", "b"), ("a", "a"), ("", "a"), ("ab", "A"), ("", "b"), ("c", "d"), ("B", "aa")),
}


class Listed:
    """A policy on all those requests: bit sets of resources by action and by the values of its own keys."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.keys = {c.key for statement in policy.statements for c in statement.conditions}
        self.resources = [self._resources(statement.resources) for statement in policy.statements]
        self.truths = {
            (condition, value): evaluate_condition(condition, context(condition.key, value), "2012-10-17")[0]
            for statement in policy.statements
            for condition in statement.conditions
            for value in VALUES[condition.key]
        }

    @staticmethod
    def _resources(element: Element | None) -> int:
        assert element is not None
        return sum(
            1 << place
            for place, name in enumerate(RESOURCES)
            if any(match_resource(pattern, name) for pattern in element.patterns) is not element.negated
        )

    def allows(self, action: str, values: dict[str, ContextValue | None]) -> int:
        """Give the resources on which the action is allowed, as a bit set."""
        allowed = denied = 0
        for statement, resources in zip(self.policy.statements, self.resources, strict=True):
            names = any(match_action(pattern, action) for pattern in statement.actions.patterns)
            if names is statement.actions.negated:
                continue
            truths = {self.truths[condition, values[condition.key]] for condition in statement.conditions}
            if statement.effect is Effect.DENY and Truth.FALSE not in truths:
                denied |= resources
            elif statement.effect is Effect.ALLOW and truths <= {Truth.TRUE}:
                allowed |= resources
        return allowed & ~denied


def context(key: str, value: ContextValue | None) -> Context:
    return Context({} if value is None else {key: value})


def find_exception(first: Policy, second: Policy) -> Request | None:
    """Give a request that the first allows and the second does not, by looking at all of them."""
    ours, theirs = Listed(first), Listed(second)
    keys = sorted(ours.keys | theirs.keys)
    for action in ACTIONS:
        for combination in product(*(VALUES[key] for key in keys)):
            values = dict(zip(keys, combination, strict=True))
            more = ours.allows(action, values) & ~theirs.allows(action, values)
            if more:
                given = Context({key: value for key, value in values.items() if value is not None})
                resource = RESOURCES[(more & -more).bit_length() - 1]
                return Request(Principal(PrincipalKind.USER, "arn:aws:iam::1:user/u", "1"), action, resource, given)
    return None


def test_what_holds_has_no_exception_among_all_small_requests() -> None:
    """And little is left open: those operators are the common ones."""
    tried, unknown, held = PAIRS or 100, 0, 0
    for number in range(tried):
        random = Random(number)
        first = random_policy(random)
        second = similar_policy(random, first) if number % 3 else random_policy(random)
        answer = is_within(first, second, PolicyKind.IDENTITY, Budget(2.0))
        unknown += answer.verdict is Verdict.UNKNOWN
        held += answer.verdict is Verdict.HOLDS
        if answer.verdict is Verdict.HOLDS:
            assert find_exception(first, second) is None, number
        elif answer.witness is not None:
            assert decide(answer.witness, policy_set(first, PolicyKind.IDENTITY, ())).is_allowed
            assert not decide(answer.witness, policy_set(second, PolicyKind.IDENTITY, ())).is_allowed
    assert unknown <= tried * 0.02, f"{unknown} of {tried} unknown"
    assert held >= tried * 0.05, f"only {held} of {tried} hold"


def test_the_list_of_requests_finds_what_there_is() -> None:
    """An oracle that never objects would prove nothing."""
    wide, narrow = Policy((allow("*", "*"),)), Policy((allow("*", "a*"),))
    assert find_exception(narrow, wide) is None
    found = find_exception(wide, narrow)
    assert found is not None
    assert not found.resource.startswith("a")


def allow(action: str, resource: str) -> Statement:
    return Statement(Effect.ALLOW, Element((action,)), Element((resource,)))
