"""Policy documents as JSON text: written one way, compared in meaning and not in spelling."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root", re.ASCII)


def write_document(document: Mapping[str, Any]) -> str:
    """Give the document as compact JSON text, keys in the order they are in."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def same_document(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Hold iff both say the same: a single value equals a list of it, order and names (`Id`, `Sid`) do not matter.

    AWS gives documents back with lists unwrapped or reordered (IAM User Guide, "Grammar of the IAM JSON policy").
    """
    if one is None or other is None:
        return one is other
    return bool(_normal_document(one) == _normal_document(other))


def normal_element(name: str, value: Any) -> Any:
    """Give what an element of a statement says, in one spelling: equal iff they say the same.

    AWS: IAM User Guide, "IAM JSON policy elements: Action" (case does not matter), "Principal" (an account is its root
    user's ARN, `*` is everyone of `AWS`).
    """
    if name in {"Action", "NotAction"}:
        return _normal_values([str(item).lower() for item in _listed(value)])
    if name in {"Resource", "NotResource"}:
        return _normal_values(value)
    if name in {"Principal", "NotPrincipal"}:
        kinds = value.items() if isinstance(value, Mapping) else [("AWS", value)]
        return sorted((kind, _normal_values([_principal(item) for item in _listed(found)])) for kind, found in kinds)
    if name == "Condition" and isinstance(value, Mapping):
        return sorted(
            (operator, sorted((key.lower(), _normal_values(values)) for key, values in keys.items()))
            for operator, keys in value.items()
        )
    return value


def _normal_document(document: Mapping[str, Any]) -> Any:
    statements = {repr(_normal_statement(statement)) for statement in _listed(document.get("Statement", []))}
    # AWS: IAM User Guide, "IAM JSON policy elements: Version", the default.
    rest = {key: value for key, value in document.items() if key not in {"Statement", "Id", "Version"}}
    return document.get("Version", "2008-10-17"), rest, statements


def _normal_statement(statement: Mapping[str, Any]) -> Any:
    return sorted((name, normal_element(name, value)) for name, value in statement.items() if name != "Sid")


def _principal(value: Any) -> Any:
    found = _ROOT.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _normal_values(value: Any) -> list[str]:
    return sorted({json.dumps(item) if not isinstance(item, str) else item for item in _listed(value)})
