"""The search for a request of which a formula holds: unit steps first, then one choice at a time.

What a choice excludes goes along with the choices after it, so that no part is searched twice. If the search ends
without a request, there is none: every step keeps all requests of which the formula holds, or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keyhole.iam.symbolic.atoms import ABSENT, KEY, Atom, Value
from keyhole.iam.symbolic.budget import BudgetError
from keyhole.iam.symbolic.formula import And, Formula, Lit, Or, negate
from keyhole.iam.symbolic.theory import Theory, Wish

_DEEPEST = 400
_NOTHING: frozenset[Wish] = frozenset()


class Model:
    """What is wished of each dimension so far, and a value that fulfils it; other dimensions do not matter."""

    def __init__(self, theory: Theory) -> None:
        self.theory = theory
        self.wishes: dict[str, frozenset[Wish]] = {}
        self.values: dict[str, Value] = {}
        self._truths: dict[str, dict[Atom, bool | None]] = {}
        self._tellings: dict[str, dict[Atom, bool | None]] = {}

    def copy(self) -> Model:
        twin = Model(self.theory)
        twin.wishes, twin.values = dict(self.wishes), dict(self.values)
        # What follows from the wishes of a dimension is found out once for all that share them.
        twin._truths, twin._tellings = dict(self._truths), dict(self._tellings)
        return twin

    def add(self, lit: Lit) -> bool:
        """Wish for one more; give whether all can still be had."""
        dimension, wish = lit.atom.dimension, (lit.atom, lit.positive)
        wishes = self.wishes.get(dimension, _NOTHING)
        if wish in wishes:
            return True
        value = self._value_with(dimension, wish, wishes)
        if value is None:
            return False
        self.wishes[dimension] = wishes | {wish}
        if value is not self.values.get(dimension):
            self.values[dimension] = value
            self._tellings.pop(dimension, None)
        self._truths.pop(dimension, None)
        return True

    def truth(self, atom: Atom) -> bool | None:
        """Give what is known of the atom: that it holds, that it does not, or neither."""
        truths = self._truths.get(atom.dimension)
        if truths is None:
            truths = self._truths[atom.dimension] = {}
        if atom not in truths:
            truths[atom] = self._find_truth(atom)
        return truths[atom]

    def _find_truth(self, atom: Atom) -> bool | None:
        wishes = self.wishes.get(atom.dimension, _NOTHING)
        for positive in (True, False):
            if (atom, positive) in wishes:
                return positive
        if self._value_with(atom.dimension, (atom, True), wishes) is None:
            return False
        return True if self._value_with(atom.dimension, (atom, False), wishes) is None else None

    def _value_with(self, dimension: str, wish: Wish, wishes: frozenset[Wish]) -> Value | None:
        """Give a value that fulfils one wish more, None if there is none."""
        value = self.values.get(dimension)
        if value is not None and self._told(wish[0]) is wish[1]:
            return value
        return self.theory.solve(dimension, wishes | {wish})

    def fulfils(self, formula: Formula) -> bool:
        """Hold if the values that were found so far make it true: then it asks for nothing more, for now."""
        if isinstance(formula, Lit):
            return self._told(formula.atom) is formula.positive
        if isinstance(formula, bool):
            return formula
        decides = isinstance(formula, Or)
        for part in formula.parts:
            is_so = self._told(part.atom) is part.positive if isinstance(part, Lit) else self.fulfils(part)
            if is_so is decides:
                return decides
        return not decides

    def _told(self, atom: Atom) -> bool | None:
        """Give whether the atom holds of the value that was found; None where nothing certain is known of it."""
        dimension = atom.dimension
        told = self._tellings.get(dimension)
        if told is None:
            told = self._tellings[dimension] = {}
        if atom not in told:
            # A key of which nothing is wished is absent.
            value = self.values.get(dimension, ABSENT if dimension.startswith(KEY) else None)
            is_certain = value is not None and value.exact and not atom.opaque
            told[atom] = atom.holds(value) if is_certain and value is not None else None
        return told[atom]

    def commit(self, formula: Formula) -> None:
        """Wish for what makes it true already, so that nobody takes other values for which it is not."""
        if isinstance(formula, Lit):
            self.add(formula)
        elif isinstance(formula, And):
            for part in formula.parts:
                self.commit(part)
        elif isinstance(formula, Or):
            self.commit(next(part for part in formula.parts if self.fulfils(part)))

    def simplify(self, formula: Formula) -> Formula:
        """Give what is left of it, given what is known; what is fulfilled is left as it is."""
        if isinstance(formula, bool) or self.fulfils(formula):
            return formula
        if isinstance(formula, Lit):
            truth = self.truth(formula.atom)
            return formula if truth is None else truth is formula.positive
        # One part that `decides` it, of an And that is false, of an Or that is true, settles all of it.
        decides = isinstance(formula, Or)
        kept: list[Formula] = []
        for part in formula.parts:
            left = self.simplify(part)
            if left is decides:
                return decides
            if not isinstance(left, bool):
                kept.append(left)
        if len(kept) < 2:
            return kept[0] if kept else not decides
        return Or(tuple(kept)) if decides else And(tuple(kept))


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
    still_open = [choice for choice in choices if not known.fulfils(choice)]
    if not still_open:
        found = known.copy()
        for choice in choices:
            found.commit(choice)
        yield found
        if not choices:
            return
    # Whoever asks on was not content with these values: others are had by the choices that asked for nothing.
    chosen = min(still_open or choices, key=_weigh)
    rest: list[Formula] = [choice for choice in choices if choice is not chosen]
    excluded: list[Formula] = []
    for part in chosen.parts:
        known.theory.budget.spend(1)
        yield from _search([part, *excluded, *rest], known.copy(), depth + 1)
        excluded.append(negate(part))


def _weigh(choice: Or) -> tuple[bool, int]:
    """Put first what says most: a choice between things that are asked for, before one that leaves something out.

    What is asked for fixes values, and then most of what is to be left out is settled without a choice.
    """
    return not all(_asks(part) for part in choice.parts), len(choice.parts)


def _asks(formula: Formula) -> bool:
    match formula:
        case Lit():
            return formula.positive
        case And():
            return any(isinstance(part, Lit) and part.positive for part in formula.parts)
    return False


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
            found = choice if known.fulfils(choice) else known.simplify(choice)
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
