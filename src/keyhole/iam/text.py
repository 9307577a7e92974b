"""Policy documents as JSON text: written one way, compared in meaning and not in spelling."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_LIST_LIKE = {"Action", "NotAction", "Resource", "NotResource"}


def write_document(document: Mapping[str, Any]) -> str:
    """Give the document as compact JSON text, keys in the order they are in."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def same_document(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Hold iff both say the same: a single value equals a list of it, and order does not matter.

    AWS gives documents back with lists unwrapped or reordered (IAM User Guide, "Grammar of the IAM JSON policy").
    """
    if one is None or other is None:
        return one is other
    return bool(_normal_document(one) == _normal_document(other))


def _normal_document(document: Mapping[str, Any]) -> Any:
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, Mapping) else statements
    rest = {key: value for key, value in document.items() if key != "Statement"}
    return rest, sorted((_normal_statement(statement) for statement in statements), key=repr)


def _normal_statement(statement: Mapping[str, Any]) -> Any:
    normal: dict[str, Any] = {}
    for key, value in statement.items():
        if key in _LIST_LIKE:
            normal[key] = _normal_values(value)
        elif key in {"Principal", "NotPrincipal"} and isinstance(value, Mapping):
            normal[key] = sorted((kind, _normal_values(values)) for kind, values in value.items())
        elif key == "Condition" and isinstance(value, Mapping):
            normal[key] = sorted(
                (operator, sorted((name.lower(), _normal_values(values)) for name, values in keys.items()))
                for operator, keys in value.items()
            )
        else:
            normal[key] = value
    return sorted(normal.items(), key=lambda item: item[0])


def _normal_values(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return sorted({json.dumps(item) if not isinstance(item, str) else item for item in values})
