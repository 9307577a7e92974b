"""A condition operator: how one value of a policy compares with one value of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keyhole.iam.match import Parts

Compare = Callable[[Parts, str], bool | None]
"""Of a policy value and a request value: hold, not hold, or None where either does not parse."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A base operator: `StringNotLike` is `negated` and compares as `StringLike` does.

    `variables`: policy variables in its values are filled in (elsewhere `${…}` is plain text).
    `doubts`: what does not parse leaves it UNKNOWN; otherwise it fails, and only a negated operator is UNKNOWN.
    """

    name: str
    compare: Compare
    negated: bool = False
    variables: bool = False
    doubts: bool = False
