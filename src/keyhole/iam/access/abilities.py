"""What one user or role can do, as short as it can honestly be said: by resources and conditions, less what is denied.

Only its own policies, its groups' and its boundary are looked at: what policies of resources grant or deny it is not.

AWS: IAM User Guide, "Policy evaluation logic"; Service Authorization Reference, for what each service's actions are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from keyhole.errors import PolicyError
from keyhole.iam.access.account import Account, Holder
from keyhole.iam.access.action_names import shorten_actions
from keyhole.iam.access.asking import Goals, Voice, delegated, find_allowed, find_request, voice_of
from keyhole.iam.access.document import may_overlap
from keyhole.iam.access.standing import Can, Standing, Target, name_statement
from keyhole.iam.access.who import Judge
from keyhole.iam.access.words import describe_conditions, describe_element
from keyhole.iam.catalogue import expand_action
from keyhole.iam.model import Condition, Effect, Element, Policy, PolicyKind, PolicySet, Statement
from keyhole.iam.symbolic.allowed import allowed
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, disjoin, negate
from keyhole.iam.symbolic.question import Verdict

_MOST_ACTIONS = 1_000
"""More than these are not looked at one by one."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on resources under conditions, by which statements. `less`: what is taken from it, in words.

    `untold`: why it cannot be told how much of it is left.
    """

    actions: tuple[str, ...]
    resources: str
    conditions: str
    statements: tuple[str, ...]
    less: tuple[str, ...] = ()
    untold: str = ""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What somebody can do. `roles`: which roles of the account it can assume, or of which that cannot be told."""

    arn: str
    grants: tuple[Grant, ...]
    roles: tuple[Standing, ...] = ()
    untold: str = ""


@dataclass(frozen=True, slots=True)
class _Numbered:
    policy: Policy
    number: int
    statement: Statement

    @property
    def name(self) -> str:
        return name_statement(self.policy, PolicyKind.IDENTITY, self.number, self.statement)


def describe_abilities(account: Account, holder: Holder, budget_s: float = 5.0) -> Abilities:
    """Say what a user or role can do by its own policies, its groups' and its boundary, all within the budget."""
    if problem := holder.find_problem():
        return Abilities(holder.arn, (), untold=problem)
    policies, budget = holder.policies(), Budget(budget_s)
    voice = voice_of(holder, policies, account.number).anywhere()
    told = (_Teller(voice, policies, account.number, budget.part()).tell(group) for group in _groups(policies))
    grants = tuple(grant for grant in told if grant is not None)
    return Abilities(holder.arn, grants, tuple(_assumable(account, holder, budget)))


def _groups(policies: PolicySet) -> Iterator[tuple[_Numbered, ...]]:
    """Give the statements that allow, together those with the same resources and conditions."""
    found: dict[tuple[Element | None, tuple[Condition, ...], object], list[_Numbered]] = {}
    for policy in policies.identity:
        for number, statement in enumerate(policy.statements):
            if statement.effect is Effect.ALLOW:
                apart = statement.actions if statement.actions.negated else None
                key = (statement.resources, statement.conditions, apart)
                found.setdefault(key, []).append(_Numbered(policy, number, statement))
    return (tuple(group) for group in found.values())


def _assumable(account: Account, holder: Holder, budget: Budget) -> Iterator[Standing]:
    for role in account.roles:
        if role.trust is None:
            continue
        try:
            trust = role.trust.parse()
        except PolicyError as error:
            yield Standing(role.arn, Can.UNKNOWN, reason=str(error))
            continue
        target = Target("sts:AssumeRole", role.arn, account.number, trust, PolicyKind.TRUST)
        standing = Judge(target, budget).judge(holder)
        if standing.verdict is not Can.CANNOT:
            yield replace(standing, arn=role.arn)


class _Teller:
    """Tells of a group of statements what is left of it by denies and the boundary, within its budget."""

    def __init__(self, voice: Voice, policies: PolicySet, account: str, budget: Budget) -> None:
        self._voice = voice
        self._policies = policies
        self._account = account
        self._budget = budget
        self._denies = [
            _Numbered(policy, number, statement)
            for policy in policies.identity
            for number, statement in enumerate(policy.statements)
            if statement.effect is Effect.DENY
        ]

    def tell(self, group: tuple[_Numbered, ...]) -> Grant | None:
        """Give what is left of one group, None if it is nothing."""
        first = group[0].statement
        denies = [deny for deny in self._denies if self._meets(group, deny)]
        is_bounded = self._is_bounded(group)
        patterns = list(dict.fromkeys(pattern for each in group for pattern in each.statement.actions.patterns))
        untold = ""
        if first.actions.negated:
            actions: tuple[str, ...] = (describe_element(first.actions),)
        else:
            left = patterns
            if denies or is_bounded:
                left, untold = self._left(group, patterns)
            actions = shorten_actions(left)
        if not actions:
            return None
        less = [f"{_describe(deny.statement)} ({deny.name} denies it)" for deny in denies if self._still(actions, deny)]
        if is_bounded and self._policies.boundary is not None:
            less.append(f"what its boundary `{self._policies.boundary.name}` does not allow")
        return Grant(
            actions,
            describe_element(first.resources),
            describe_conditions(first.conditions),
            tuple(each.name for each in group),
            tuple(less),
            untold,
        )

    def _still(self, actions: Iterable[str], deny: _Numbered) -> bool:
        """Hold unless the deny speaks of none of the actions that are left."""
        element = deny.statement.actions
        return element.negated or any(
            action.startswith("all but") or may_overlap(action.lower(), pattern.lower())
            for action in actions
            for pattern in element.patterns
        )

    def _left(self, group: tuple[_Numbered, ...], patterns: list[str]) -> tuple[list[str], str]:
        """Give the patterns without the actions of which nothing is left."""
        left: list[str] = []
        untold = ""
        for pattern in patterns:
            names = expand_action(pattern) if ":" in pattern else ()
            if not names or len(names) > _MOST_ACTIONS:
                names = (pattern,)
            kept: list[str] = []
            for name in names:
                if self._budget.is_over:
                    kept.append(name)
                    untold = f"whether it can {name} cannot be told: it takes longer than {self._budget.seconds:.3g} s"
                    continue
                answer = find_allowed(
                    self._voice,
                    delegated(self._policies, self._account),
                    lambda encoder, name=name: (encoder.action_in((name,)), self._allows(encoder, group)),  # type: ignore[misc]
                    self._budget,
                    resource_account=self._account,
                )
                if answer.verdict is not Verdict.HOLDS:
                    kept.append(name)
                if answer.verdict is Verdict.UNKNOWN:
                    untold = f"whether it can {name} cannot be told: {answer.reason}"
            left += [pattern] if len(kept) == len(names) else kept
        return left, untold

    def _allows(self, encoder: Encoder, group: Iterable[_Numbered]) -> Formula:
        """Give that a statement of the group applies."""
        return disjoin(
            found.bounds.possible
            for each in group
            for found in encoder.statement(each.policy, each.statement, PolicyKind.IDENTITY, has_boundary=False)
        )

    def _meets(self, group: tuple[_Numbered, ...], deny: _Numbered) -> bool:
        """Hold unless the deny certainly takes nothing from the group."""
        return self._can_be(lambda encoder: (self._allows(encoder, group), self._allows(encoder, (deny,))))

    def _is_bounded(self, group: tuple[_Numbered, ...]) -> bool:
        """Hold unless the boundary certainly lets all of the group through."""
        boundary = self._policies.boundary
        if boundary is None:
            return False
        inside = delegated(PolicySet((boundary,)), self._account)
        return self._can_be(lambda encoder: (self._allows(encoder, group), negate(allowed(encoder, inside, sure=True))))

    def _can_be(self, goals: Goals) -> bool:
        """Hold unless there is certainly no such request."""
        if self._budget.is_over:
            return True
        answer = find_request(
            self._voice,
            goals,
            lambda _: True,
            self._budget,
            resource_account=self._account,
        )
        return answer.verdict is not Verdict.HOLDS


def _describe(statement: Statement) -> str:
    conditions = describe_conditions(statement.conditions)
    where = describe_element(statement.resources)
    words = f"{describe_element(statement.actions)} on {'anything' if where == '*' else where}"
    return f"{words} if {conditions}" if conditions else words
