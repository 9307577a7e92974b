"""What S3 says to the text of a bucket policy that is no policy, in its own sentences.

AWS: S3 User Guide, "Policies and permissions in Amazon S3" and "Bucket policies for Amazon S3"; IAM User Guide,
"Grammar of the IAM JSON policy language". The sentences are those that S3 answers with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_VERSIONS = ("2012-10-17", "2008-10-17")
_POLICY = frozenset({"Version", "Id", "Statement"})
_STATEMENT = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_SYNTAX = "Invalid policy syntax."


def find_defect(text: str) -> str:
    """Give S3's sentence on the first thing that is wrong with the document's form, "" where nothing is."""
    if not text.lstrip().startswith("{"):
        return "Policies must be valid JSON and the first byte must be '{'"
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "This policy contains invalid Json"
    return next(_defects(document), "")


def _defects(document: dict[str, Any]) -> Iterator[str]:
    yield from (f"Unknown field {name}" for name in document if name not in _POLICY)
    if "Version" in document and document["Version"] not in _VERSIONS:
        yield "The policy must contain a valid version string"
    if "Statement" not in document:
        yield "Missing required field Statement"
        return
    statements = document["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        yield _SYNTAX
        return
    if not statements:
        yield "Could not parse the policy: Statement is empty!"
    for statement in statements:
        if isinstance(statement, dict):
            yield from _statement_defects(statement)
        else:
            yield _SYNTAX


def _statement_defects(statement: dict[str, Any]) -> Iterator[str]:
    yield from (f"Unknown field {name}" for name in statement if name not in _STATEMENT)
    for name in ("Principal", "Action", "Resource"):
        if name in statement and f"Not{name}" in statement:
            yield f"Statement/policy already has instance of {name}"
    if "Effect" not in statement:
        yield "Missing required field Effect"
    elif statement["Effect"] not in ("Allow", "Deny"):
        yield f"Invalid effect: {_shown(statement['Effect'])}"
    for name in ("Principal", "Action", "Resource"):
        value = statement.get(name, statement.get(f"Not{name}"))
        if value is None:
            yield f"Missing required field {name}"
        elif value in ("", [], {}):
            yield f"Missing required field {name} cannot be empty!"
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if isinstance(principal, str) and principal != "*":
        yield _SYNTAX


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
