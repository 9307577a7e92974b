"""Wildcard patterns and how they match, in time linear in the text: there is no backtracking.

`*` is any run of characters, `?` any single one, every other character is itself.
AWS: IAM User Guide, "IAM JSON policy elements: Resource", "… Action" and "… Condition operators".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

ARN_FIELDS = 6


class Wildcard(Enum):
    """The two characters of a pattern that stand for others."""

    ANY = "*"
    ONE = "?"


Parts = tuple[str | Wildcard, ...]
"""A pattern taken apart, so that a `*` which arrived inside a substituted value stays a literal string."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What stands between two `*`: a literal text, in which `masks` has the `?` (None where there is no `?`).

    `masks` holds, per character, the bit set of the positions that it fits; `any_mask` those of the `?`.
    """

    text: str
    masks: dict[str, int] | None = None
    any_mask: int = 0


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled pattern: segments with a `*` between each two; one segment means that there is no `*`."""

    segments: tuple[Segment, ...]
    min_length: int


@lru_cache(maxsize=8192)
def split_wildcards(pattern: str) -> Parts:
    """The parts of a pattern as written, where every `*` and `?` is a wildcard."""
    if "*" not in pattern and "?" not in pattern:
        return (pattern,)
    parts: list[str | Wildcard] = []
    start = 0
    for index, character in enumerate(pattern):
        if character in "*?":
            if index > start:
                parts.append(pattern[start:index])
            parts.append(Wildcard(character))
            start = index + 1
    if start < len(pattern):
        parts.append(pattern[start:])
    return tuple(parts)


def join_parts(parts: Parts) -> str:
    """The text of a pattern for operators to which `*` and `?` are ordinary characters."""
    return "".join(part if isinstance(part, str) else part.value for part in parts)


def compile_parts(parts: Iterable[str | Wildcard]) -> Glob:
    """The glob of a pattern taken apart; runs of `*` count as one."""
    segments: list[Segment] = []
    current: list[str | None] = []
    for part in parts:
        if isinstance(part, str):
            current.extend(part)
        elif part is Wildcard.ONE:
            current.append(None)
        else:
            if current or not segments:
                segments.append(_compile_segment(current))
            current = []
    segments.append(_compile_segment(current))
    return Glob(tuple(segments), sum(len(segment.text) for segment in segments))


def _compile_segment(characters: list[str | None]) -> Segment:
    text = "".join(character or "?" for character in characters)
    if None not in characters:
        return Segment(text)
    masks: dict[str, int] = {}
    any_mask = 0
    for position, character in enumerate(characters):
        if character is None:
            any_mask |= 1 << position
        else:
            masks[character] = masks.get(character, 0) | 1 << position
    return Segment(text, {character: mask | any_mask for character, mask in masks.items()}, any_mask)


@lru_cache(maxsize=8192)
def compile_glob(pattern: str) -> Glob:
    """The glob of a pattern as written."""
    return compile_parts(split_wildcards(pattern))


def match_glob(glob: Glob, text: str) -> bool:
    """Hold iff the whole text fits; the leftmost place for each segment is the best one, so none is tried twice."""
    if len(text) < glob.min_length:
        return False
    segments = glob.segments
    first = segments[0]
    if len(segments) == 1:
        return len(text) == len(first.text) and _fits(first, text)
    last = segments[-1]
    end = len(text) - len(last.text)
    if not (_fits(first, text[: len(first.text)]) and _fits(last, text[end:])):
        return False
    position = len(first.text)
    for segment in segments[1:-1]:
        found = _find(segment, text, position, end)
        if found < 0:
            return False
        position = found + len(segment.text)
    return True


def _fits(segment: Segment, text: str) -> bool:
    """Hold iff a text of the segment's length fits it character by character."""
    if segment.masks is None:
        return segment.text == text
    masks, any_mask = segment.masks, segment.any_mask
    return all(masks.get(character, any_mask) >> position & 1 for position, character in enumerate(text))


def _find(segment: Segment, text: str, start: int, end: int) -> int:
    """The leftmost place of a segment in text[start:end], or -1: one step per character (shift-and), never more."""
    if segment.masks is None:
        return text.find(segment.text, start, end)
    masks, any_mask = segment.masks, segment.any_mask
    complete = 1 << (len(segment.text) - 1)
    state = 0
    for index in range(start, end):
        state = (state << 1 | 1) & masks.get(text[index], any_mask)
        if state & complete:
            return index - len(segment.text) + 1
    return -1


def match_pattern(pattern: str | Parts, text: str) -> bool:
    """Hold iff the whole text fits the pattern, case-sensitively."""
    return match_glob(compile_glob(pattern) if isinstance(pattern, str) else compile_parts(pattern), text)


@lru_cache(maxsize=8192)
def _compile_action(pattern: str) -> Glob | None:
    """The glob of an action pattern in lower case, or None where it is malformed."""
    if pattern == "*":
        return compile_glob(pattern)
    return compile_glob(pattern.lower()) if is_action_pattern(pattern) else None


def is_action_pattern(pattern: str) -> bool:
    """Hold iff the pattern of an action is well-formed: `service:name`, or `*`."""
    if pattern == "*":
        return True
    service, colon, name = pattern.partition(":")
    has_vendor = service == "*" or (service != "" and not {"*", "?"} & set(service))
    is_plain = pattern.isascii() and pattern.isprintable() and " " not in pattern and "," not in pattern
    return bool(colon and name and has_vendor and is_plain)


def match_action(pattern: str, action: str) -> bool:
    """Hold iff the action is one that the pattern names, whatever the case; a malformed pattern names none.

    AWS: "IAM JSON policy elements: Action": `service:name`, where the prefix and the name are case-insensitive.
    """
    glob = _compile_action(pattern)
    return glob is not None and match_glob(glob, action.lower())


def match_resource(pattern: str | Parts, resource: str) -> bool:
    """Hold iff the whole resource fits, case-sensitively; `*` crosses `/` and `:`.

    An action that takes no resource is asked about as `*`, and only a pattern of nothing but `*` names it.
    AWS: "IAM JSON policy elements: Resource".
    """
    if resource == "*":
        parts = split_wildcards(pattern) if isinstance(pattern, str) else pattern
        return bool(parts) and all(part is Wildcard.ANY for part in parts)
    return match_pattern(pattern, resource)


def complete_arn(pattern: str) -> str:
    """The pattern with `*` for every field that an incomplete ARN leaves out: `arn:aws:sqs` is `arn:aws:sqs:*:*:*`.

    AWS: "Identify AWS resources with ARNs", paths in ARNs: true of identity-based policies only.
    """
    if not pattern.startswith("arn:"):
        return pattern
    return pattern + ":*" * max(0, ARN_FIELDS - 1 - pattern.count(":"))


def has_arn_fields(pattern: Parts) -> bool:
    """Hold iff the pattern has the six fields of an ARN."""
    return len(_compile_fields(pattern)) == ARN_FIELDS


def match_arn(pattern: str | Parts, arn: str) -> bool:
    """Hold iff each of the six ARN fields matches; `*` never crosses a `:` of the first five.

    What has fewer than six fields is no ARN and matches nothing.
    AWS: "IAM JSON policy elements: Condition operators", Amazon Resource Name (ARN) condition operators.
    """
    fields = arn.split(":", ARN_FIELDS - 1)
    globs = _compile_arn(pattern) if isinstance(pattern, str) else _compile_fields(pattern)
    if len(fields) != ARN_FIELDS or len(globs) != ARN_FIELDS:
        return False
    return all(map(match_glob, globs, fields))


@lru_cache(maxsize=8192)
def _compile_arn(pattern: str) -> tuple[Glob, ...]:
    return _compile_fields(split_wildcards(pattern))


def _compile_fields(parts: Parts) -> tuple[Glob, ...]:
    """The glob of each colon-separated field; the sixth keeps its colons."""
    fields: list[list[str | Wildcard]] = [[]]
    for part in parts:
        if isinstance(part, Wildcard):
            fields[-1].append(part)
            continue
        head, *rest = part.split(":", ARN_FIELDS - len(fields))
        fields[-1].append(head)
        fields.extend([text] for text in rest)
    return tuple(compile_parts(field) for field in fields)
