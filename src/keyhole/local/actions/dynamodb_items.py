"""Which items and attributes a DynamoDB call touches: dynamodb:LeadingKeys, Attributes, Select and what it returns.

AWS: DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control", "Reserved words in
DynamoDB" and "Key condition expressions for the Query operation".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from keyhole.local.actions.row import Place
from keyhole.local.call import Fault

_TOKEN = re.compile(r":\w+|[#A-Za-z_][\w#-]*|<=|>=|<>|[=<>(),.\[\]]|\d+|\S", re.ASCII)
_NAME = re.compile(r"[#A-Za-z_][\w#-]*", re.ASCII)
_PLACEHOLDER = re.compile(r"[#:][A-Za-z0-9_]+")
# What a query may say of its keys, each part once read: moto takes every other word for a value.
_KEY_NAME, _KEY_VALUE = r"#?[A-Za-z0-9_]+", r":[A-Za-z0-9_]+"
_KEY_TERM = (
    rf"{_KEY_NAME} *(?:=|<=?|>=?) *{_KEY_VALUE}|{_KEY_NAME} +BETWEEN +{_KEY_VALUE} +AND +{_KEY_VALUE}"
    rf"|begins_with *\( *{_KEY_NAME} *, *{_KEY_VALUE} *\)|{_KEY_VALUE} *= *{_KEY_NAME}"
)
_KEY_TERM = rf"(?:{_KEY_TERM}|\( *(?:{_KEY_TERM}) *\))"
_KEY_CONDITION = re.compile(rf" *\(? *{_KEY_TERM}(?: +AND +{_KEY_TERM})* *\)? *", re.IGNORECASE | re.ASCII)
_MAX_DIGITS = 130
_EXPRESSIONS = (
    *("ProjectionExpression", "KeyConditionExpression", "FilterExpression"),
    *("ConditionExpression", "UpdateExpression"),
)
_KEYWORDS = frozenset({"and", "or", "not", "between", "in", "set", "remove", "add", "delete"})
# Maps whose keys are attribute names, and lists of them.
_ATTRIBUTE_MAPS = (
    *("Item", "Key", "AttributeUpdates", "Expected", "KeyConditions", "QueryFilter", "ScanFilter"),
    "ExclusiveStartKey",
)


def describe(
    request: Mapping[str, Any],
    table_arn: str,
    place: Place,
    *,
    select: bool = False,
    is_query: bool = False,
    is_scan: bool = False,
) -> dict[str, Any]:
    """Give the keys of one request for items: what it names, under `LeadingKeys`, `Attributes` and so on.

    Raises: Fault (ValidationException) where it does not say which items it is about.
    """
    found: dict[str, Any] = {}
    attributes = tuple(dict.fromkeys(_attributes(request)))
    if attributes:
        found["dynamodb:Attributes"] = attributes
    stored = place.backend.find_resource(table_arn)
    names = stored.keys.get(str(request.get("IndexName") or ""), ()) if stored else ()
    if names and not is_scan:
        leading = _queried(request, names) if is_query else _keyed(request, names)
        found["dynamodb:LeadingKeys"] = tuple(leading)
    if select:
        found["dynamodb:Select"] = _select(request)
    return found


def combine(described: Iterable[Mapping[str, Any]], params: Mapping[str, Any]) -> dict[str, Any]:
    """Give the condition keys of a call that has several requests in it, with those of the call as a whole."""
    found: dict[str, Any] = {}
    for each in described:
        for key, value in each.items():
            # Of several selections, the widest is what counts.
            if isinstance(value, str):
                found[key] = value if found.get(key) != "ALL_ATTRIBUTES" else found[key]
            else:
                found[key] = tuple(dict.fromkeys((*found.get(key, ()), *value)))
    if "ReturnValues" in params:
        found["dynamodb:ReturnValues"] = str(params["ReturnValues"])
    if "ReturnConsumedCapacity" in params:
        found["dynamodb:ReturnConsumedCapacity"] = str(params["ReturnConsumedCapacity"])
    return found


def _select(request: Mapping[str, Any]) -> str:
    if given := request.get("Select"):
        if given == "SPECIFIC_ATTRIBUTES" and not request.get("ProjectionExpression"):
            message = "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
            raise Fault("ValidationException", f"{message}SPECIFIC_ATTRIBUTES")
        return str(given)
    is_projected = request.get("ProjectionExpression") or request.get("AttributesToGet")
    if is_projected:
        return "SPECIFIC_ATTRIBUTES"
    return "ALL_PROJECTED_ATTRIBUTES" if request.get("IndexName") else "ALL_ATTRIBUTES"


def _attributes(request: Mapping[str, Any]) -> Iterator[str]:
    """The attributes at the top of items that a request names anywhere."""
    for member in _ATTRIBUTE_MAPS:
        yield from (str(name) for name in request.get(member) or {})
    yield from (str(name) for name in request.get("AttributesToGet") or ())
    aliases = request.get("ExpressionAttributeNames") or {}
    for member in _EXPRESSIONS:
        yield from _expression_names(str(request.get(member) or ""), aliases)


def _expression_names(expression: str, aliases: Mapping[str, str]) -> Iterator[str]:
    tokens = _TOKEN.findall(expression)
    for index, token in enumerate(tokens):
        follows = tokens[index + 1] if index + 1 < len(tokens) else ""
        is_nested = index > 0 and tokens[index - 1] == "."
        if not _NAME.fullmatch(token) or token.lower() in _KEYWORDS or is_nested or follows == "(":
            continue
        yield str(aliases.get(token, token))


def _keyed(request: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    """The partition key of the one item that a request is for. Raises: Fault where it has none."""
    key, item = request.get("Key") or {}, request.get("Item") or {}
    for name in names:
        if name not in key and name not in item:
            if not item:
                raise Fault("ValidationException", "The provided key element does not match the schema")
            message = f"One or more parameter values were invalid: Missing the key {name} in the item"
            raise Fault("ValidationException", message)
    return [_value({**item, **key}[name]) for name in names]


def _queried(request: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    """The values that a query compares the partition key with. Raises: Fault where it does not compare it."""
    conditions = request.get("KeyConditions") or {}
    _check_key_condition(request)
    equals = [
        (str(name), value)
        for name, condition in conditions.items()
        if condition.get("ComparisonOperator") == "EQ"
        for value in condition.get("AttributeValueList") or ()
    ]
    equals += _equalities(request)
    for name in names:
        if not any(name == left for left, _ in equals):
            raise Fault("ValidationException", f"Query condition missed key schema element: {name}")
    return [_value(value) for left, value in equals if left in names]


def _check_key_condition(request: Mapping[str, Any]) -> None:
    """Hold iff there is one way only to read what the query says of its keys. Raises: Fault."""
    expression = str(request.get("KeyConditionExpression") or "")
    if not expression:
        return
    if request.get("KeyConditions"):
        raise Fault(
            "ValidationException",
            "Can not use both expression and non-expression parameters in the same request: Non-expression "
            "parameters: {KeyConditions} Expression parameters: {KeyConditionExpression}",
        )
    if not _KEY_CONDITION.fullmatch(" ".join(expression.split())):
        raise Fault("ValidationException", "Invalid KeyConditionExpression: Syntax error")
    for kind, sign in (("ExpressionAttributeNames", "#"), ("ExpressionAttributeValues", ":")):
        for name in request.get(kind) or ():
            if not _PLACEHOLDER.fullmatch(str(name)) or not str(name).startswith(sign):
                message = f'{kind} contains invalid key: Syntax error; key: "{name}"'
                raise Fault("ValidationException", message)
    values = request.get("ExpressionAttributeValues") or {}
    for value in re.findall(_KEY_VALUE, expression):
        if value not in values:
            why = f"An expression attribute value used in expression is not defined; attribute value: {value}"
            raise Fault("ValidationException", f"Invalid KeyConditionExpression: {why}")


def _equalities(request: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Every `name = :value` of the key condition, whichever way round."""
    aliases = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    tokens = [token for token in _TOKEN.findall(str(request.get("KeyConditionExpression") or "")) if token not in "()"]
    found = []
    for index, token in enumerate(tokens[1:-1], 1):
        if token != "=":
            continue
        left, right = tokens[index - 1], tokens[index + 1]
        if left.startswith(":"):
            left, right = right, left
        if right in values:
            found.append((str(aliases.get(left, left)), values[right]))
    return found


def _value(attribute: Mapping[str, Any]) -> str:
    """Give a key's value as text. Raises: Fault for what is no value of one type."""
    if len(attribute) != 1:
        what = "is empty, must contain" if not attribute else "has more than one datatypes set, must contain"
        raise Fault("ValidationException", f"Supplied AttributeValue {what} exactly one of the supported datatypes")
    kind, value = next(iter(attribute.items()))
    if kind == "N":
        return _number(str(value))
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _number(text: str) -> str:
    """Give a number as there is one way only to write it. Raises: Fault for what is none."""
    try:
        number = Decimal(text)
        if number.is_finite() and abs(number.adjusted()) <= _MAX_DIGITS:
            return format(number.normalize() + 0, "f")
    except ArithmeticError:
        pass
    raise Fault("ValidationException", f"The parameter cannot be converted to a numeric value: {text}")
