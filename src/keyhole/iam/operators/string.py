"""String operators: equality with and without case, and wildcards.

AWS: "IAM JSON policy elements: Condition operators", String condition operators.
"""

from __future__ import annotations

from keyhole.iam.match import Parts, join_parts, match_pattern
from keyhole.iam.operators.operator import Operator, Texts
from keyhole.iam.symbolic.language import Style


def equals(wanted: Parts, given: str) -> bool:
    """Hold iff both are the same, where `*` and `?` are ordinary characters."""
    return join_parts(wanted) == given


def equals_ignoring_case(wanted: Parts, given: str) -> bool:
    """Hold iff both are the same but for upper and lower case."""
    return join_parts(wanted).lower() == given.lower()


def like(wanted: Parts, given: str) -> bool:
    """Hold iff the whole value fits the pattern."""
    return match_pattern(wanted, given)


_SAME = Texts(Style.PLAIN, wildcards=False)
_SAME_BUT_CASE = Texts(Style.IGNORE_CASE, wildcards=False)
_FITTING = Texts(Style.PLAIN, wildcards=True)

OPERATORS = (
    Operator("StringEquals", equals, variables=True, texts=_SAME),
    Operator("StringNotEquals", equals, negated=True, variables=True, texts=_SAME),
    Operator("StringEqualsIgnoreCase", equals_ignoring_case, variables=True, texts=_SAME_BUT_CASE),
    Operator("StringNotEqualsIgnoreCase", equals_ignoring_case, negated=True, variables=True, texts=_SAME_BUT_CASE),
    Operator("StringLike", like, variables=True, texts=_FITTING),
    Operator("StringNotLike", like, negated=True, variables=True, texts=_FITTING),
)
