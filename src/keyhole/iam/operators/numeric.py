"""Numeric operators: integers and decimals, compared exactly.

AWS: "IAM JSON policy elements: Condition operators", Numeric condition operators.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal

from keyhole.iam.match import Parts, join_parts
from keyhole.iam.operators.operator import Compare, Operator

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)


def parse_number(text: str) -> Decimal | None:
    """The number that the text is, or None."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _comparing(relation: Callable[[Decimal, Decimal], bool]) -> Compare:
    """The comparison `given relation wanted`."""

    def compare(wanted: Parts, given: str) -> bool | None:
        left, right = parse_number(given), parse_number(join_parts(wanted))
        return None if left is None or right is None else relation(left, right)

    return compare


OPERATORS = (
    Operator("NumericEquals", _comparing(operator.eq)),
    Operator("NumericNotEquals", _comparing(operator.eq), negated=True),
    Operator("NumericLessThan", _comparing(operator.lt)),
    Operator("NumericLessThanEquals", _comparing(operator.le)),
    Operator("NumericGreaterThan", _comparing(operator.gt)),
    Operator("NumericGreaterThanEquals", _comparing(operator.ge)),
)
