"""Requests byte by byte: signed by hand, sent on a socket of their own, so that nothing is tidied up on the way."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from gate_clients import Aws
from keyhole.local.root_keys import Credentials

EMPTY = hashlib.sha256(b"").hexdigest()
FORM = "application/x-www-form-urlencoded"


def sign(
    aws: Aws,
    method: str,
    target: str,
    body: bytes = b"",
    *,
    who: Credentials | None = None,
    service: str = "s3",
    declared: str = "",
    unsigned: tuple[str, ...] = (),
    **more: Any,
) -> dict[str, str]:
    """The headers of a request signed over its target as given; underscores in header names become dashes."""
    keys = who or aws.root
    at = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    payload = declared or hashlib.sha256(body).hexdigest()
    headers = {"host": f"127.0.0.1:{aws.server.port}", "x-amz-date": at}
    if service == "s3":
        headers["x-amz-content-sha256"] = payload
    if keys.session_token:
        headers["x-amz-security-token"] = keys.session_token
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    names = sorted(name for name in headers if name not in unsigned)
    path, _, query = target.partition("?")
    pairs = sorted((part.partition("=")[0], part.partition("=")[2]) for part in query.split("&") if part)
    canonical_query = "&".join(
        f"{quote(unquote(name), safe='-_.~')}={quote(unquote(value), safe='-_.~')}" for name, value in pairs
    )
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names)
    canonical = f"{method}\n{path}\n{canonical_query}\n{lines}\n{';'.join(names)}\n{payload}"
    scope = f"{at[:8]}/us-east-1/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    signature = hmac.digest(signing_key(keys, scope), f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}".encode(), "sha256")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key_id}/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={signature.hex()}"
    )
    return headers


def signing_key(keys: Credentials, scope: str) -> bytes:
    key = f"AWS4{keys.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def send(
    aws: Aws, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Send a request with its target untouched."""
    connection = http.client.HTTPConnection("127.0.0.1", aws.server.port, timeout=10)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in {"host": f"127.0.0.1:{aws.server.port}", **(headers or {})}.items():
            connection.putheader(name, value.encode("latin-1"))
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def ask(
    aws: Aws,
    method: str,
    target: str,
    body: bytes = b"",
    who: Credentials | None = None,
    service: str = "s3",
    **more: Any,
) -> tuple[int, bytes]:
    """Sign and send."""
    return send(aws, method, target, body, sign(aws, method, target, body, who=who, service=service, **more))


def talk(aws: Aws, data: bytes, *, ends: bool = False) -> bytes:
    """Send bytes as they are, and give all that comes back until the server closes or falls silent.

    Where it `ends`, the server sees that nothing more will come.
    """
    with socket.create_connection(("127.0.0.1", aws.server.port), timeout=1) as connection:
        connection.sendall(data)
        received = b""
        if ends:
            connection.shutdown(socket.SHUT_WR)
        try:
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            pass
        return received


def head(method: str, target: str, headers: dict[str, str]) -> bytes:
    """The head of an HTTP request."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
