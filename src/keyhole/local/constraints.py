"""What AWS's models say of members beyond their types: which must be there, how long, in what range, of which pattern.

The sentences are those that AWS's services build from the same models. AWS: each service's API Reference, "Common
errors", ValidationError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from keyhole.local.call import ApiCall, Fault

_NUMBERS = frozenset({"integer", "long", "float", "double"})
_MAX_VIOLATIONS = 10
_MAX_SHOWN = 256
_CHOICE = "Member must satisfy enum value set"
_CODES = {"ecs": "InvalidParameterException"}


@dataclass(frozen=True, slots=True)
class Violation:
    """One constraint that a value does not satisfy; `missing` is the member's name where there is no value."""

    path: str
    value: str
    why: str
    missing: str = ""

    def __str__(self) -> str:
        return f"{self.value} at '{self.path}' failed to satisfy constraint: {self.why}"


def check_constraints(call: ApiCall, shape: Any) -> None:
    """Hold iff the call's members are as the model says. Raises: Fault with the code that the service has for it."""
    found = find_violations(call.params, shape)
    if not found:
        return
    if call.service == "ec2":
        raise _in_ec2s_words(found[0])
    if call.service == "sns" and found[0].missing:
        raise Fault(
            "InvalidParameter", f"Invalid parameter: {found[0].missing} Reason: no value for required parameter"
        )
    code = _CODES.get(call.service, "ValidationException" if call.protocol in ("json", "cbor") else "ValidationError")
    raise Fault(code, sentence(found))


def _in_ec2s_words(violation: Violation) -> Fault:
    if violation.missing:
        return Fault("MissingParameter", f"The request must contain the parameter {violation.missing}")
    return Fault("InvalidParameterValue", f"{violation.value} for parameter {violation.path} is invalid.")


def has_wrong_choice(call: ApiCall, shape: Any) -> bool:
    """Hold iff the XML document of an S3 call has a word where others are to choose from."""
    payload = shape.serialization.get("payload")
    if payload not in call.params or shape.members[payload].type_name != "structure":
        return False
    found = _structure(call.params[payload], shape.members[payload], "")
    return any(violation.why.startswith(_CHOICE) for violation in found)


def find_violations(params: Mapping[str, Any], shape: Any) -> list[Violation]:
    """Give what is wrong with members that have the right types; at most ten."""
    found: list[Violation] = []
    for violation in _structure(params, shape, ""):
        found.append(violation)
        if len(found) == _MAX_VIOLATIONS:
            break
    return found


def sentence(violations: list[Violation]) -> str:
    """Give the whole message of a ValidationError."""
    count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected"
    return f"{count}: {'; '.join(map(str, violations))}"


def _structure(value: Any, shape: Any, path: str) -> Iterator[Violation]:
    if getattr(shape, "is_document_type", False) or not isinstance(value, Mapping):
        return
    for name in shape.required_members:
        if name not in value:
            yield Violation(_join(path, name), "Value null", "Member must not be null", missing=name)
    for name, member in shape.members.items():
        if name in value:
            yield from _check(value[name], member, _join(path, name))


def _check(value: Any, shape: Any, path: str) -> Iterator[Violation]:
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(value, shape, path)
    elif kind == "list":
        yield from _size(value, shape, path)
        for index, item in enumerate(value, 1):
            yield from _check(item, shape.member, f"{path}.{index}.member")
    elif kind == "map":
        yield from _size(value, shape, path)
        for key, item in value.items():
            yield from _check(key, shape.key, path)
            yield from _check(item, shape.value, f"{path}.{key}.member")
    elif kind in _NUMBERS:
        yield from _range(value, shape, path)
    elif kind in ("string", "blob"):
        yield from _size(value, shape, path)
        if kind == "string":
            yield from _text(value, shape, path)


def _text(value: str, shape: Any, path: str) -> Iterator[Violation]:
    choices = shape.metadata.get("enum")
    if choices and value not in choices:
        yield _failed(value, shape, path, f"{_CHOICE}: [{', '.join(choices)}]")
    written = shape.metadata.get("pattern")
    pattern = _compile(written) if written else None
    if pattern and not pattern.fullmatch(value):
        yield _failed(value, shape, path, f"Member must satisfy regular expression pattern: {written}")


def _size(value: Any, shape: Any, path: str) -> Iterator[Violation]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        yield _failed(value, shape, path, f"Member must have length greater than or equal to {low}")
    if high is not None and len(value) > high:
        yield _failed(value, shape, path, f"Member must have length less than or equal to {high}")


def _range(value: Any, shape: Any, path: str) -> Iterator[Violation]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield _failed(value, shape, path, f"Member must have value greater than or equal to {low}")
    if high is not None and value > high:
        yield _failed(value, shape, path, f"Member must have value less than or equal to {high}")


def _failed(value: Any, shape: Any, path: str, why: str) -> Violation:
    shown = "***" if shape.metadata.get("sensitive") else _show(value)
    return Violation(path, f"Value {shown}", why)


def _show(value: Any) -> str:
    if isinstance(value, bytes):
        return f"of {len(value)} bytes"
    text = str(value)
    return f"'{text[:_MAX_SHOWN]}{'…' if len(text) > _MAX_SHOWN else ''}'"


def _join(path: str, name: str) -> str:
    name = f"{name[:1].lower()}{name[1:]}"
    return f"{path}.{name}" if path else name


# Java's character classes as Python writes them inside brackets; `\p{Print}` stands alone, too.
_JAVA = (
    (r"\p{Print}+", r"[\x20-\x7e]+"),
    (r"\uD800\uDC00-\uDBFF\uDFFF", "\U00010000-\U0010ffff"),
    (r"\p{L}\p{Z}\p{N}", r"\w\s"),
    (r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}", r"\S "),
)


@cache
def _compile(written: str) -> re.Pattern[str] | None:
    """Give the pattern as Python writes it; None for one that it cannot, which then says nothing."""
    pattern = written
    for java, python in _JAVA:
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern, re.UNICODE if r"\p{" in written else re.ASCII)
    except re.error:
        return None
