"""A client that calls the app without a network, and counts how much of a body the app reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
from service_fakes import FakeChecker, FakeStore, OneStore, make_service_for_test

from keyhole.service.app import create_app
from keyhole.service.runtime import Runtime, make_runtime
from keyhole.service.settings import Service, Settings

BOUNDARY = "keyhole-test-boundary"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


class ServiceClient:
    """One app over one fake store."""

    def __init__(
        self,
        settings: Settings | None = None,
        store: FakeStore | None = None,
        *,
        service: Service | None = None,
        runtime: Runtime | None = None,
        checker: FakeChecker | None = None,
    ) -> None:
        self.service = service or make_service_for_test(*([settings] if settings else []))
        self.settings = self.service.first
        self.store = store or FakeStore()
        self.opener = OneStore(self.store)
        self.checker = checker or FakeChecker()
        self.runtime = runtime or make_runtime(self.service)
        self.app = create_app(self.service, self.runtime, open_store=self.opener, checker=self.checker)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Make one request."""

        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
                return await client.request(method, path, **options)

        return anyio.run(run)

    def upload(self, data: bytes, name: str = "photo.png", **options: Any) -> httpx.Response:
        """Upload one file; what the client says its type is must never matter."""
        return self.ask("POST", "/v1/uploads", files={"file": (name, data, "text/plain")}, **options)

    def post_form(self, *parts: bytes) -> httpx.Response:
        """Post a body as it is, without saying how long it is."""

        async def stream() -> AsyncIterator[bytes]:
            for part in parts:
                yield part

        return self.ask("POST", "/v1/uploads", content=stream(), headers=FORM)


def form_head(name: str = "file", file_name: str = "a.png") -> bytes:
    """Give the beginning of a form with one file."""
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"'
    return f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: image/png\r\n\r\n".encode()


FORM_TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def problem_of(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """Give the problem document, which must be one of this status and kind, with a sentence in it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"urn:keyhole:problem:{kind}"
    assert body["status"] == status
    assert body["detail"]
    assert body["hint"]
    return body
