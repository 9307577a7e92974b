"""A bucket in memory, which answers over HTTP as well, so that a browser can read from it; and who looks at images."""

from __future__ import annotations

import asyncio
import hashlib
import struct
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from keyhole.aws.client import Credentials
from keyhole.errors import AwsError
from keyhole.service.callers.caller import Caller
from keyhole.service.images.checked import Checked, Expect, ImageRule, Kind, Refused
from keyhole.service.settings import Service, Settings
from keyhole.service.signing import Keys, Signer
from keyhole.service.store import Head, Listing, ObjectHeaders, Part, StoredObject
from keyhole.spec.uploads import OidcCallers, TokenCallers


@dataclass(frozen=True)
class Kept:
    """An object as the bucket keeps it."""

    data: bytes
    headers: ObjectHeaders
    modified: datetime

    @property
    def etag(self) -> str:
        """As S3 makes it."""
        return f'"{hashlib.md5(self.data).hexdigest()}"'


@dataclass
class Parts:
    """A multipart upload that has begun."""

    key: str
    headers: ObjectHeaders
    data: dict[int, bytes] = field(default_factory=dict)


class FakeStore:
    """Keeps objects in a dict; fails with `failure` while that is set."""

    def __init__(self) -> None:
        self.objects: dict[str, Kept] = {}
        self.uploads: dict[str, Parts] = {}
        self.failure: Exception | None = None
        self.asked: list[str] = []
        self.threads: set[int] = set()
        self.keys = Keys(Credentials("AKIAEXAMPLE", "not-a-secret"))
        self.base_url = "https://signed.example/"

    def _begin(self, operation: str) -> None:
        self.asked.append(operation)
        self.threads.add(threading.get_ident())
        if self.failure is not None:
            raise self.failure

    def put_object(
        self, key: str, body: IO[bytes], headers: ObjectHeaders, *, sha256: str = "", only_new: bool = False
    ) -> bool:
        self._begin("PutObject")
        if only_new and key in self.objects:
            return False
        data = body.read()
        if sha256 and hashlib.sha256(data).hexdigest() != sha256:
            raise refusal("BadDigest", 400)
        self.objects[key] = Kept(data, headers, datetime.now(UTC))
        return True

    def copy_object(self, source: str, key: str, headers: ObjectHeaders, *, etag: str) -> bool:
        self._begin("CopyObject")
        if self.objects[source].etag != etag:
            raise refusal("PreconditionFailed", 412)
        if key in self.objects:
            return False
        self.objects[key] = Kept(self.objects[source].data, headers, datetime.now(UTC))
        return True

    def read_head(self, key: str) -> Head | None:
        self._begin("HeadObject")
        kept = self.objects.get(key)
        if kept is None:
            return None
        return Head(len(kept.data), kept.modified, kept.etag, kept.headers.content_type, kept.headers.metadata)

    def read_object(self, key: str, into: IO[bytes], *, etag: str) -> None:
        self._begin("GetObject")
        if self.objects[key].etag != etag:
            raise refusal("PreconditionFailed", 412)
        into.write(self.objects[key].data)

    def list_objects(self, prefix: str, *, limit: int, after_key: str = "") -> Listing:
        self._begin("ListObjectsV2")
        keys = [key for key in self._right_under(prefix) if key > after_key]
        found = tuple(
            StoredObject(key, len(self.objects[key].data), self.objects[key].modified) for key in keys[:limit]
        )
        return Listing(found, len(keys) > limit)

    def measure(self, prefix: str) -> tuple[int, int]:
        self._begin("ListObjectsV2")
        keys = self._right_under(prefix)
        return len(keys), sum(len(self.objects[key].data) for key in keys)

    def _right_under(self, prefix: str) -> list[str]:
        return sorted(key for key in self.objects if key.startswith(prefix) and "/" not in key[len(prefix) :])

    def delete_object(self, key: str) -> None:
        self._begin("DeleteObject")
        self.objects.pop(key, None)

    def begin_parts(self, key: str, headers: ObjectHeaders) -> str:
        self._begin("CreateMultipartUpload")
        upload_id = f"upload-{len(self.uploads)}"
        self.uploads[upload_id] = Parts(key, headers)
        return upload_id

    def list_parts(self, key: str, upload_id: str) -> tuple[Part, ...] | None:
        self._begin("ListParts")
        upload = self.uploads.get(upload_id)
        if upload is None or upload.key != key:
            return None
        return tuple(Part(number, _etag(data), len(data)) for number, data in sorted(upload.data.items()))

    def join_parts(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        self._begin("CompleteMultipartUpload")
        upload = self.uploads.pop(upload_id)
        data = b"".join(upload.data[part.number] for part in parts)
        self.objects[key] = Kept(data, upload.headers, datetime.now(UTC))

    def abort_parts(self, key: str, upload_id: str) -> None:
        self._begin("AbortMultipartUpload")
        self.uploads.pop(upload_id, None)

    def signer(self) -> Signer:
        self._begin("sign")
        return Signer(self.keys, "ap-northeast-2", self.base_url)

    def ready_signer(self) -> Signer | None:
        return None


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


_MAGIC = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
    b"BM": "image/bmp",
}


class FakeChecker:
    """Looks at an image's header alone, here and now; makes thumbnails that are none."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.late_failure: Exception | None = None
        self.tells = True
        self.seen: list[Path] = []
        self.known: list[str] = []

    async def check(self, path: Path, rule: ImageRule, *, sha256: str = "", expect: Expect | None = None) -> Checked:
        self.seen.append(path)
        self.known.append(sha256)
        if self.failure is not None:
            raise self.failure
        data = path.read_bytes()
        content_type = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "")
        if not content_type or content_type not in rule.content_types:
            kind: Kind = "wrong-type" if content_type else "not-an-image"
            raise Refused(kind, f"the file is {content_type or 'no image'}", content_type=content_type)
        is_png = content_type == "image/png"
        width, height = struct.unpack(">II", data[16:24]) if is_png else (640, 480)
        directory = Path(tempfile.mkdtemp())
        thumbnails = {size: directory / f"{size}.webp" for size in rule.thumbnails}
        for size, thumbnail in thumbnails.items():
            thumbnail.write_bytes(f"thumbnail of {size}".encode())
        kept = path
        if rule.strip_metadata and b"EXIF" in data:
            kept = directory / "stripped"
            data = data.replace(b"EXIF", b"----")
            kept.write_bytes(data)
        checked = Checked(
            content_type=content_type,
            width=width,
            height=height,
            frames=1,
            sha256=hashlib.sha256(data).hexdigest(),
            size_bytes=len(data),
            path=kept,
            thumbnails=thumbnails,
            directory=directory,
        )
        if self.tells and expect is not None:
            expect(checked)
            await self.pause()
        if self.late_failure is not None:
            raise self.late_failure
        return checked

    async def pause(self) -> None:
        """Take as long as an image takes to be decoded."""
        await asyncio.sleep(0.01)


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
    name: str = "images",
    bucket: str = "pictures",
    prefix: str = "uploads/images/",
    content_types: tuple[str, ...] = ("image/png", "image/jpeg", "image/gif", "image/webp"),
    max_bytes: int = 100_000,
    region: str = "ap-northeast-2",
    endpoint_url: str = "http://127.0.0.1:4566",
    is_public: bool = True,
    ttl_s: int = 600,
    max_ttl_s: int = 3600,
    thumbnails: tuple[int, ...] = (),
    signed_uploads: bool = False,
    callers: tuple[str, ...] = (),
    per_caller: bool = False,
    uploads_per_minute: int | None = None,
    max_objects: int | None = None,
) -> Settings:
    """Give the settings of the example, with what a test wants to be different."""
    return Settings(
        name=name,
        app="ai-image-community",
        bucket=bucket,
        region=region,
        prefix=prefix,
        content_types=content_types,
        max_bytes=max_bytes,
        ttl_s=ttl_s,
        max_ttl_s=max_ttl_s,
        endpoint_url=endpoint_url,
        is_public=is_public,
        thumbnails=thumbnails,
        signed_uploads=signed_uploads,
        callers=callers,
        per_caller=per_caller,
        uploads_per_minute=uploads_per_minute,
        max_objects=max_objects,
    )


def make_service_for_test(*uploads: Settings, callers: dict[str, TokenCallers | OidcCallers] | None = None) -> Service:
    """Give a service over these uploads, or over the example's."""
    given = uploads or (make_settings_for_test(),)
    return Service("ai-image-community", "api", {settings.name: settings for settings in given}, callers or {})


class OneStore:
    """Opens the same store for everyone, and remembers for whom."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.opened: list[tuple[str, Caller]] = []

    def __call__(self, settings: Settings, caller: Caller) -> FakeStore:
        self.opened.append((settings.name, caller))
        return self.store


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
