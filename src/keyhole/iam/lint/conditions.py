"""Conditions whose operator does not suit the key, and keys that do not exist.

AWS: IAM User Guide, "IAM JSON policy elements: Condition operators", "Single-valued vs. multivalued context keys" and
"AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.iam.catalogue import ConditionKey, KeyType, find_condition_key, find_service, read_version
from keyhole.iam.catalogue.condition_keys import GLOBAL_KEYS
from keyhole.iam.lint.report import PolicyWarning, WarningCode, condition_path, suggest
from keyhole.iam.lint.values import check_values, family_of
from keyhole.iam.model import Condition, Effect, Statement
from keyhole.iam.operators.registry import OPERATORS, find_operator

_NULL = "Null"
_FOREIGN_TYPES = {
    "Numeric": {KeyType.ARN, KeyType.BOOL, KeyType.IP_ADDRESS},
    "Date": {KeyType.ARN, KeyType.BOOL, KeyType.IP_ADDRESS},
    "Bool": {KeyType.ARN, KeyType.IP_ADDRESS, KeyType.NUMERIC, KeyType.DATE},
    "IpAddress": {KeyType.ARN, KeyType.BOOL, KeyType.NUMERIC, KeyType.DATE},
    "Arn": {KeyType.BOOL, KeyType.IP_ADDRESS, KeyType.NUMERIC, KeyType.DATE},
}
"""Key types none of whose values an operator can read. A String may hold anything, and dates also come as numbers."""


def check_conditions(statement: Statement, path: str) -> Iterator[PolicyWarning]:
    """A warning for each condition that does not do what it says."""
    for condition in statement.conditions:
        place = condition_path(path, condition)
        if find_operator(condition.operator) is None:
            hint = suggest(condition.operator, (operator.name for operator in OPERATORS.values()))
            message = f"`{condition.name}` is no condition operator: whether the statement applies cannot be decided"
            yield PolicyWarning(WarningCode.OPERATOR_UNKNOWN, place, message, hint)
            continue
        key = find_condition_key(condition.key)
        if key is None:
            yield from _check_unknown_key(condition.key, place)
        else:
            yield from _check_operator(condition, key, place)
        yield from check_values(condition, key, path)
        if statement.effect is Effect.ALLOW:
            yield from _check_absence(condition, statement, place)


def _check_unknown_key(key: str, place: str) -> Iterator[PolicyWarning]:
    """A key of AWS's or of a service that is known; an identity provider's own keys are not listed anywhere."""
    prefix, colon, _ = key.lower().partition(":")
    service = find_service(prefix)
    if colon and prefix != "aws" and service is None:
        return
    keys = GLOBAL_KEYS if service is None else service.condition_keys
    message = f"no condition key `{key}` is known as of {read_version().date}"
    hint = suggest(key, (known.name for known in keys.values())) or "look up the key's name"
    yield PolicyWarning(WarningCode.KEY_UNKNOWN, place, message, hint)


def _check_operator(condition: Condition, key: ConditionKey, place: str) -> Iterator[PolicyWarning]:
    foreign = _FOREIGN_TYPES.get(family_of(condition), set())
    if all(kind in foreign for kind in key.types):
        types = " or ".join(kind.value for kind in key.types)
        message = f"`{condition.operator}` can compare no value of `{condition.key}`, which is of type {types}"
        yield PolicyWarning(WarningCode.OPERATOR_OF_OTHER_TYPE, place, message, "use an operator of the key's type")
    if condition.operator == _NULL:
        return
    if key.is_multivalued and not condition.qualifier:
        message = f"`{condition.key}` has several values, and `{condition.name}` compares only one"
        hint = f"write `ForAnyValue:{condition.name}` or `ForAllValues:{condition.name}`"
        yield PolicyWarning(WarningCode.SET_OPERATOR_MISSING, place, message, hint)
    if condition.qualifier and not key.is_multivalued and _is_surely_single(key):
        message = f"`{condition.key}` has at most one value: `{condition.qualifier}` is for keys with several"
        hint = f"write `{condition.name.partition(':')[2]}`"
        yield PolicyWarning(WarningCode.SET_OPERATOR_NEEDLESS, place, message, hint)


def _is_surely_single(key: ConditionKey) -> bool:
    """Hold iff AWS sets the key itself; what an identity provider sends may be a list whatever the reference says."""
    prefix = key.name.partition(":")[0].lower()
    return key.types != (KeyType.UNKNOWN,) and (prefix == "aws" or find_service(prefix) is not None)


def _check_absence(condition: Condition, statement: Statement, place: str) -> Iterator[PolicyWarning]:
    """`ForAllValues` holds of no values at all: without a check that there are some, the Allow is open."""
    if condition.qualifier != "ForAllValues" or any(
        _needs_key(other, condition.key) for other in statement.conditions if other is not condition
    ):
        return
    message = f"`{condition.name}` also holds where the request has no `{condition.key}`"
    hint = f'add `"Null": {{"{condition.key}": "false"}}` beside it'
    yield PolicyWarning(WarningCode.ALLOW_WHEN_ABSENT, place, message, hint)


def _needs_key(condition: Condition, key: str) -> bool:
    """Hold iff the condition fails where the key is absent; a tag in the request implies that there are tag keys."""
    wanted, own = key.lower(), condition.key.lower()
    is_same = own == wanted or (wanted == "aws:tagkeys" and own.startswith("aws:requesttag/"))
    if not is_same:
        return False
    if condition.operator == _NULL:
        return all(value.lower() == "false" for value in condition.values)
    return needs_presence(condition)


def needs_presence(condition: Condition) -> bool:
    """Hold iff the condition cannot hold where its key is absent."""
    operator = find_operator(condition.operator)
    if operator is None or condition.if_exists or condition.qualifier == "ForAllValues":
        return False
    if condition.operator == _NULL:
        return all(value.lower() == "false" for value in condition.values)
    return condition.qualifier == "ForAnyValue" or not operator.negated
