"""A language: the strings that any of some patterns fits, as an automaton whose states are bit sets.

A pattern is literals, `*` and `?`. It may ignore case, or be an ARN's, where no wildcard crosses one of the first five
colons. Nothing is determinised ahead of time: one step of all patterns at once is a few integer operations.
AWS: IAM User Guide, "IAM JSON policy elements: Resource" and "… Condition operators".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from keyhole.iam.match import ARN_FIELDS, Glob, Parts, Wildcard, compile_parts, match_arn, match_glob


class Style(Enum):
    """How a pattern is compared."""

    PLAIN = "plain"
    IGNORE_CASE = "ignore case"
    """Its letters are in lower case already."""
    ARN = "arn"


class Shape(Enum):
    """What kind of pattern it is: most are one string, or everything that begins with one."""

    EXACT = "exact"
    PREFIX = "prefix"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern. `head` is what every string in it begins with; that is all of it where it is exact."""

    parts: Parts
    style: Style
    shape: Shape
    head: str
    glob: Glob = field(compare=False, repr=False)

    def __hash__(self) -> int:
        """Hash the head alone: patterns are looked up all the time, and Python remembers the hash of a string."""
        return hash(self.head)

    def holds(self, text: str) -> bool:
        """Hold iff the text is in it."""
        if self.style is Style.ARN:
            return match_arn(self.parts, text)
        given = text.lower() if self.style is Style.IGNORE_CASE else text
        if self.shape is Shape.EXACT:
            return given == self.head
        if self.shape is Shape.PREFIX:
            return given.startswith(self.head)
        return match_glob(self.glob, given)


@lru_cache(maxsize=65536)
def make_pattern(parts: Parts, style: Style = Style.PLAIN) -> Pattern:
    """Give the pattern of these parts."""
    if style is Style.IGNORE_CASE:
        parts = tuple(part.lower() if isinstance(part, str) else part for part in parts)
    glob = compile_parts(parts)
    if not parts:
        return Pattern((), style, Shape.EXACT, "", glob)
    head = parts[0] if isinstance(parts[0], str) else ""
    rest = parts[1:] if head else parts
    if not rest and style is not Style.ARN:
        return Pattern(parts, style, Shape.EXACT, head, glob)
    if style is Style.PLAIN and rest and all(part is Wildcard.ANY for part in rest):
        return Pattern(parts, style, Shape.PREFIX, head, glob)
    return Pattern(parts, style, Shape.GENERAL, head if style is not Style.IGNORE_CASE else "", glob)


@dataclass(frozen=True, slots=True)
class Automaton:
    """All patterns of a language side by side in one bit set of positions."""

    start: int
    accept: int
    universal: int
    """Positions from which every continuation is accepted."""
    letters: dict[str, int]
    one: int
    star: int
    one_within: int
    star_within: int
    """Wildcards of ARNs, which no colon passes."""
    folds: bool

    def step(self, state: int, letter: str) -> int:
        """Give the positions after one more letter; 0 if nothing in the language begins so."""
        if self.folds:
            letter = letter.lower()
        moving, staying = self.letters.get(letter, 0) | self.one, self.star
        if letter != ":":
            moving |= self.one_within
            staying |= self.star_within
        after = (state & moving) << 1 | (state & staying)
        return after | (after & (self.star | self.star_within)) << 1

    def next_letters(self, state: int) -> Iterator[str]:
        """Give the letters that are treated differently from all others here."""
        for letter, mask in self.letters.items():
            if mask & state:
                yield letter
        if state & (self.one_within | self.star_within):
            yield ":"


@dataclass(frozen=True)
class Language:
    """The strings that fit any of the patterns."""

    patterns: tuple[Pattern, ...]
    _automata: list[tuple[Automaton, ...]] = field(default_factory=list, compare=False, repr=False)
    _exact: frozenset[str] = field(init=False, compare=False, repr=False)
    _heads: tuple[str, ...] = field(init=False, compare=False, repr=False)
    _general: tuple[Pattern, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        exact: list[str] = []
        heads: list[str] = []
        general: list[Pattern] = []
        for pattern in self.patterns:
            if pattern.style is not Style.PLAIN or pattern.shape is Shape.GENERAL:
                general.append(pattern)
            else:
                (exact if pattern.shape is Shape.EXACT else heads).append(pattern.head)
        for name, value in (("_exact", frozenset(exact)), ("_heads", tuple(heads)), ("_general", tuple(general))):
            object.__setattr__(self, name, value)

    def holds(self, text: str) -> bool:
        """Hold iff the text is in the language."""
        if text in self._exact or text.startswith(self._heads):
            return True
        for pattern in self._general:  # noqa: SIM110 - asked very often, and a generator costs as much as a match
            if pattern.holds(text):
                return True
        return False

    @property
    def is_simple(self) -> bool:
        """Hold iff it has exact strings and prefixes alone."""
        return not self._general

    @property
    def is_one(self) -> bool:
        """Hold iff it has one exact string alone."""
        return len(self.patterns) == 1 and self.patterns[0].shape is Shape.EXACT and self.is_simple

    def automata(self) -> tuple[Automaton, ...]:
        """Give its automata, made once: one for the patterns that ignore case, one for the others."""
        if not self._automata:
            folding = [p for p in self.patterns if p.style is Style.IGNORE_CASE]
            others = [p for p in self.patterns if p.style is not Style.IGNORE_CASE]
            made = tuple(_build(group, folds=group is folding) for group in (others, folding) if group)
            self._automata.append(made)
        return self._automata[0]


def _build(patterns: Iterable[Pattern], *, folds: bool) -> Automaton:
    start = accept = universal = one = star = one_within = star_within = 0
    letters: dict[str, int] = {}
    at = 0
    for pattern in patterns:
        start |= 1 << at
        colons = 0
        previous_star = False
        for symbol in _symbols(pattern.parts):
            within = pattern.style is Style.ARN and colons < ARN_FIELDS - 1
            if symbol is Wildcard.ANY:
                if previous_star:
                    continue
                if within:
                    star_within |= 1 << at
                else:
                    star |= 1 << at
            elif symbol is Wildcard.ONE:
                if within:
                    one_within |= 1 << at
                else:
                    one |= 1 << at
            else:
                letters[symbol] = letters.get(symbol, 0) | 1 << at
                colons += symbol == ":"
            previous_star = symbol is Wildcard.ANY
            at += 1
        is_arn = pattern.style is not Style.ARN or colons >= ARN_FIELDS - 1
        if is_arn:
            accept |= 1 << at
            if previous_star and not star_within >> (at - 1) & 1:
                universal |= 1 << (at - 1)
        at += 1
    start |= (start & (star | star_within)) << 1
    return Automaton(start, accept, universal, letters, one, star, one_within, star_within, folds)


def _symbols(parts: Parts) -> Iterator[str | Wildcard]:
    for part in parts:
        if isinstance(part, str):
            yield from part
        else:
            yield part
