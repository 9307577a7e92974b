"""The table of condition operators by name, and the reading of a full name such as `ForAnyValue:StringLikeIfExists`."""

from __future__ import annotations

from collections.abc import Mapping

from keyhole.iam.operators import arn, binary, boolean, date, ip, null, numeric, string
from keyhole.iam.operators.operator import Operator

OPERATORS: Mapping[str, Operator] = {
    operator.name.lower(): operator
    for module in (string, arn, numeric, date, boolean, ip, binary, null)
    for operator in module.OPERATORS
}
"""Every base operator under its name in lower case."""

QUALIFIERS: Mapping[str, str] = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}


def find_operator(name: str) -> Operator | None:
    """The base operator of that name, or None: an operator that is not known is UNKNOWN, never skipped."""
    return OPERATORS.get(name.lower())


def split_operator(name: str) -> tuple[str, str, bool]:
    """The qualifier, base operator and `IfExists` of a full name; an unknown name is given back whole."""
    prefix, colon, rest = name.partition(":")
    qualifier = QUALIFIERS.get(prefix.lower(), "") if colon else ""
    if colon and not qualifier:
        return "", name, False
    base = rest if colon else name
    operator = find_operator(base)
    if operator:
        return qualifier, operator.name, False
    if base.lower().endswith("ifexists"):
        operator = find_operator(base[: -len("IfExists")])
        if operator and operator is not null.NULL:
            return qualifier, operator.name, True
    return "", name, False
