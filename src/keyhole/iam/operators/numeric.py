"""Numeric operators: integers and decimals, compared exactly.

AWS: "IAM JSON policy elements: Condition operators", Numeric condition operators.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal, localcontext
from functools import lru_cache
from itertools import pairwise

from keyhole.iam.match import Parts, join_parts
from keyhole.iam.operators.operator import Compare, Operator

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)

_HALF = Decimal("0.5")
_MOST_DIGITS = 40


@lru_cache(maxsize=4096)
def parse_number(text: str) -> Decimal | None:
    """The number that the text is, or None."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _comparing(relation: Callable[[Decimal, Decimal], bool]) -> Compare:
    """The comparison `given relation wanted`."""

    def compare(wanted: Parts, given: str) -> bool | None:
        left, right = parse_number(given), parse_number(join_parts(wanted))
        return None if left is None or right is None else relation(left, right)

    return compare


def cut_numbers(values: tuple[str, ...]) -> tuple[str, ...]:
    """Each number, one between each two, one below all and one above."""
    points = sorted({number for number in map(parse_number, values) if number is not None})
    if not points:
        return ("0",)
    with localcontext() as context:
        context.prec = 60_000  # exact: exponents have four digits at most, and a policy 20,480 characters
        between = [(low + high) * _HALF for low, high in pairwise(points)]
        found = [points[0] - 1, *points, *between, points[-1] + 1]
    return tuple(map(_write, found))


def _write(number: Decimal) -> str:
    """Give the number as a text: digits, but where these would be very many and an exponent says the same."""
    if abs(number.adjusted()) > _MOST_DIGITS and _NUMBER.fullmatch(text := str(number)):
        return text
    return format(number, "f")


OPERATORS = (
    Operator("NumericEquals", _comparing(operator.eq), cut=cut_numbers),
    Operator("NumericNotEquals", _comparing(operator.eq), negated=True, cut=cut_numbers),
    Operator("NumericLessThan", _comparing(operator.lt), cut=cut_numbers),
    Operator("NumericLessThanEquals", _comparing(operator.le), cut=cut_numbers),
    Operator("NumericGreaterThan", _comparing(operator.gt), cut=cut_numbers),
    Operator("NumericGreaterThanEquals", _comparing(operator.ge), cut=cut_numbers),
)
