"""A witness request, told to people and to machines."""

from __future__ import annotations

from typing import Any

from keyhole.iam.model import Request
from keyhole.iam.symbolic.plausible import spell_key

# What follows from the caller itself says nothing more to a person.
_SELF_EVIDENT = {
    *("aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:username"),
    *("aws:principalisawsservice", "aws:principalservicename"),
}


def describe_request(request: Request) -> list[str]:
    """Give a request as lines that a person reads: who, what, on what, under which circumstances."""
    who = request.principal.arn or "anyone on the web"
    lines = [f"{who}", f"{request.action} on {request.resource}"]
    for key, value in request.context.items():
        if key.lower() not in _SELF_EVIDENT:
            lines.append(f"with {spell_key(key)} = {value if isinstance(value, str) else ', '.join(value)}")
    return lines


def request_as_json(request: Request) -> dict[str, Any]:
    """Give a request as plain data, as `keyhole simulate --batch` reads it."""
    context = {
        spell_key(key): value if isinstance(value, str) else list(value) for key, value in request.context.items()
    }
    return {
        "principal": request.principal.arn or "anonymous",
        "action": request.action,
        "resource": request.resource,
        "resource_account": request.resource_account,
        "context": context,
    }
