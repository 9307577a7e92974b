"""Conditions and statements in words."""

from __future__ import annotations

from collections.abc import Iterable

from keyhole.iam.model import Condition, Element
from keyhole.iam.showing import printable

_VERBS = {
    "StringEquals": "is",
    "StringNotEquals": "is not",
    "StringEqualsIgnoreCase": "is, in any case of letters,",
    "StringNotEqualsIgnoreCase": "is not, in any case of letters,",
    "StringLike": "is like",
    "StringNotLike": "is not like",
    "ArnEquals": "is like",
    "ArnLike": "is like",
    "ArnNotEquals": "is not like",
    "ArnNotLike": "is not like",
    "IpAddress": "is in",
    "NotIpAddress": "is not in",
    "NumericEquals": "is",
    "NumericNotEquals": "is not",
    "NumericLessThan": "is less than",
    "NumericLessThanEquals": "is at most",
    "NumericGreaterThan": "is more than",
    "NumericGreaterThanEquals": "is at least",
    "DateEquals": "is",
    "DateNotEquals": "is not",
    "DateLessThan": "is before",
    "DateLessThanEquals": "is no later than",
    "DateGreaterThan": "is after",
    "DateGreaterThanEquals": "is no earlier than",
    "Bool": "is",
    "BinaryEquals": "is",
}
_NEGATIVE = ("Not",)
_QUALIFIERS = {"ForAllValues": "each value of ", "ForAnyValue": "some value of "}


def describe_condition(condition: Condition) -> str:
    """Give the condition as a clause: "aws:SourceIp is in 203.0.113.0/24"."""
    if condition.operator == "Null":
        is_absent = any(value.lower() == "true" for value in condition.values)
        return printable(f"{condition.key} is {'absent' if is_absent else 'there'}")
    verb = _VERBS.get(condition.operator, condition.operator)
    negated = any(word in condition.operator for word in _NEGATIVE)
    values = _join(condition.values, "nor" if negated else "or") or "nothing"
    clause = printable(f"{_QUALIFIERS.get(condition.qualifier, '')}{condition.key} {verb} {values}")
    return f"{clause}, or it is absent" if condition.if_exists else clause


def describe_conditions(conditions: Iterable[Condition]) -> str:
    """Give all of them as one sentence's part, "" for none."""
    return "; and ".join(map(describe_condition, conditions))


def describe_element(element: Element | None) -> str:
    """Give actions or resources as they are written, or what they leave out."""
    if element is None:
        return "this role"
    listed = printable(", ".join(element.patterns))
    return f"all but {listed}" if element.negated else listed


def _join(values: tuple[str, ...], word: str) -> str:
    if len(values) < 2:
        return "".join(values)
    return f"{', '.join(values[:-1])} {word} {values[-1]}"
