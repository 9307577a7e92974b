"""The policy of a browser's form: until when it may be sent, and what may be in it.

AWS: S3 API Reference, "POST Policy": expiration, condition matching, conditions, character escaping.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keyhole.local.call import Fault
from keyhole.local.payload import too_large

# No condition needs to be about these: the first four carry the policy and its signature, the last is sized instead.
_EXEMPT = frozenset({"policy", "x-amz-signature", "signature", "awsaccesskeyid", "file"})
_IGNORED = "x-ignore-"
_EXPIRATION = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")
# JSON does not know these two escapes; `\\` is in the pattern so that what follows it is not taken for one.
_ESCAPE = re.compile(r"\\([\\$v])")
_ESCAPES = {"\\": "\\\\", "$": "$", "v": "\\u000b"}
_RANGE = "content-length-range"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `field` is in lower case, `text` the condition as an error tells it."""

    operation: str
    field: str
    value: str
    text: str

    def holds(self, fields: Mapping[str, str]) -> bool:
        given = fields.get(self.field, "")
        if self.operation == "eq":
            return given == self.value
        # A list of content types is a set: each of them must begin so.
        parts = [part.strip() for part in given.split(",")] if self.field == "content-type" else [given]
        return all(part.startswith(self.value) for part in parts)


@dataclass(frozen=True, slots=True)
class PostPolicy:
    """A policy; `sizes` is the smallest and largest size of the file in bytes, if it limits that."""

    expiration: datetime
    conditions: tuple[Condition, ...]
    sizes: tuple[int, int] | None

    def check_fields(self, fields: Mapping[str, str], at: datetime) -> None:
        """Hold iff a form with these fields, names in lower case, `bucket` among them, may be sent. Raises: Fault."""
        if at >= self.expiration:
            raise _denied("Policy expired.")
        for condition in self.conditions:
            if not condition.holds(fields):
                raise _denied(f"Policy Condition failed: {condition.text}")
        covered = {condition.field for condition in self.conditions} | _EXEMPT
        extra = sorted(name for name in fields if name not in covered and not name.startswith(_IGNORED))
        if extra:
            raise _denied(f"Extra input fields: {', '.join(extra)}")

    def check_size(self, size: int, *, is_whole: bool) -> None:
        """Hold iff a file may have that many bytes, or, where it is not the whole of it, more. Raises: Fault."""
        if self.sizes is None:
            return
        smallest, largest = self.sizes
        if size > largest:
            raise too_large(size, largest)
        if is_whole and size < smallest:
            extra = (("ProposedSize", str(size)), ("MinSizeAllowed", str(smallest)))
            message = "Your proposed upload is smaller than the minimum allowed size"
            raise Fault("EntityTooSmall", message, 400, extra=extra)


def parse_post_policy(text: str) -> PostPolicy:
    """Give the policy in its base64 text. Raises: Fault (InvalidPolicyDocument)."""
    document = _decode(text)
    if "expiration" not in document:
        raise _invalid("Policy missing expiration.")
    if "conditions" not in document:
        raise _invalid("Policy missing conditions.")
    if unknown := sorted(document.keys() - {"expiration", "conditions"}):
        raise _invalid(f"Unexpected: '{unknown[0]}'")
    if not isinstance(document["conditions"], list):
        raise _invalid("Invalid 'conditions' value: must be a List.")
    conditions: list[Condition] = []
    sizes: tuple[int, int] | None = None
    for item in document["conditions"]:
        if isinstance(item, list) and item and item[0] == _RANGE:
            sizes = _narrow(sizes, _size_range(item))
        else:
            conditions.append(_simple(item) if isinstance(item, dict) else _condition(item))
    return PostPolicy(_expiration(document["expiration"]), tuple(conditions), sizes)


def _decode(text: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
        found = json.loads(_ESCAPE.sub(lambda match: _ESCAPES[match[1]], raw), object_pairs_hook=_unique)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _invalid("Invalid JSON.") from error
    if not isinstance(found, dict):
        raise _invalid("Invalid JSON.")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a property comes twice")
    return dict(pairs)


def _expiration(value: Any) -> datetime:
    try:
        if isinstance(value, str) and _EXPIRATION.match(value):
            return datetime.strptime(value[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        pass
    raise _invalid(f"Invalid 'expiration' value: '{value}'")


def _simple(item: dict[str, Any]) -> Condition:
    if len(item) != 1:
        raise _invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
    name, value = next(iter(item.items()))
    if not isinstance(value, str):
        raise _invalid("Invalid Simple-Condition: value must be a string.")
    return Condition("eq", name.lower(), value, _text(["eq", f"${name}", value]))


def _condition(item: Any) -> Condition:
    if not isinstance(item, list) or len(item) != 3 or not all(isinstance(part, str) for part in item):
        raise _invalid("Invalid Condition: a condition must be a list of three strings or a Simple-Condition.")
    operation, name, value = item
    if operation not in ("eq", "starts-with"):
        raise _invalid(f"Invalid Condition: unknown operation '{operation}'.")
    if not name.startswith("$"):
        raise _invalid(f"Invalid Condition: field name '{name}' must begin with '$'.")
    return Condition(operation, name[1:].lower(), value, _text(item))


def _size_range(item: list[Any]) -> tuple[int, int]:
    try:
        if len(item) != 3 or any(isinstance(part, bool | float) for part in item):
            raise ValueError("these are no two sizes")
        return int(item[1]), int(item[2])
    except (ValueError, TypeError) as error:
        raise _invalid("Invalid content-length-range: it must have two integers.") from error


def _narrow(first: tuple[int, int] | None, second: tuple[int, int]) -> tuple[int, int]:
    return (max(first[0], second[0]), min(first[1], second[1])) if first else second


def _text(item: list[Any]) -> str:
    return json.dumps(item, ensure_ascii=False)


def _denied(why: str) -> Fault:
    return Fault("AccessDenied", f"Invalid according to Policy: {why}", 403)


def _invalid(why: str) -> Fault:
    return Fault("InvalidPolicyDocument", f"Invalid Policy: {why}", 400)
