"""The search for a request of which a formula holds: unit steps first, then one choice at a time.

What a choice excludes goes along with the choices after it, so that no part is searched twice. If the search ends
without a request, there is none: every step keeps all requests of which the formula holds, or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keyhole.iam.symbolic.atoms import Value
from keyhole.iam.symbolic.budget import BudgetError
from keyhole.iam.symbolic.formula import And, Formula, Lit, Or, negate
from keyhole.iam.symbolic.theory import Theory, Wish

_DEEPEST = 400


class Model:
    """What is wished of each dimension so far, and a value that fulfils it; other dimensions do not matter."""

    def __init__(self, theory: Theory) -> None:
        self.theory = theory
        self.wishes: dict[str, frozenset[Wish]] = {}
        self.values: dict[str, Value] = {}

    def copy(self) -> Model:
        twin = Model(self.theory)
        twin.wishes, twin.values = dict(self.wishes), dict(self.values)
        return twin

    def add(self, lit: Lit) -> bool:
        """Wish for one more; give whether all can still be had."""
        dimension = lit.atom.dimension
        value = self.with_lit(lit)
        if value is None:
            return False
        self.wishes[dimension] = self.wishes.get(dimension, frozenset()) | {(lit.atom, lit.positive)}
        self.values[dimension] = value
        return True

    def with_lit(self, lit: Lit) -> Value | None:
        """Give a value that fulfils one wish more, None if there is none."""
        dimension = lit.atom.dimension
        value = self.values.get(dimension)
        if value is not None and value.exact and not lit.atom.opaque and lit.atom.holds(value) is lit.positive:
            return value
        wishes = self.wishes.get(dimension, frozenset()) | {(lit.atom, lit.positive)}
        return self.theory.solve(dimension, wishes)

    def simplify(self, formula: Formula) -> Formula:
        """Give what is left of it, given what is known."""
        match formula:
            case Lit():
                if (formula.atom, formula.positive) in self.wishes.get(formula.atom.dimension, ()):
                    return True
                if self.with_lit(formula) is None:
                    return False
                return True if self.with_lit(Lit(formula.atom, not formula.positive)) is None else formula
            case And():
                kept: list[Formula] = []
                for part in formula.parts:
                    left = self.simplify(part)
                    if left is False:
                        return False
                    if left is not True:
                        kept.append(left)
                return True if not kept else kept[0] if len(kept) == 1 else And(tuple(kept))
            case Or():
                kept = []
                for part in formula.parts:
                    left = self.simplify(part)
                    if left is True:
                        return True
                    if left is not False:
                        kept.append(left)
                return False if not kept else kept[0] if len(kept) == 1 else Or(tuple(kept))
        return formula


def find_models(formulas: Iterable[Formula], theory: Theory) -> Iterator[Model]:
    """Give models of all formulas, one for each way of choosing; none if there is no request. Raises: BudgetError."""
    goals = list(formulas)
    first = next((goal for goal in goals if isinstance(goal, Or)), None)
    if first is None:
        yield from _search(goals, Model(theory), 0)
        return
    # What grants is chosen first: most of what is to be left out then falls away by the action alone.
    rest = [goal for goal in goals if goal is not first]
    for part in first.parts:
        yield from _search([part, *rest], Model(theory), 0)


def _search(goals: list[Formula], known: Model, depth: int) -> Iterator[Model]:
    if depth > _DEEPEST:
        raise BudgetError(f"it takes more than {_DEEPEST} choices one within the other")
    choices = _settle(goals, known)
    if choices is None:
        return
    if not choices:
        yield known
        return
    chosen = min(choices, key=lambda choice: len(choice.parts))
    rest: list[Formula] = [choice for choice in choices if choice is not chosen]
    excluded: list[Formula] = []
    for part in chosen.parts:
        known.theory.budget.spend(1)
        yield from _search([part, *excluded, *rest], known.copy(), depth + 1)
        excluded.append(negate(part))


def _settle(goals: list[Formula], known: Model) -> list[Or] | None:
    """Take in all that has no alternative; give the choices that are left, None if a goal cannot be had."""
    choices: list[Or] = []
    pending = list(goals)
    while True:
        for goal in pending:
            if goal is False or not _take(goal, known, choices):
                return None
        pending = []
        left: list[Or] = []
        for choice in choices:
            known.theory.budget.spend(1)
            found = known.simplify(choice)
            if found is False:
                return None
            if isinstance(found, Or):
                left.append(found)
            elif found is not True:
                pending.append(found)
        choices = left
        if not pending:
            return choices


def _take(goal: Formula, known: Model, choices: list[Or]) -> bool:
    match goal:
        case Lit():
            return known.add(goal)
        case And():
            return all(part is not False and _take(part, known, choices) for part in goal.parts)
        case Or():
            choices.append(goal)
    return True
