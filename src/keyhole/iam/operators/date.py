"""Date operators: ISO 8601 in the W3C profile, or epoch seconds; without a time zone it is UTC.

AWS: "IAM JSON policy elements: Condition operators", Date condition operators.
W3C: "Date and Time Formats", https://www.w3.org/TR/NOTE-datetime
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from keyhole.iam.match import Parts, join_parts
from keyhole.iam.operators.operator import Compare, Operator

_EPOCH = re.compile(r"-?[0-9]{5,18}(?:\.[0-9]{1,9})?", re.ASCII)
_ISO = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:[Tt](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<zone_hour>[0-9]{2}):?(?P<zone_minute>[0-9]{2}))?)?)?)?",
    re.ASCII,
)
_SMALLEST = Fraction(1, 10**9)
_START = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def parse_date(text: str) -> Fraction | None:
    """The seconds since 1970 that the text names, or None; four digits are a year."""
    if _EPOCH.fullmatch(text):
        return Fraction(text)
    found = _ISO.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, zone_hour, zone_minute = (
        int(found[name] or default)
        for name, default in (
            ("year", 0),
            ("month", 1),
            ("day", 1),
            ("hour", 0),
            ("minute", 0),
            ("second", 0),
            ("zone_hour", 0),
            ("zone_minute", 0),
        )
    )
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    if zone_hour > 23 or zone_minute > 59:
        return None
    offset_s = (zone_hour * 60 + zone_minute) * 60 * (-1 if found["sign"] == "-" else 1)
    seconds = (moment - _START) // timedelta(seconds=1) - offset_s
    return seconds + Fraction(f"0.{found['fraction'] or 0}")


def _comparing(relation: Callable[[Fraction, Fraction], bool]) -> Compare:
    """The comparison `given relation wanted`."""

    def compare(wanted: Parts, given: str) -> bool | None:
        left, right = parse_date(given), parse_date(join_parts(wanted))
        return None if left is None or right is None else relation(left, right)

    return compare


def cut_dates(values: tuple[str, ...]) -> tuple[str, ...]:
    """Each moment, one between each two, some before all and after; two a nanosecond apart have none between."""
    points = sorted({moment for moment in map(parse_date, values) if moment is not None})
    if not points:
        return ("2026-01-01T00:00:00Z",)
    between = [_between(low, high) for low, high in pairwise(points)]
    before = [points[0] - 86_400, points[0] - _SMALLEST]
    found = [*before, *points, *between, points[-1] + 86_400, points[-1] + _SMALLEST]
    return tuple(text for moment in found if (text := _write(moment)))


def _between(low: Fraction, high: Fraction) -> Fraction:
    """Give a whole second between the two if there is one in the middle, else the first moment after the lower one."""
    middle = Fraction((low + high) // 2)
    return middle if low < middle < high else low + _SMALLEST


def _write(moment: Fraction) -> str:
    """Give the moment as a text that is read as the same moment; "" if there is none."""
    seconds, rest = divmod(moment, 1)
    digits = f"{int(rest * 10**9):09d}".rstrip("0")
    try:
        iso = (_START + timedelta(seconds=int(seconds))).strftime("%Y-%m-%dT%H:%M:%S").zfill(19)
        text = f"{iso}{'.' + digits if digits else ''}Z"
    except OverflowError:
        whole, rest = divmod(abs(moment), 1)
        digits = f"{int(rest * 10**9):09d}".rstrip("0")
        text = f"{'-' if moment < 0 else ''}{int(whole)}{'.' + digits if digits else ''}"
    return text if parse_date(text) == moment else ""


OPERATORS = (
    Operator("DateEquals", _comparing(operator.eq), cut=cut_dates),
    Operator("DateNotEquals", _comparing(operator.eq), negated=True, cut=cut_dates),
    Operator("DateLessThan", _comparing(operator.lt), cut=cut_dates),
    Operator("DateLessThanEquals", _comparing(operator.le), cut=cut_dates),
    Operator("DateGreaterThan", _comparing(operator.gt), cut=cut_dates),
    Operator("DateGreaterThanEquals", _comparing(operator.ge), cut=cut_dates),
)
