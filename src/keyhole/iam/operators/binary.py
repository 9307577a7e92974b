"""The binary operator: base64 on both sides, compared byte for byte.

AWS: "IAM JSON policy elements: Condition operators", Binary condition operators.
"""

from __future__ import annotations

import base64
import binascii

from keyhole.iam.match import Parts, join_parts
from keyhole.iam.operators.operator import Operator


def parse_bytes(text: str) -> bytes | None:
    """The bytes that the base64 text stands for, or None."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def same_bytes(wanted: Parts, given: str) -> bool | None:
    """Hold iff both decode to the same bytes."""
    left, right = parse_bytes(given), parse_bytes(join_parts(wanted))
    return None if left is None or right is None else left == right


def cut_bytes(values: tuple[str, ...]) -> tuple[str, ...]:
    """Each value, and one that is none of them: longer than all."""
    longest = max((len(value) for value in values), default=0)
    return (*values, base64.b64encode(b"k" * (longest + 1)).decode())


OPERATORS = (Operator("BinaryEquals", same_bytes, cut=cut_bytes),)
