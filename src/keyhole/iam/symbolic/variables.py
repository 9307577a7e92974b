"""Policy variables in a pattern: filled in where the key is given; where it is free the pattern gets an upper bound.

AWS: IAM User Guide, "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keyhole.iam.match import ARN_FIELDS, Parts, Wildcard, split_wildcards
from keyhole.iam.model import ContextValue
from keyhole.iam.variables import LITERALS, has_variables, split_default

Given = Mapping[str, ContextValue | None]
"""What is known of condition keys, in lower case: None of one that is absent; a key that is not there is free."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """A pattern with its variables filled in.

    `is_known`: every one has a value; otherwise `parts` has a `*` in its place, and covers more. `starts_late`: none
    stands before the fifth colon, where AWS takes none.
    """

    parts: Parts
    is_known: bool
    has_variables: bool
    starts_late: bool = True
    free: tuple[str, ...] = ()
    """The keys whose values would make it known."""


def expand(text: str, given: Given, version: str, *, wildcards: bool = True) -> Expanded | None:
    """Give the pattern, None where a variable certainly has no value. Without `wildcards`, `*` and `?` are letters."""
    split = split_wildcards if wildcards else _as_text
    if not has_variables(text, version):
        return Expanded(split(text), is_known=True, has_variables=False)
    parts: list[str | Wildcard] = []
    position = 0
    free: list[str] = []
    while (start := text.find("${", position)) >= 0 and (end := text.find("}", start)) >= 0:
        parts.extend(split(text[position:start]))
        expression = text[start + 2 : end]
        key, default = split_default(expression)
        if expression in LITERALS:
            parts.append(expression)
        elif key.lower() not in given:
            parts.append(Wildcard.ANY)
            free.append(key.lower())
        else:
            value = given[key.lower()]
            value = default if value is None else value
            if not isinstance(value, str):
                return None
            parts.append(value)
        position = end + 1
    parts.extend(split(text[position:]))
    late = text.partition("${")[0].count(":") >= ARN_FIELDS - 1
    return Expanded(_join(parts), not free, has_variables=True, starts_late=late, free=tuple(free))


def _as_text(text: str) -> Parts:
    return (text,) if text else ()


def _join(parts: list[str | Wildcard]) -> Parts:
    """Give the parts with neighbouring texts joined, so that equal patterns are equal."""
    joined: list[str | Wildcard] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return tuple(joined)
