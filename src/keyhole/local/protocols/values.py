"""Text from the wire turned into the type that the member's shape has."""

from __future__ import annotations

import base64
import binascii
from typing import Any

# The whole numbers that any AWS service takes.
LONGS = range(-(2**63), 2**63)


def convert_text(text: str, type_name: str) -> Any:
    """Give `text` as the Python value of a scalar shape; timestamps stay text.

    Raises: ValueError where it is not a value of that type.
    """
    if type_name in ("integer", "long"):
        number = int(text)
        if number not in LONGS:
            raise ValueError("the number has more than 64 bits")
        return number
    if type_name in ("float", "double"):
        return float(text)
    if type_name == "boolean":
        lowered = text.lower()
        if lowered not in ("true", "false"):
            raise ValueError(f"`{text}` is neither true nor false")
        return lowered == "true"
    if type_name == "blob":
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise ValueError("the value is not base64") from error
    return text
