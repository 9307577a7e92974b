"""Signature Version 2 of S3, in presigned URLs only: what boto3 still makes by default for us-east-1.

AWS: S3 User Guide, "Signing and authenticating REST requests (AWS signature version 2)", query string request
authentication alternative. Only the headers and parameters that it names are covered by the signature.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from urllib.parse import unquote_plus

from keyhole.local.call import Fault, HttpRequest

VERSION = "AWS"
# The query parameters that are part of the resource; all others are not signed.
_RESOURCE_PARAMETERS = frozenset(
    {
        *("accelerate", "acl", "analytics", "cors", "delete", "inventory", "lifecycle", "location", "logging"),
        *("metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment"),
        *("restore", "select", "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads"),
        *("versionId", "versioning", "versions", "website", "defaultObjectAcl"),
        *("response-content-type", "response-content-language", "response-expires", "response-cache-control"),
        *("response-content-disposition", "response-content-encoding"),
    }
)
# Parameters of the authentication itself, and those that stand in for headers.
_KNOWN_PARAMETERS = frozenset({"AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5"})
_LIST_PARAMETERS = frozenset({"prefix", "delimiter", "marker", "max-keys", "encoding-type", "list-type", "x-id"})


def expiry(text: str) -> int:
    """Give the Expires parameter. Raises: Fault where it is no number."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Fault("AccessDenied", f"Invalid date (should be seconds since epoch): {text}", 403)
    return int(text)


def check_time(expires: int, at: datetime) -> None:
    """Hold iff the URL has not expired. Raises: Fault."""
    if at.timestamp() > expires:
        ends_at = datetime.fromtimestamp(expires, UTC)
        extra = (("Expires", f"{ends_at:%Y-%m-%dT%H:%M:%SZ}"), ("ServerTime", f"{at:%Y-%m-%dT%H:%M:%SZ}"))
        raise Fault("AccessDenied", "Request has expired", 403, extra=extra)


def verify(request: HttpRequest, secret: str, given: str, virtual_bucket: str) -> bool:
    """Hold iff the presigned URL was made with `secret` for this method, resource and these headers."""
    parameters = _parameters(request.raw_query)
    # A parameter that the signature does not cover must not change what the request does.
    unsigned = set(parameters) - _RESOURCE_PARAMETERS - _KNOWN_PARAMETERS - _LIST_PARAMETERS
    if any(not name.lower().startswith("x-amz-") for name in unsigned):
        return False
    head = "\n".join(
        (
            request.method,
            request.headers.get("content-md5", parameters.get("content-md5", "")),
            request.headers.get("content-type", parameters.get("content-type", "")),
            parameters["Expires"],
            _amz_headers(request, parameters),
        )
    )
    path = f"/{virtual_bucket}{request.raw_path}" if virtual_bucket else request.raw_path
    # Clients write the resource of a bucket with its slash or without.
    paths = (path, f"{path}/") if path.count("/") == 1 else (path,)
    return any(_matches(f"{head}{_resource(p, request.raw_query, parameters)}", secret, given) for p in paths)


def _matches(text: str, secret: str, given: str) -> bool:
    expected = base64.b64encode(hmac.digest(secret.encode(), text.encode("utf-8", "replace"), "sha1"))
    return hmac.compare_digest(expected, given.encode("utf-8", "replace"))


def _amz_headers(request: HttpRequest, parameters: dict[str, str]) -> str:
    found = {name.lower(): value for name, value in parameters.items() if name.lower().startswith("x-amz-")}
    found |= {name: value for name, value in request.headers.items() if name.startswith("x-amz-")}
    return "".join(f"{name}:{found[name].strip()}\n" for name in sorted(found))


def _resource(path: str, raw_query: str, parameters: dict[str, str]) -> str:
    raw = {part.partition("=")[0]: "=" in part for part in raw_query.split("&") if part}
    parts = [
        f"{name}={parameters[name]}" if raw.get(name) else name
        for name in sorted(parameters)
        if name in _RESOURCE_PARAMETERS
    ]
    return f"{path}?{'&'.join(parts)}" if parts else path


def _parameters(raw_query: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in raw_query.split("&") if part)
    # As the call is read: `+` must not mean one thing to the signature and another to the store.
    return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}
