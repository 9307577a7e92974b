"""The boolean operator: `true` and `false`, whatever the case.

AWS: "IAM JSON policy elements: Condition operators", Boolean condition operators.
"""

from __future__ import annotations

from keyhole.iam.match import Parts, join_parts
from keyhole.iam.operators.operator import Operator

_BOOLEANS = {"true": True, "false": False}


def same_boolean(wanted: Parts, given: str) -> bool | None:
    """Hold iff both say the same; None where either is no boolean."""
    left, right = _BOOLEANS.get(given.lower()), _BOOLEANS.get(join_parts(wanted).lower())
    return None if left is None or right is None else left is right


def cut_booleans(_values: tuple[str, ...]) -> tuple[str, ...]:
    """Both of them."""
    return ("true", "false")


OPERATORS = (Operator("Bool", same_boolean, variables=True, cut=cut_booleans),)
