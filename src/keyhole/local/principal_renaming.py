"""A principal in a stored policy is the user or role that it named when it was put, whatever has that name later.

AWS turns a user's or role's ARN into its unique id when a policy is stored, and back when it is read. Once the user or
role is gone, the id is what the policy shows, and a new one of the same name is another.
AWS: IAM User Guide, "AWS JSON policy elements: Principal", IAM role principals and IAM user principals.
"""

from __future__ import annotations

import json
from typing import Any


def rename_in(text: str, arn: str, name: str) -> str:
    """Give the policy with `name` wherever a Principal or NotPrincipal has `arn`; as it is where none has."""
    if arn not in text:
        return text
    try:
        document = json.loads(text)
    except ValueError:
        return text
    if not isinstance(document, dict):
        return text
    statements = document.get("Statement")
    found = [_rename(statement, arn, name) for statement in _several(statements)]
    return json.dumps(document) if any(found) else text


def _rename(statement: Any, arn: str, name: str) -> bool:
    if not isinstance(statement, dict):
        return False
    is_found = False
    for element in ("Principal", "NotPrincipal"):
        principal = statement.get(element)
        if isinstance(principal, dict) and arn in _several(principal.get("AWS")):
            values = [name if value == arn else value for value in _several(principal["AWS"])]
            principal["AWS"] = values if isinstance(principal["AWS"], list) else values[0]
            is_found = True
    return is_found


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
