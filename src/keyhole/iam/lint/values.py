"""Values of conditions that no request can have: texts where numbers belong, wildcards that are taken literally.

AWS: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from keyhole.iam.catalogue import ConditionKey, KeyType
from keyhole.iam.lint.report import PolicyWarning, WarningCode, condition_path
from keyhole.iam.match import ARN_FIELDS
from keyhole.iam.model import Condition

_FAMILIES = ("String", "Numeric", "Date", "Bool", "IpAddress", "Arn")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_FIXED_OPERATORS = frozenset({"StringEquals", "StringEqualsIgnoreCase"})


def family_of(condition: Condition) -> str:
    """The type of value that the operator compares: `Numeric` of NumericLessThan; "" of those that are not judged."""
    name = condition.operator.removeprefix("Not")
    return next((family for family in _FAMILIES if name.startswith(family)), "")


def check_values(condition: Condition, key: ConditionKey | None, path: str) -> Iterator[PolicyWarning]:
    """A warning for each value that equals nothing; one with a policy variable is not known before the request."""
    family = family_of(condition)
    for index, value in enumerate(condition.values):
        if "${" in value:
            continue
        fault = _find_text_fault(condition, key, value) if family == "String" else _find_fault(family, value)
        if fault is not None:
            yield PolicyWarning(WarningCode.VALUE_IMPOSSIBLE, condition_path(path, condition, index), *fault)


def _find_text_fault(condition: Condition, key: ConditionKey | None, value: str) -> tuple[str, str] | None:
    types = () if key is None else key.types
    if "/" in value and KeyType.IP_ADDRESS in types:
        return f"`{condition.operator}` takes `{value}` for a text, and no address equals it", "use `IpAddress`"
    has_wildcard = condition.operator in _FIXED_OPERATORS and bool({"*", "?"} & set(value))
    if has_wildcard and (KeyType.ARN in types or _is_subject(condition.key)):
        return f"`{condition.operator}` takes the wildcard in `{value}` literally", "use `StringLike`"
    return None


def _is_subject(key: str) -> bool:
    """Hold iff it is the subject that an identity provider vouches for, as in a role's trust policy for CI jobs."""
    provider, _, claim = key.lower().rpartition(":")
    return claim == "sub" and "." in provider


def _find_fault(family: str, value: str) -> tuple[str, str] | None:
    form = _FORMS.get(family)
    if form is None or form[0](value):
        return None
    return f"`{value}` is no {form[1]}", form[2]


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _may_be_arn(value: str) -> bool:
    return "*" in value or "?" in value or value.count(":") >= ARN_FIELDS - 1


_FORMS: dict[str, tuple[Callable[[str], bool], str, str]] = {
    "Numeric": (lambda value: _NUMBER.fullmatch(value) is not None, "number", "write digits"),
    "Date": (lambda value: bool(set("0123456789") & set(value)), "date", "write one such as `2026-01-31T23:59:59Z`"),
    "Bool": (lambda value: value.lower() in {"true", "false"}, "boolean", "write `true` or `false`"),
    "IpAddress": (_is_address, "IP address or range", "write one such as `203.0.113.0/24` or `2001:db8::/32`"),
    "Arn": (_may_be_arn, "ARN", "write all six fields, with `*` for any"),
}
"""By the operators' family: what a value of that type surely looks like, what it is called, and the fix."""
