"""Events as the local AWS writes them, made by hand."""

from __future__ import annotations

from typing import Any

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/web"


def event(
    operation: str,
    *decisions: dict[str, Any],
    mode: str = "strict",
    status: int = 200,
    identity: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One event of the role's session, or of somebody else."""
    session = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/web/s",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"arn": ROLE}},
    }
    return {
        "userIdentity": session if identity is None else identity,
        "eventTime": "2026-01-31T12:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": operation,
        **more,
        "keyhole": {
            "mode": mode,
            "status": status,
            "host": "127.0.0.1:1",
            "context": {"aws:sourceip": "127.0.0.1"},
            "decisions": list(decisions),
        },
    }


def asked(action: str, resource: str, *, allowed: bool = True, reason: str = "", **context: str) -> dict[str, Any]:
    """One decision; context keys are written with an underscore for their colon."""
    found: dict[str, Any] = {"action": action, "resource": resource, "allowed": allowed, "reason": reason}
    if context:
        found["context"] = {key.replace("_", ":", 1): value for key, value in context.items()}
    return found


def on_object(verb: str, path: str, *, allowed: bool = True) -> dict[str, Any]:
    """The event of one call on an object, named by bucket and key: `on_object("Get", "images/a.png")`."""
    return event(f"{verb}Object", asked(f"s3:{verb}Object", f"arn:aws:s3:::{path}", allowed=allowed))


def listing(bucket: str, prefix: str | None = None, *, allowed: bool = True) -> dict[str, Any]:
    """The event of one listing."""
    context = {} if prefix is None else {"s3_prefix": prefix}
    return event("ListObjectsV2", asked("s3:ListBucket", f"arn:aws:s3:::{bucket}", allowed=allowed, **context))
