"""Is there a string in all of some languages and in none of others? If so, one that a person believes at a glance.

Exact strings and prefixes, of which nearly all policies are made, are decided by comparing their heads; anything else
by walking all automata side by side, shortest strings first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from keyhole.iam.match import Wildcard
from keyhole.iam.symbolic.budget import Budget, BudgetError
from keyhole.iam.symbolic.language import Automaton, Language, Pattern, Shape, Style

# What stands for any letter that no pattern speaks of; one of them is always free.
_OTHERS = "xyzabcdefghijklmnopqrstuvw0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_."
_STATE = 200
_MOST_BYTES = 200 << 20
"""What the states of one walk may take, each of them about `_STATE` bytes and one bit for each position."""
_ENDINGS = ("example", "file.txt", "x", "0", "-1", "~")


def find_string(within: Sequence[Language], outside: Sequence[Language], budget: Budget) -> str | None:
    """Give a string that is in each of `within` and in none of `outside`; None if there is none.

    Raises: BudgetError if that cannot be told within the budget.
    """
    budget.spend(1)
    if not within:
        return _find_free(outside, budget)
    if any(language in outside for language in within):
        return None
    smallest = min(within, key=lambda language: len(language.patterns))
    others = [language for language in within if language is not smallest]
    for pattern in smallest.patterns:
        found = _find_in(pattern, others, outside, budget)
        if found is not None:
            return found
    return None


def _find_free(outside: Sequence[Language], budget: Budget) -> str | None:
    for text in _ENDINGS:
        if not any(language.holds(text) for language in outside):
            return text
    return _walk((), outside, budget)


def _find_in(pattern: Pattern, within: Sequence[Language], outside: Sequence[Language], budget: Budget) -> str | None:
    if pattern.shape is Shape.EXACT and pattern.style is Style.PLAIN:
        text = pattern.head
        is_in = all(language.holds(text) for language in within)
        return text if is_in and not any(language.holds(text) for language in outside) else None
    if _is_ruled_out(pattern, within) or _is_covered(pattern, outside):
        return None
    for text in _examples(pattern):
        if all(language.holds(text) for language in within) and not any(language.holds(text) for language in outside):
            return text
    if pattern.shape is Shape.PREFIX and all(language.is_simple for language in (*within, *outside)):
        return _find_simple(pattern, within, outside, budget)
    found = _walk((Language((pattern,)), *within), _meeting(pattern, outside), budget)
    return found if found is None else _polish(found, (Language((pattern,)), *within), outside)


def _is_ruled_out(pattern: Pattern, within: Sequence[Language]) -> bool:
    """Hold if the heads alone show that no string is in all."""
    return any(not any(_may_meet(pattern, other) for other in language.patterns) for language in within)


def _is_covered(pattern: Pattern, outside: Sequence[Language]) -> bool:
    """Hold if one pattern alone shows that all its strings are to be left out."""
    for language in outside:
        for other in language.patterns:
            if other is pattern or other == pattern:
                return True
            if other.shape is Shape.PREFIX and pattern.head.startswith(other.head):
                return pattern.style is not Style.IGNORE_CASE
    return False


def _examples(pattern: Pattern) -> Iterator[str]:
    """Give a few strings of the pattern."""
    for run in ("example", "x", "", "0"):
        text = "".join(
            part if isinstance(part, str) else "x" if part is Wildcard.ONE else run for part in pattern.parts
        )
        if pattern.holds(text):
            yield text


def _meeting(pattern: Pattern, outside: Sequence[Language]) -> list[Language]:
    """Give what of the others can have a string in common with the pattern, judging by the heads."""
    kept = [tuple(other for other in language.patterns if _may_meet(pattern, other)) for language in outside]
    return [Language(patterns) for patterns in kept if patterns]


def _may_meet(one: Pattern, other: Pattern) -> bool:
    if Style.IGNORE_CASE in {one.style, other.style}:
        return True
    if other.shape is Shape.EXACT:
        return other.head.startswith(one.head)
    return one.head.startswith(other.head) or other.head.startswith(one.head)


def _find_simple(
    prefix: Pattern, within: Sequence[Language], outside: Sequence[Language], budget: Budget
) -> str | None:
    """Prefixes and exact strings: what two of them share is the longer one, or nothing."""
    regions = [prefix]
    for language in within:
        met = (_meet(region, other) for region in regions for other in language.patterns)
        regions = [region for region in dict.fromkeys(met) if region is not None]
        budget.spend(len(regions))
    for region in regions:
        if region.shape is Shape.EXACT:
            if not any(language.holds(region.head) for language in outside):
                return region.head
        elif not any(
            other.shape is Shape.PREFIX and region.head.startswith(other.head)
            for language in outside
            for other in language.patterns
        ):
            return _extend(region.head, outside)
    return None


def _meet(one: Pattern, other: Pattern) -> Pattern | None:
    shorter, longer = (one, other) if len(one.head) <= len(other.head) else (other, one)
    if not longer.head.startswith(shorter.head):
        return None
    if shorter.shape is Shape.PREFIX:
        return longer
    return shorter if len(shorter.head) == len(longer.head) else None


def _extend(head: str, outside: Sequence[Language]) -> str:
    """Give a string that begins so and is in none of the simple languages, none of which has all of these."""
    for ending in ("" if head and not head.endswith(("/", ":")) else "example", *_ENDINGS):
        text = head + ending
        if not any(language.holds(text) for language in outside):
            return text
    taken = {
        other.head[len(head) : len(head) + 1]
        for language in outside
        for other in language.patterns
        if other.head.startswith(head)
    }
    longest = max(len(other.head) for language in outside for other in language.patterns)
    return head + _free_letter(taken) * (longest + 1)


def _free_letter(taken: Iterable[str]) -> str:
    used = set(taken)
    for letter in _OTHERS:
        if letter not in used:
            return letter
    return next(
        chr(code) for code in range(0x100, 0x10FFFF) if chr(code) not in used and chr(code).lower() == chr(code)
    )


def _walk(within: Sequence[Language], outside: Sequence[Language], budget: Budget) -> str | None:
    """Breadth first over the product of the automata; a state is their bit sets."""
    groups = [language.automata() for language in (*within, *outside)]
    flat = [automaton for group in groups for automaton in group]
    spans: list[tuple[int, int]] = []
    for group in groups:
        begin = spans[-1][1] if spans else 0
        spans.append((begin, begin + len(group)))
    inside, beyond = spans[: len(within)], spans[len(within) :]
    start = tuple(automaton.start for automaton in flat)
    came: dict[tuple[int, ...], tuple[tuple[int, ...], str] | None] = {start: None}
    queue = deque([start])
    size = sum(automaton.accept.bit_length() for automaton in flat) // 8 + _STATE
    while queue:
        state = queue.popleft()
        budget.spend(1)
        if len(came) * size > _MOST_BYTES:
            raise BudgetError(f"it takes more than {_MOST_BYTES >> 20} MiB")
        if _is_accepted(state, flat, inside, beyond):
            return _trace_back(state, came)
        for letter in _letters_at(state, flat):
            after = tuple(
                automaton.step(mask, letter) if mask else 0 for automaton, mask in zip(flat, state, strict=True)
            )
            if after in came or _is_hopeless(after, flat, inside, beyond):
                continue
            came[after] = (state, letter)
            queue.append(after)
    return None


def _is_accepted(
    state: tuple[int, ...], flat: list[Automaton], inside: list[tuple[int, int]], beyond: list[tuple[int, int]]
) -> bool:
    return all(any(state[i] & flat[i].accept for i in range(*span)) for span in inside) and not any(
        state[i] & flat[i].accept for span in beyond for i in range(*span)
    )


def _is_hopeless(
    state: tuple[int, ...], flat: list[Automaton], inside: list[tuple[int, int]], beyond: list[tuple[int, int]]
) -> bool:
    return any(not any(state[span[0] : span[1]]) for span in inside) or any(
        state[i] & flat[i].universal for span in beyond for i in range(*span)
    )


def _letters_at(state: tuple[int, ...], flat: list[Automaton]) -> list[str]:
    """Give the letters that matter here, and one that stands for all others, which is tried first."""
    letters: dict[str, None] = {}
    for automaton, mask in zip(flat, state, strict=True):
        for letter in automaton.next_letters(mask):
            letters[letter] = None
            if automaton.folds:
                for variant in _VARIANTS.get(letter, (letter.upper(),)):
                    letters[variant] = None
    return [_free_letter({*letters, *(letter.lower() for letter in letters)}), *letters]


_VARIANTS = {"k": ("K", "\N{KELVIN SIGN}"), "å": ("Å", "\N{ANGSTROM SIGN}")}
"""Letters that several others become in lower case."""


def _trace_back(state: tuple[int, ...], came: dict[tuple[int, ...], tuple[tuple[int, ...], str] | None]) -> str:
    letters: list[str] = []
    step = came[state]
    while step is not None:
        state, letter = step
        letters.append(letter)
        step = came[state]
    return "".join(reversed(letters))


def _polish(text: str, within: Sequence[Language], outside: Sequence[Language]) -> str:
    """Give a longer string that reads better, if it is one as well."""
    if text.endswith(("/", ":")) or not text:
        for ending in _ENDINGS:
            better = text + ending
            if all(language.holds(better) for language in within) and not any(
                language.holds(better) for language in outside
            ):
                return better
    return text
