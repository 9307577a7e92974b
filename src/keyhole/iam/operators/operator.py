"""A condition operator: how one value of a policy compares with one value of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keyhole.iam.match import Parts
from keyhole.iam.symbolic.language import Style

Compare = Callable[[Parts, str], bool | None]
"""Of a policy value and a request value: hold, not hold, or None where either does not parse."""


Cut = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Of policy values: request values, one at least of each part into which comparing with them cuts all there are."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The set of texts that a value stands for: how it is compared, and whether `*` and `?` are wildcards in it."""

    style: Style
    wildcards: bool


@dataclass(frozen=True, slots=True)
class Operator:
    """A base operator: `StringNotLike` is `negated` and compares as `StringLike` does.

    `variables`: policy variables in its values are filled in (elsewhere `${…}` is plain text).
    `doubts`: what does not parse leaves it UNKNOWN; otherwise it fails, and only a negated operator is UNKNOWN.
    `texts` or `cut`: what its values mean as a set, for questions about all requests.
    """

    name: str
    compare: Compare
    negated: bool = False
    variables: bool = False
    doubts: bool = False
    texts: Texts | None = None
    cut: Cut | None = None
