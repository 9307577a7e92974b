"""The instance metadata service of one EC2 instance, as a WSGI app: IMDSv2 with tokens, and IMDSv1 where it is allowed.

Everything is read at the moment of the request: the role that is served is the one that is attached now.
Neither tokens nor credentials are logged.
AWS: EC2 User Guide, "Use the Instance Metadata Service to access instance metadata" and "Instance metadata categories".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from keyhole.local.backend import Backend, Instance
from keyhole.local.imds_credentials import RoleCredentials
from keyhole.local.imds_tree import build_tree, find_text
from keyhole.local.loopback_listener import StartResponse, Unanswered, WsgiApp, is_own_host
from keyhole.local.sessions import SessionStore

LIVE_STATES = frozenset({"pending", "running"})

_TOKEN_PATH = "/latest/api/token"
_TTL_HEADER = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
_MAX_TTL_S = 21600

_OWN_ADDRESS = "169.254.169.254"

_ERROR_PAGE = """<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
\t"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>{title}</title>
 </head>
 <body>
  <h1>{title}</h1>
 </body>
</html>
"""


class MetadataTokens:
    """IMDSv2 session tokens of one instance: nothing is stored, each token carries its expiry under a MAC."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def issue(self, ttl_s: int) -> str:
        """Make a token that is valid for `ttl_s` seconds from now."""
        claim = struct.pack(">d", self._clock().timestamp() + ttl_s) + secrets.token_bytes(8)
        return base64.urlsafe_b64encode(claim + self._sign(claim)).decode()

    def is_valid(self, token: str) -> bool:
        """Hold iff the token was issued for this instance and is not over."""
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except ValueError:
            return False
        claim, mac = raw[:16], raw[16:]
        if len(claim) != 16 or not hmac.compare_digest(mac, self._sign(claim)):
            return False
        (expires_at,) = struct.unpack(">d", claim[:8])
        return self._clock().timestamp() < float(expires_at)

    def _sign(self, claim: bytes) -> bytes:
        return hmac.digest(self._key, claim, hashlib.sha256)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: HTTPStatus
    text: str | bytes
    content_type: str = "text/plain"
    headers: tuple[tuple[str, str], ...] = ()


class MetadataService:
    """The WSGI app that answers for one instance; may be shared between threads."""

    def __init__(self, instance_id: str, backend: Backend, sessions: SessionStore) -> None:
        self._instance_id = instance_id
        self._backend = backend
        self._clock = sessions.clock
        self._tokens = MetadataTokens(sessions.clock)
        self._credentials = {is_v2: RoleCredentials(sessions, "2.0" if is_v2 else "1.0") for is_v2 in (False, True)}

    def seen_from(self, hops: int) -> WsgiApp:
        """Give the service as a client sees it that is so many network hops away: 1 on the instance, 2 in a container.

        AWS: EC2 User Guide, "Use the Instance Metadata Service to access instance metadata", hop limit: the answer to a
        PUT does not get further than it, so the client waits in vain. Here its connection is closed, which comes to the
        same, sooner.
        """

        def serve(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "PUT" and not self._reaches(hops):
                raise Unanswered
            return self(environ, start_response)

        return serve

    def _reaches(self, hops: int) -> bool:
        instance = self._backend.find_instance(self._instance_id)
        return instance is None or hops <= instance.hop_limit

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        answer = self._answer(environ)
        body = answer.text if isinstance(answer.text, bytes) else answer.text.encode()
        headers = [
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(body))),
            ("Server", "EC2ws"),
            *answer.headers,
        ]
        start_response(f"{answer.status.value} {answer.status.phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: dict[str, Any]) -> _Answer:
        if not is_own_host(environ.get("HTTP_HOST", ""), _OWN_ADDRESS):
            return _refusal(HTTPStatus.FORBIDDEN)
        instance = self._backend.find_instance(self._instance_id)
        if instance is None or instance.state not in LIVE_STATES:
            return _refusal(HTTPStatus.NOT_FOUND)
        if instance.http_endpoint != "enabled":
            return _refusal(HTTPStatus.FORBIDDEN)
        path = environ.get("PATH_INFO", "")
        match environ["REQUEST_METHOD"]:
            case "PUT":
                return self._issue_token(path, environ)
            case "GET" | "HEAD" if path != _TOKEN_PATH:
                return self._read(path, environ, instance)
            case _:
                allowed = "OPTIONS, PUT" if path == _TOKEN_PATH else "GET, HEAD"
                return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, (("Allow", allowed),))

    def _issue_token(self, path: str, environ: dict[str, Any]) -> _Answer:
        """Answer a PUT.

        AWS: EC2 User Guide, "How Instance Metadata Service Version 2 works": not through a proxy, not elsewhere.
        """
        if path != _TOKEN_PATH or "HTTP_X_FORWARDED_FOR" in environ:
            return _refusal(HTTPStatus.FORBIDDEN)
        ttl = environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS", "").strip()
        if not (ttl.isascii() and ttl.isdigit() and len(ttl) <= 5 and 1 <= int(ttl) <= _MAX_TTL_S):
            return _refusal(HTTPStatus.BAD_REQUEST)
        return _Answer(HTTPStatus.OK, self._tokens.issue(int(ttl)), headers=((_TTL_HEADER, str(int(ttl))),))

    def _read(self, path: str, environ: dict[str, Any], instance: Instance) -> _Answer:
        token = environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN")
        if token is None and instance.http_tokens == "required":
            return _refusal(HTTPStatus.UNAUTHORIZED)
        if token is not None and not self._tokens.is_valid(token):
            # A bad token is refused even where none is needed.
            return _refusal(HTTPStatus.UNAUTHORIZED)
        tree = build_tree(instance, self._credentials[token is not None], self._clock())
        text = find_text(tree, path)
        if text is None:
            return _refusal(HTTPStatus.NOT_FOUND)
        content_type = "application/octet-stream" if isinstance(text, bytes) else "text/plain"
        return _Answer(HTTPStatus.OK, text, content_type)


def _refusal(status: HTTPStatus, headers: tuple[tuple[str, str], ...] = ()) -> _Answer:
    page = _ERROR_PAGE.format(title=f"{status.value} - {status.phrase}")
    return _Answer(status, page, "text/html", headers)
