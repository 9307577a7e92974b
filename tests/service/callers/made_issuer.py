"""An OpenID Connect issuer in memory: it makes keys and tokens, and counts who asks it for its documents."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from joserfc import jwk, jwt

ISSUER = "https://login.example.com/tenant"
AUDIENCE = "uploads"


class MadeIssuer:
    """Signs tokens, and answers for its discovery document and keys; `status` is what it answers with."""

    def __init__(self, issuer: str = ISSUER) -> None:
        self.issuer = issuer
        self.keys: dict[str, Any] = {}
        self.asked: list[str] = []
        self.status = 200
        self.discovery: dict[str, Any] = {"issuer": issuer, "jwks_uri": f"{issuer}/keys"}
        self.jwks: object = None
        self.add_key("k1")

    def add_key(self, key_id: str, kind: str = "RSA", size: Any = 2048) -> None:
        """Make a key, which is published from now on."""
        generate: Any = jwk.generate_key
        self.keys[key_id] = generate(kind, size, parameters={"kid": key_id})

    def sign(self, *, key_id: str = "k1", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Give a token that is good, but for what is said."""
        now = int(time.time())
        said = {"iss": self.issuer, "aud": AUDIENCE, "sub": "ana", "exp": now + 300, "iat": now, **claims}
        said = {name: value for name, value in said.items() if value is not None}
        kept = {"alg": "RS256", "kid": key_id, **(header or {})}
        head = {name: value for name, value in kept.items() if value is not None}
        return jwt.encode(head, said, self.keys[key_id], algorithms=[head["alg"]])

    def open_client(self) -> httpx.AsyncClient:
        """Give a client for which this issuer is all of the web."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    @classmethod
    @contextmanager
    def served(cls) -> Iterator[MadeIssuer]:
        """Give one that answers over HTTP on this machine."""
        made: list[MadeIssuer] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = made[0]._answer(httpx.Request("GET", made[0].issuer + self.path))
                self.send_response(answer.status_code)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: the tests' output is for the tests."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            made.append(cls(f"http://127.0.0.1:{server.server_address[1]}"))
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield made[0]
            finally:
                server.shutdown()
                thread.join()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.status == 0:
            raise httpx.ConnectError("nobody there")
        if self.status != 200:
            return httpx.Response(self.status, headers={"Location": "https://elsewhere.example/"})
        if str(request.url) == f"{self.issuer.rstrip('/')}/.well-known/openid-configuration":
            return httpx.Response(200, json=self.discovery)
        published = {"keys": [{**key.as_dict(private=False), "use": "sig"} for key in self.keys.values()]}
        return httpx.Response(200, json=published if self.jwks is None else self.jwks)
