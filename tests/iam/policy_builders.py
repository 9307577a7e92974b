"""Statements and documents in few words, for tables of policies."""

from typing import Any

ACCOUNT = "111122223333"
BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"


def allow(action: Any, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    """An Allow."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **elements}


def deny(action: Any, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    """A Deny."""
    return {**allow(action, resource, **elements), "Effect": "Deny"}


def trust(action: Any, principal: Any, **elements: Any) -> dict[str, Any]:
    """A statement of a trust policy."""
    return {"Effect": "Allow", "Action": action, "Principal": principal, **elements}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
