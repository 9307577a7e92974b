"""Members between JSON or CBOR and the types of their shapes: nothing of another type gets past here, either way.

Smithy, "AWS JSON 1.0 protocol", "AWS JSON 1.1 protocol" and "RPC v2 CBOR protocol": members that are null or unknown
are as if they were not there.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from keyhole.local.call import Fault
from keyhole.local.protocols.cbor import Epoch
from keyhole.local.protocols.values import LONGS

_MAX_DEPTH = 100
_WHOLE = frozenset({"integer", "long"})
_FRACTIONAL = frozenset({"float", "double"})


def read_members(found: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    """Give the members of the input structure, each of its shape's type; timestamps stay as sent.

    Raises: Fault (SerializationException).
    """
    if shape is None:
        return {}
    members: dict[str, Any] = _read(found, shape, 0)
    return members


def write_cbor_members(document: Any, shape: Any) -> Any:
    """Give a JSON answer as CBOR holds it: moments, bytes and fractions are types of their own there."""
    if shape is None or document is None:
        return document
    kind = shape.type_name
    if kind == "structure" and isinstance(document, Mapping):
        members = shape.members
        return {name: write_cbor_members(item, members.get(name)) for name, item in document.items()}
    if kind == "list" and isinstance(document, list):
        return [write_cbor_members(item, shape.member) for item in document]
    if kind == "map" and isinstance(document, Mapping):
        return {name: write_cbor_members(item, shape.value) for name, item in document.items()}
    if kind == "timestamp":
        return Epoch(_moment(document))
    if kind in _FRACTIONAL and isinstance(document, int | float):
        return float(document)
    if kind == "blob" and isinstance(document, str):
        return base64.b64decode(document)
    return document


def _read(value: Any, shape: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise _wrong("The request is nested too deeply.")
    kind = shape.type_name
    if kind == "structure":
        return _structure(value, shape, depth)
    if kind == "list":
        if not isinstance(value, list):
            raise _wrong(f"Expected list or null, found {_name(value)}.")
        return [_read(item, shape.member, depth + 1) for item in value if item is not None]
    if kind == "map":
        if not isinstance(value, Mapping):
            raise _wrong(f"Expected map or null, found {_name(value)}.")
        return {str(key): _read(item, shape.value, depth + 1) for key, item in value.items() if item is not None}
    return _scalar(value, kind)


def _structure(value: Any, shape: Any, depth: int) -> Any:
    if getattr(shape, "is_document_type", False):
        return value
    if not isinstance(value, Mapping):
        raise _wrong(f"Expected structure or null, found {_name(value)}.")
    return {
        name: _read(value[name], member, depth + 1)
        for name, member in shape.members.items()
        if value.get(name) is not None
    }


def _scalar(value: Any, kind: str) -> Any:
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "blob" and isinstance(value, bytes):
        return value
    if kind == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _wrong("The value of a blob is not base64.") from error
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in _WHOLE and is_number and math.isfinite(value) and value == int(value) and int(value) in LONGS:
        return int(value)
    if kind in _FRACTIONAL and is_number:
        return value
    if kind == "timestamp" and (isinstance(value, str) or (is_number and math.isfinite(value))):
        return value
    raise _wrong(f"{_name(value)} cannot be converted to {kind.capitalize()}.")


def _moment(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    text = str(value)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = parsedate_to_datetime(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _name(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, int | float):
        return "NUMBER_VALUE"
    if isinstance(value, Mapping):
        return "START_OBJECT"
    if isinstance(value, list):
        return "START_ARRAY"
    return "STRING_VALUE" if isinstance(value, str) else "BINARY_VALUE"


def _wrong(message: str) -> Fault:
    return Fault("SerializationException", message, 400)
