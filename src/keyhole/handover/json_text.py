"""The text of a secret in Secrets Manager: one JSON object, a member for each value; other members stay."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from keyhole.errors import KeyholeError
from keyhole.handover.values import Scalar


def read_values(text: str) -> dict[str, Scalar]:
    """Give the members that are plain values. Raises: KeyholeError if the text is no JSON object."""
    return {name: value for name, value in _parse(text).items() if isinstance(value, str | int)}


def write_values(text: str, values: Mapping[str, Scalar | None]) -> str:
    """Give the object with these members; None takes one out. Raises: KeyholeError if the text is no JSON object."""
    merged = {**_parse(text), **values}
    return json.dumps({name: value for name, value in merged.items() if value is not None or name not in values})


def remove_values(text: str, names: Collection[str]) -> str:
    """Give the object without these members."""
    return write_values(text, dict.fromkeys(names))


def _parse(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise KeyholeError("the secret's value is no JSON object", hint="name another `secret` in the file")
    return found
