"""An identity provider for tests: keys, tokens signed with them, and a server on loopback that publishes them."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

RSA = RSAKey.generate_key(2048, auto_kid=True)
P256, P384 = ECKey.generate_key("P-256", auto_kid=True), ECKey.generate_key("P-384", auto_kid=True)


def public(key: RSAKey | ECKey, **more: str) -> dict[str, Any]:
    """The key as its issuer publishes it."""
    return {**key.as_dict(private=False), "kid": key.kid, **more}


def sign(claims: Mapping[str, Any], key: RSAKey | ECKey = RSA, algorithm: str = "RS256", **header: Any) -> str:
    """A token of these claims."""
    named = {"alg": algorithm, "kid": key.kid, **header}
    return jwt.encode({name: value for name, value in named.items() if value}, dict(claims), key, [algorithm])


@dataclass
class Published:
    """What a server gives: documents by path, and how often each was asked for."""

    url: str = ""
    documents: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, path: str, document: Any, status: int = 200, **headers: str) -> None:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.documents[path] = (status, data, headers)

    def publish_keys(self, *keys: dict[str, Any]) -> None:
        """Be an issuer with these keys."""
        configuration = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.publish("/.well-known/openid-configuration", configuration)
        self.publish("/keys", {"keys": list(keys)})


@contextmanager
def serve() -> Iterator[Published]:
    """A server on loopback with nothing on it."""
    published = Published()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            published.asked.append(self.path)
            status, data, headers = published.documents.get(self.path, (404, b"{}", {}))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    published.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield published
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
