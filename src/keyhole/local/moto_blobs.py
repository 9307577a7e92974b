"""moto keeps an object's bytes in memory or in a file of their own, and copies them whole for every read and at the end
of an upload: here large ones are blobs instead, which are cut and joined without a copy.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache
from typing import Any

from moto.s3 import models, responses
from moto.s3.exceptions import EntityTooSmall, InvalidPart, MalformedXML
from moto.s3.models import S3_UPLOAD_PART_MIN_SIZE, FakeKey, FakeMultipart

from keyhole.aws import checksums
from keyhole.local.blob import Blob, Content, blocks_of, join

# Our attribute of moto's uploads, which stay with the objects that they became.
PART_SIZES = "keyhole_part_sizes"

# What is searched is read as a whole in any case.
_WHOLE: ContextVar[bool] = ContextVar("objects are read as a whole", default=False)


class _Buffer:
    """Stands where moto has its temporary file."""

    def __init__(self, blob: Blob) -> None:
        self.blob = blob

    def close(self) -> None:
        """Let go of the bytes; who is still reading them keeps them."""
        self.blob = Blob((), 0)


@cache
def keep_blobs() -> None:
    """Let moto's objects hold blobs, its uploads join them, and its checksums be those that they are called."""
    stored: Any = FakeKey.value

    def read(self: Any) -> Content:
        buffer = self._value_buffer
        found: Content = buffer.blob if isinstance(buffer, _Buffer) else stored.fget(self)
        return found.content() if isinstance(found, Blob) and _WHOLE.get() else found

    def write(self: Any, value: Any) -> None:
        if isinstance(value, Blob):
            self._value_buffer.close()
            self._value_buffer = _Buffer(value)
            self.contentsize = value.size
        else:
            stored.fset(self, value)
        if self._etag is None:
            # moto would do so when it is first asked, and it may be asked by many at once.
            known = value.md5 if isinstance(value, Blob) else ""
            self._etag = known or _md5(blocks_of(value.encode() if isinstance(value, str) else value))

    FakeKey.value = property(read, write)
    FakeMultipart.complete = _complete
    models.compute_checksum = responses.compute_checksum = _compute_checksum
    original = models.S3Backend.select_object_content

    def select_object_content(self: Any, *arguments: Any) -> Any:
        token = _WHOLE.set(True)
        try:
            return original(self, *arguments)
        finally:
            _WHOLE.reset(token)

    models.S3Backend.select_object_content = select_object_content


def _md5(blocks: Iterable[bytes]) -> str:
    found = hashlib.md5(usedforsecurity=False)
    for block in blocks:
        found.update(block)
    return found.hexdigest()


def _complete(self: Any, body: Iterable[tuple[int, str]]) -> tuple[Content, str, tuple[str, str, int] | None]:
    """Join the parts of an upload: the object, its ETag, its checksum (type, value, number of parts).

    AWS: S3 User Guide, "Checking object integrity for multipart uploads": the checksum of a whole object is over its
    bytes, a composite one over the checksums of its parts.
    """
    parts: list[Any] = []
    for number, etag in body:
        part = self.parts.get(number)
        if part is None or part.etag.strip('"') != etag.strip('"'):
            raise InvalidPart()
        if parts and parts[-1].contentsize < S3_UPLOAD_PART_MIN_SIZE:
            raise EntityTooSmall()
        parts.append(part)
    if not parts:
        raise MalformedXML()
    setattr(self, PART_SIZES, tuple(part.contentsize for part in parts))
    digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
    etag = f"{_md5((digests,))}-{len(parts)}"
    whole = join(part.value for part in parts)
    return whole, etag, _checksum(self.metadata, [part.value for part in parts], whole)


def _checksum(metadata: Any, parts: list[Content], whole: Content) -> tuple[str, str, int] | None:
    algorithm = str(metadata.get("x-amz-checksum-algorithm") or "").lower()
    if algorithm not in checksums.ALGORITHMS:
        return None
    kind = metadata.get("x-amz-checksum-type") or ("FULL_OBJECT" if algorithm == "crc64nvme" else "COMPOSITE")
    if kind != "COMPOSITE":
        return kind, checksums.compute(algorithm, blocks_of(whole)), 1
    each = (base64.b64decode(checksums.compute(algorithm, blocks_of(part))) for part in parts)
    return kind, checksums.compute(algorithm, each), len(parts)


def _compute_checksum(body: Content, algorithm: str, encode_base64: bool = True) -> bytes:
    # moto takes any other name for SHA-256.
    name = algorithm.lower() if algorithm.lower() in checksums.ALGORITHMS else "sha256"
    found = checksums.compute(name, blocks_of(body)).encode()
    return found if encode_base64 else base64.b64decode(found)
