"""What a request asked for, as an event shows it: CloudTrail's names, long texts cut, secrets hidden.

AWS: CloudTrail User Guide, "CloudTrail record contents", requestParameters. S3's are named as they travel
(`bucketName`, `key`, `x-amz-acl`), the others' members begin in lower case. Secrets are what botocore's models mark as
such, and the members listed here: whoever knows them has something.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from keyhole.local.call import ApiCall, Fault, HttpRequest
from keyhole.local.happened import Happened
from keyhole.local.parse import virtual_bucket
from keyhole.local.protocols.rest import find_route, read_query, split_path
from keyhole.local.service_models import find_operation, serialization

# Shaped as AWS's are: a secret that was given in the place of an id is none.
_CLAIMED = re.compile(r"(?:Credential=|AWSAccessKeyId=|AWS )([A-Z0-9]{16,32})(?:[/:&]|%2F|$)", re.IGNORECASE)
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_MAX_TEXT = 2048
_MAX_DEPTH = 32
_SECRET_MEMBERS = frozenset(
    {
        # Keys, tokens and passwords that the models do not mark, or did not always.
        *("SSECustomerKey", "CopySourceSSECustomerKey", "WebIdentityToken", "SAMLAssertion", "TokenCode", "Password"),
        *("SecretString", "SecretBinary", "SecretAccessKey", "SessionToken", "OldPassword", "NewPassword"),
        *("AuthenticationCode1", "AuthenticationCode2", "PrivateKey", "ContextAssertion", "UserData"),
        # What is stored or sent, not how: CloudTrail leaves it out as well.
        *("Item", "AttributeUpdates", "Expected", "ExpressionAttributeValues", "RequestItems", "TransactItems"),
        *("Message", "Subject", "MessageAttributes", "environment", "Statement", "Parameters", "AttributeValueList"),
        # What lets one speak to somebody else: to a phone, for a subscriber, to a place where logs go.
        *("PlatformCredential", "PlatformPrincipal", "Token", "options"),
    }
)
# What authenticates a request where it stands in a URL, as in the Referer of a page that was itself presigned.
_IN_URL = re.compile(r"((?:X-Amz-Signature|X-Amz-Security-Token|X-Amz-Credential|Signature)=)[^&#\s]+", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)")


def parameters_of(call: ApiCall) -> dict[str, Any]:
    """Give the requestParameters of a call."""
    members = _members(call.service, call.operation)
    found: dict[str, Any] = {}
    for name, value in call.params.items():
        written, shape, is_secret = members.get(name) or (_lower(name), None, name in _SECRET_MEMBERS)
        found[written] = HIDDEN if is_secret else _readable(value, shape, call.service, 0)
    if call.service == "s3":
        found["Host"] = call.request.headers.get("host", "")
    return found


def name_refused(happened: Happened) -> tuple[str, dict[str, Any] | None]:
    """Give operation and parameters of a request that was refused before it was read, as far as its head tells them.

    Its body is not looked at: nobody has said yet that it may be.
    """
    request = happened.request
    if happened.service != "s3":
        return request.headers.get("x-amz-target", "").rpartition(".")[2][:128], None
    try:
        bucket, key = split_path(request.raw_path, virtual_bucket(request.headers.get("host", "")))
        route = find_route(request.method, bucket, key, read_query(request.raw_query), request.headers)
    except Fault:
        return "", None
    names = {"bucketName": bucket, "key": key, "Host": request.headers.get("host", "")}
    return route.operation.name, {name: cut(value) for name, value in names.items() if value}


def claimed_key_id(request: HttpRequest) -> str:
    """Give the access key id in a signature that nobody has verified, "" where there is none."""
    found = _CLAIMED.search(request.headers.get("authorization", "")) or _CLAIMED.search(request.raw_query)
    return found[1] if found else ""


def without_secrets(text: str) -> str:
    """Give the text cut to a length that one reads, with what authenticates a URL hidden."""
    text = cut(text)
    text = _PASSWORD.sub(rf"\1{HIDDEN}", text) if "://" in text else text
    return _IN_URL.sub(rf"\1{HIDDEN}", text) if "=" in text else text


@cache
def _members(service: str, operation: str) -> dict[str, tuple[str, Any, bool]]:
    """Give each input member's written name, its shape, and whether it is a secret."""
    model = find_operation(service, operation)
    shape = model.input_shape if model else None
    if shape is None:
        return {}
    found = {}
    for name, member in shape.members.items():
        is_secret = name in _SECRET_MEMBERS or bool(member.metadata.get("sensitive"))
        found[name] = (_wire_name(name, member) if service == "s3" else _lower(name), member, is_secret)
    return found


def _wire_name(name: str, member: Any) -> str:
    if name == "Bucket":
        return "bucketName"
    return "key" if name == "Key" else str(serialization(member).get("name", name))


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _readable(value: Any, shape: Any, service: str, depth: int) -> Any:
    """Give a value as JSON can hold it."""
    if isinstance(value, str):
        return without_secrets(value)
    if value is None or isinstance(value, bool | int):
        return value
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        members = getattr(shape, "members", None)
        found = {}
        for name, item in value.items():
            inner = members.get(name) if members else getattr(shape, "value", None)
            is_secret = name in _SECRET_MEMBERS or (inner is not None and inner.metadata.get("sensitive"))
            written = str(name) if members is None or service == "s3" else _lower(str(name))
            found[written] = HIDDEN if is_secret else _readable(item, inner, service, depth + 1)
        return found
    if isinstance(value, list | tuple):
        inner = getattr(shape, "member", None)
        if inner is not None and inner.metadata.get("sensitive"):
            return HIDDEN
        return [_readable(item, inner, service, depth + 1) for item in value]
    return f"{len(value)} bytes" if isinstance(value, bytes) else cut(str(value))


def cut(text: str) -> str:
    """Give the text at a length that one reads."""
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"
