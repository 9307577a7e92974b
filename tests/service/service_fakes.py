"""A bucket in memory, which answers over HTTP as well, so that a browser can read from it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO
from urllib.parse import quote, unquote, urlsplit

from keyhole.errors import AwsError
from keyhole.service.settings import Settings
from keyhole.service.store import Listing, ObjectHeaders, StoredObject


@dataclass(frozen=True)
class Kept:
    """An object as the bucket keeps it."""

    data: bytes
    headers: ObjectHeaders
    modified: datetime


class FakeStore:
    """Keeps objects in a dict; fails with `failure` while that is set."""

    def __init__(self) -> None:
        self.objects: dict[str, Kept] = {}
        self.failure: Exception | None = None
        self.asked: list[str] = []
        self.threads: set[int] = set()

    def _begin(self, operation: str) -> None:
        self.asked.append(operation)
        self.threads.add(threading.get_ident())
        if self.failure is not None:
            raise self.failure

    def put_object(self, key: str, body: IO[bytes], headers: ObjectHeaders) -> None:
        self._begin("PutObject")
        self.objects[key] = Kept(body.read(), headers, datetime.now(UTC))

    def list_objects(self, prefix: str, *, limit: int, after_key: str = "") -> Listing:
        self._begin("ListObjectsV2")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after_key)
        found = tuple(
            StoredObject(key, len(self.objects[key].data), self.objects[key].modified) for key in keys[:limit]
        )
        return Listing(found, len(keys) > limit)

    def delete_object(self, key: str) -> None:
        self._begin("DeleteObject")
        self.objects.pop(key, None)

    def sign_get(self, key: str, *, ttl_s: int) -> str:
        self._begin("sign")
        return f"https://signed.example/{quote(key)}?X-Amz-Expires={ttl_s}"


def refusal(code: str, status: int) -> AwsError:
    """Give what AWS would say, with a sentence that visitors must not see."""
    return AwsError(
        "User: arn:aws:sts::123456789012:assumed-role/TopSecretRole/i-0 is not authorized",
        code=code,
        operation="PutObject",
        request_id="REQ1",
        status=status,
    )


def make_settings_for_test(
    *,
    prefix: str = "uploads/images/",
    content_types: tuple[str, ...] = ("image/png", "image/jpeg", "image/gif", "image/webp"),
    max_bytes: int = 100_000,
    endpoint_url: str = "http://127.0.0.1:4566",
    is_public: bool = True,
    ttl_s: int = 600,
) -> Settings:
    """Give the settings of the example, with what a test wants to be different."""
    return Settings(
        name="images",
        app="ai-image-community",
        bucket="pictures",
        region="ap-northeast-2",
        prefix=prefix,
        content_types=content_types,
        max_bytes=max_bytes,
        ttl_s=ttl_s,
        max_ttl_s=3600,
        endpoint_url=endpoint_url,
        is_public=is_public,
    )


@contextmanager
def serve_objects(store: FakeStore) -> Iterator[str]:
    """Answer GET /BUCKET/KEY from the store; gives the endpoint's URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = unquote(urlsplit(self.path).path).split("/", 2)[2]
            kept = store.objects.get(key)
            self.send_response(200 if kept else 404)
            if kept:
                self.send_header("Content-Type", kept.headers.content_type)
            self.end_headers()
            if kept:
                self.wfile.write(kept.data)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the tests' output is for the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
