"""JSON documents that an identity provider publishes, fetched with every limit that a stranger's server calls for.

Over https; plain http reaches this machine only. Redirects are not followed, and answers are short and quick or none.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

# AWS: Knowledge Center, "resolve the InvalidIdentityToken error": more than 5 seconds is too late.
_TIMEOUT_S = 5.0
_MAX_BYTES = 256 * 1024
_CHUNK_BYTES = 16 * 1024
_PASSING = (429, 500, 502, 503, 504)


class DocumentError(Exception):
    """The document cannot be had; `is_passing` where the server is there and says that it cannot answer now."""

    def __init__(self, reason: str, *, is_passing: bool = False) -> None:
        super().__init__(reason)
        self.is_passing = is_passing


def fetch_document(url: str, timeout_s: float = _TIMEOUT_S) -> dict[str, object]:
    """Give the JSON object at a URL, in that time. Raises: DocumentError."""
    parts = _split(url)
    deadline = time.monotonic() + timeout_s
    connection = _connect(parts, timeout_s)
    # A timeout is for one read: who sends a byte of a header every few seconds would never meet it.
    watch = threading.Timer(timeout_s, _cut_off, (connection,))
    watch.daemon = True
    try:
        connection.connect()
        watch.start()
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("GET", target, headers={"Accept": "application/json", "User-Agent": "keyhole-local"})
        with connection.getresponse() as response:
            if response.status != http.client.OK:
                raise DocumentError(f"answered {response.status}", is_passing=response.status in _PASSING)
            found = json.loads(_read(response, deadline))
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise DocumentError(f"could not be fetched: {type(error).__name__}") from error
    finally:
        watch.cancel()
        connection.close()
    if not isinstance(found, dict):
        raise DocumentError("is no JSON object")
    return found


def is_loopback_url(url: str) -> bool:
    """Hold iff the URL is plain http on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0 and not parts.username and not parts.fragment
    except ValueError:
        is_whole = False
    if not is_whole or not url.isascii() or not url.isprintable() or " " in url:
        raise DocumentError("is at no URL that can be fetched")
    if parts.scheme != "https" and not is_loopback_url(url):
        raise DocumentError("is not at an https URL")
    return parts


def _connect(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)


def _cut_off(connection: http.client.HTTPConnection) -> None:
    """End what is being read; a TLS connection's own shutdown would wait for the other side."""
    if connection.sock:
        with suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """Give the body. Raises: DocumentError where it is too long, or comes too slowly."""
    data = b""
    while chunk := response.read1(_CHUNK_BYTES):
        data += chunk
        if len(data) > _MAX_BYTES:
            raise DocumentError(f"is longer than {_MAX_BYTES} bytes")
        if time.monotonic() > deadline:
            raise DocumentError("comes too slowly")
    return data
