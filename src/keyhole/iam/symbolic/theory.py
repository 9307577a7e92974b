"""Whether atoms of one dimension can hold together, and a value of which they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from keyhole.iam.operators.operator import Cut
from keyhole.iam.symbolic.atoms import ABSENT, KEY, RESOURCE, Atom, Quantifier, State, Value
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.language import Language, make_pattern
from keyhole.iam.symbolic.strings import find_string

Wish = tuple[Atom, bool]
"""An atom, and whether it is to hold."""
_EMPTY = Language((make_pattern(()),))


@dataclass(slots=True)
class Theory:
    """Solves dimensions, each set of wishes once. `several`: the dimensions that may hold several texts."""

    budget: Budget
    several: frozenset[str] = frozenset()
    _solved: dict[tuple[str, frozenset[Wish]], Value | None] = field(default_factory=dict)

    def solve(self, dimension: str, wishes: frozenset[Wish]) -> Value | None:
        """Give a value of the dimension that fulfils all wishes, None if there is none. Raises: BudgetError."""
        key = (dimension, wishes)
        if key not in self._solved:
            self._solved[key] = self._solve(dimension, wishes)
        return self._solved[key]

    def _solve(self, dimension: str, wishes: frozenset[Wish]) -> Value | None:
        self.budget.spend(1)
        exact, has_quantifier = True, False
        for atom, wanted in wishes:
            if wanted and (atom, False) in wishes:
                return None
            exact = exact and not atom.opaque
            has_quantifier = has_quantifier or atom.quantifier is not Quantifier.NONE
        if dimension.startswith(KEY) and _all_hold(wishes, ABSENT):
            return Value(State.ABSENT, (), exact)
        if has_quantifier:
            if all(atom.may_be("", wanted=wanted) for atom, wanted in wishes):
                return Value(State.ONE, ("",), exact)
            text = _find_text(list(wishes), self.budget, can_be_empty=False)
        else:
            text = _find_text(list(wishes), self.budget)
        if text is not None:
            return Value(State.ONE, (text[0],), exact and text[1])
        if dimension == RESOURCE and all(atom.star is None or atom.star is wanted for atom, wanted in wishes):
            return Value(State.STAR, (), exact)
        if dimension in self.several:
            return _find_several(wishes, self.budget, exact)
        return None


def _all_hold(wishes: Iterable[Wish], value: Value) -> bool:
    return all(atom.holds(value) is wanted for atom, wanted in wishes)


def _find_text(wishes: Sequence[Wish], budget: Budget, *, can_be_empty: bool = True) -> tuple[str, bool] | None:
    """Give a text that passes, or does not pass, each atom as wished, and whether that is certain.

    Atoms without a language are tried on samples: one text of each part into which they cut what there is.
    """
    within: list[Language] = []
    outside: list[Language] = [] if can_be_empty else [_EMPTY]
    tested: list[Wish] = []
    for atom, wanted in wishes:
        if atom.language is None:
            tested.append((atom, wanted))
        elif wanted is not atom.negated:
            within.append(atom.language)
        elif not atom.opaque:
            outside.append(atom.language)
    if not tested:
        found = find_string(within, outside, budget)
        return None if found is None else (found, True)
    cuts = {atom.cut: [wish for wish in tested if wish[0].cut is atom.cut] for atom, _ in tested}
    fitting = _fitting(tested, budget)
    for sample in fitting:
        if all(language.holds(sample) for language in within) and not any(
            language.holds(sample) for language in outside
        ):
            return sample, True
    if not fitting and (len(cuts) == 1 or not all(_fitting(alone, budget) for alone in cuts.values())):
        return None
    # Texts and typed values of one key, or values of several types: each can be had, all together may or may not.
    example = find_string(within, outside, budget)
    return None if example is None else (example, False)


def _fitting(tested: Sequence[Wish], budget: Budget) -> list[str]:
    """Give the samples that pass as wished."""
    fitting: list[str] = []
    values = sum(len(atom.points) for atom, _ in tested)
    for sample in _cut([atom for atom, _ in tested]):
        budget.spend(1 + values)
        if all(atom.passes(sample) is wanted for atom, wanted in tested):
            fitting.append(sample)
    return fitting


def _cut(atoms: Sequence[Atom]) -> list[str]:
    """Give the samples: each kind of cut is made by the points of all atoms of that kind."""
    points: dict[Cut | None, list[str]] = {}
    for atom in atoms:
        points.setdefault(atom.cut, []).extend(atom.points)
    samples = [sample for cut, values in points.items() if cut for sample in cut(tuple(dict.fromkeys(values)))]
    return list(dict.fromkeys([*samples, *(stranger for atom in atoms for stranger in atom.strangers)]))


def _find_several(wishes: frozenset[Wish], budget: Budget, exact: bool) -> Value | None:
    """Give several texts: each must pass what is asked of all, and for each wish for some there is one.

    One of them at least is not empty: AWS gives no key several texts that are all empty.
    """
    everywhere: list[Wish] = []
    somewhere: list[Wish] = []
    for atom, wanted in wishes:
        if atom.quantifier is Quantifier.NONE:
            if atom.several is not wanted:
                return None
        elif (atom.quantifier is Quantifier.ALL) is wanted:
            everywhere.append((atom, wanted))
        else:
            somewhere.append((atom, wanted))
    filled = _find_text(everywhere, budget, can_be_empty=False)
    if filled is None:
        return None
    found = [_find_text([*everywhere, wish], budget) for wish in somewhere]
    texts = [text for text in found if text is not None]
    if len(texts) < len(found):
        return None
    while len(texts) < 2 or not any(text for text, _ in texts):
        texts.append(filled)
    return Value(State.SEVERAL, tuple(text for text, _ in texts), exact and all(is_exact for _, is_exact in texts))
