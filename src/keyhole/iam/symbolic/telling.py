"""A witness request, told to people and to machines."""

from __future__ import annotations

from typing import Any

from keyhole.iam.model import Request
from keyhole.iam.showing import printable
from keyhole.iam.symbolic.plausible import spell_key

# What follows from the caller itself says nothing more to a person.
_SELF_EVIDENT = {
    *("aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:username"),
    *("aws:principalisawsservice", "aws:principalservicename"),
}
_OWNER = {"aws:resourceaccount", "s3:resourceaccount"}


def describe_request(request: Request) -> list[str]:
    """Give a request as lines that a person reads: who, what, on what, under which circumstances."""
    who = request.principal.arn or "anyone on the web"
    lines = [f"{who}", f"{request.action} on {request.resource}"]
    for key, value in request.context.items():
        is_owner = key.lower() in _OWNER and value == request.resource_account
        if key.lower() not in _SELF_EVIDENT and not is_owner:
            lines.append(f"with {spell_key(key)} = {value if isinstance(value, str) else ', '.join(value)}")
    return [printable(line) for line in lines]


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
