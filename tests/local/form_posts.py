"""Forms as browsers send them: multipart/form-data, and policies signed by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from gate_errors import fetch
from gate_wire import signing_key

from gate_clients import Aws
from keyhole.local.root_keys import Credentials

BOUNDARY = "-----------------------------7262"


def encode(
    fields: list[tuple[str, str]],
    file: bytes | None,
    name: str = "photo.png",
    after: list[tuple[str, str]] | None = None,
) -> bytes:
    """The body of a form: its fields, its file unless that is None, and fields after that."""
    body = b"".join(_field(field, value) for field, value in fields)
    if file is not None:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body += f"{head}Content-Type: image/png\r\n\r\n".encode() + file + b"\r\n"
    body += b"".join(_field(field, value) for field, value in after or ())
    return body + f"--{BOUNDARY}--\r\n".encode()


def _field(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def post(url: str, fields: Any, file: bytes | None = b"data", **options: Any) -> tuple[int, str, Any]:
    """Send a form, and give status, body and headers of the answer; options are those of `encode`, and `headers`."""
    headers: dict[str, str] = {
        "Content_Type": f"multipart/form-data; boundary={BOUNDARY}",
        **options.pop("headers", {}),
    }
    pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
    status, body, found = fetch(url, "POST", encode(pairs, file, **options), **headers)
    return status, body.decode(), found


def policy_fields(
    aws: Aws,
    conditions: list[Any],
    fields: dict[str, str],
    *,
    who: Credentials | None = None,
    minutes: float = 10,
    document: dict[str, Any] | None = None,
) -> dict[str, str]:
    """The fields of a form with these, under a policy of these conditions and those on the signature itself."""
    keys, at = who or aws.root, datetime.now(UTC)
    scope = f"{at:%Y%m%d}/us-east-1/s3/aws4_request"
    own = {
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{keys.access_key_id}/{scope}",
        "x-amz-date": f"{at:%Y%m%dT%H%M%SZ}",
    }
    if keys.session_token:
        own["x-amz-security-token"] = keys.session_token
    policy = {
        "expiration": f"{at + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S.000Z}",
        "conditions": [*conditions, *({name: value} for name, value in own.items())],
    }
    text = base64.b64encode(json.dumps(policy if document is None else document).encode()).decode()
    signature = hmac.digest(signing_key(keys, scope), text.encode(), hashlib.sha256).hex()
    return {**fields, **own, "policy": text, "x-amz-signature": signature}


def key_only(aws: Aws, bucket: str, *more: Any, **options: Any) -> dict[str, str]:
    """Fields under a policy that allows any key in the bucket."""
    fields = {"key": "k", **options.pop("fields", {})}
    return policy_fields(aws, [{"bucket": bucket}, ["starts-with", "$key", ""], *more], fields, **options)


def stored(aws: Aws, bucket: str) -> list[str]:
    """The keys of the objects in a bucket."""
    return [found["Key"] for found in aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", ())]
