"""Atoms: the smallest things that can be asked of a request, each about one dimension of it.

A dimension is the action, the resource, or one condition key. An atom's value in a dimension is a `Value`: a key that
is absent, one text, or several. Atoms are compared by identity; `Encoder` makes each once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from keyhole.iam.operators.operator import Cut
from keyhole.iam.symbolic.language import Language

ACTION = "action"
RESOURCE = "resource"
KEY = "key "
"""Begins the dimension of a condition key; the key follows in lower case."""


class State(Enum):
    """What a dimension holds: nothing, one text, several texts, or the lone star of an action without resources."""

    ABSENT = "absent"
    ONE = "one"
    SEVERAL = "several"
    STAR = "star"


@dataclass(frozen=True, slots=True)
class Value:
    """What a dimension holds. `exact` is False where it was found by passing over what could not be modelled."""

    state: State
    texts: tuple[str, ...] = ()
    exact: bool = True


ABSENT = Value(State.ABSENT)


class Quantifier(Enum):
    """How an atom speaks of several texts."""

    NONE = ""
    ANY = "ForAnyValue"
    ALL = "ForAllValues"


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """One test of one dimension.

    A text passes if it is in `language`, the other way round if `negated`; where there is no language, if `test` says
    so: then `cut` gives, from the `points` of all such atoms, a sample of each part into which they cut what there is,
    and `strangers` are samples of what is no value of the operator's type.
    `absent`, `star`: what the atom is where the dimension holds nothing, or the star (None: either).
    `quantifier`: how many of several texts must pass; without one, several texts make it `several`.
    `opaque`: the language is only an upper bound, as a policy variable hangs on what is not known; the atom is still
    equal to itself.
    """

    dimension: str
    language: Language | None = None
    test: Callable[[str], bool] | None = None
    points: tuple[str, ...] = ()
    cut: Cut | None = None
    strangers: tuple[str, ...] = ()
    negated: bool = False
    absent: bool = False
    star: bool | None = False
    several: bool = False
    quantifier: Quantifier = Quantifier.NONE
    opaque: bool = False

    def passes(self, text: str) -> bool:
        """Hold iff the text passes."""
        if self.language is not None:
            return self.language.holds(text) is not self.negated
        return self.test(text) if self.test is not None else not self.negated

    def may_be(self, text: str, *, wanted: bool) -> bool:
        """Hold unless one text, the only one, rules out that the atom is as wanted."""
        if text == "" and self.quantifier is not Quantifier.NONE:
            return (self.quantifier is Quantifier.ALL) is wanted
        is_left_out = wanted is self.negated
        return (self.opaque and is_left_out) or self.passes(text) is wanted

    def holds(self, value: Value) -> bool:
        """Hold iff the atom is true of the value."""
        match value.state:
            case State.ABSENT:
                return self.absent
            case State.STAR:
                return bool(self.star)
            case State.ONE if self.quantifier is Quantifier.NONE:
                return self.passes(value.texts[0])
        if self.quantifier is Quantifier.NONE:
            return self.several
        if not any(value.texts):
            # An empty text alone is no text at all to a set operator.
            return self.quantifier is Quantifier.ALL
        verdicts = (self.passes(text) for text in value.texts)
        return any(verdicts) if self.quantifier is Quantifier.ANY else all(verdicts)
