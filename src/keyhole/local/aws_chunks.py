"""The aws-chunked framing of a payload: chunks with their sizes, perhaps each signed, and headers that trail them.

AWS: S3 API Reference, "Signature calculations: transferring payload in multiple chunks" and "… with trailing headers".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator

from keyhole.local.call import Fault
from keyhole.local.sigv4 import EMPTY_SHA256, Signature

_CHUNK = "AWS4-HMAC-SHA256-PAYLOAD"
_TRAILER = "AWS4-HMAC-SHA256-TRAILER"
STREAMING_SIGNED = f"STREAMING-{_CHUNK}"
STREAMING_UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
STREAMING = frozenset({STREAMING_SIGNED, f"{STREAMING_SIGNED}-TRAILER", STREAMING_UNSIGNED})
_MAX_TRAILER_BYTES = 16 * 1024
_MAX_LINE_BYTES = 1024
_CHUNK_SIZE = re.compile(rb"^[0-9a-fA-F]{1,15}$")

Trailers = tuple[tuple[str, str], ...]


def incomplete(why: str) -> Fault:
    """The body is not as long as it says, or is not framed as it says."""
    return Fault("IncompleteBody", f"The request body terminated unexpectedly: {why}", 400)


class _Stream:
    """Blocks read by line and by length."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._pending = b""

    def line(self) -> bytes:
        """Give what comes before the next line end. Raises: Fault."""
        while (end := self._pending.find(b"\r\n")) < 0:
            more = next(self._blocks, b"")
            if not more or len(self._pending) > _MAX_LINE_BYTES:
                raise incomplete("a chunk has no header")
            self._pending += more
        if end > _MAX_LINE_BYTES:
            raise incomplete("a chunk has no header")
        found, self._pending = self._pending[:end], self._pending[end + 2 :]
        return found

    def take(self, size: int) -> Iterator[bytes]:
        """Give that many bytes. Raises: Fault where there are fewer."""
        while size:
            block = self._pending or next(self._blocks, b"")
            if not block:
                raise incomplete("a chunk is cut off")
            found, self._pending = block[:size], block[size:]
            size -= len(found)
            yield found

    def rest(self, limit: int) -> bytes:
        """Give everything that is left, or the beginning of it where that is more than `limit`."""
        while len(self._pending) <= limit and (more := next(self._blocks, b"")):
            self._pending += more
        return self._pending


class _Chain:
    """The chunk signatures: each covers the one before it, the first that of the request."""

    def __init__(self, signature: Signature, key: bytes) -> None:
        self._signature = signature
        self._key = key
        self._previous = signature.signature

    def check_chunk(self, digest: str, given: str) -> None:
        self._check(f"{_CHUNK}\n{self._head()}\n{EMPTY_SHA256}\n{digest}", given)

    def check_trailers(self, trailers: Trailers, given: str) -> None:
        canonical = "".join(f"{name}:{value}\n" for name, value in trailers)
        digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
        self._check(f"{_TRAILER}\n{self._head()}\n{digest}", given)

    def _head(self) -> str:
        return f"{self._signature.amz_date}\n{self._signature.scope}\n{self._previous}"

    def _check(self, text: str, given: str) -> None:
        expected = hmac.digest(self._key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), given.encode("latin-1", "replace")):
            message = (
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method."
            )
            raise Fault("SignatureDoesNotMatch", message, 403)
        self._previous = expected


def unpack(
    blocks: Iterator[bytes],
    declared: str,
    signature: Signature | None,
    key: bytes,
    write: Callable[[bytes], None],
) -> Trailers:
    """Write the payload without its framing, and give the trailing headers. Raises: Fault.

    What was written is to be thrown away where this fails: a chunk is known to be genuine only at its end.
    """
    chain = None
    if declared.startswith(STREAMING_SIGNED):
        if signature is None or not key:
            raise Fault("AccessDenied", "Access Denied", 403)
        chain = _Chain(signature, key)
    stream = _Stream(blocks)
    while size := _read_chunk(stream, chain, write):
        if b"".join(stream.take(2)) != b"\r\n":
            raise incomplete(f"a chunk of {size} bytes has no end")
    return _read_trailers(stream.rest(_MAX_TRAILER_BYTES), chain if declared.endswith("TRAILER") else None)


def _read_chunk(stream: _Stream, chain: _Chain | None, write: Callable[[bytes], None]) -> int:
    line, _, extension = stream.line().partition(b";")
    if not _CHUNK_SIZE.match(line):
        raise incomplete("a chunk has no size")
    size, digest = int(line, 16), hashlib.sha256()
    for block in stream.take(size):
        if chain:
            digest.update(block)
        write(block)
    if chain:
        given = extension.decode("latin-1").strip().removeprefix("chunk-signature=")
        chain.check_chunk(digest.hexdigest(), given)
    return size


def _read_trailers(raw: bytes, chain: _Chain | None) -> Trailers:
    if len(raw) > _MAX_TRAILER_BYTES:
        raise malformed_trailer()
    found: list[tuple[str, str]] = []
    for line in raw.decode("latin-1").replace("\r\n", "\n").split("\n"):
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise malformed_trailer()
        found.append((name.strip().lower(), value.strip()))
    given = dict(found).get("x-amz-trailer-signature", "")
    trailers = tuple((name, value) for name, value in found if name != "x-amz-trailer-signature")
    if len(dict(trailers)) != len(trailers):
        raise malformed_trailer()
    if chain:
        chain.check_trailers(trailers, given)
    return trailers


def malformed_trailer() -> Fault:
    """What comes after the last chunk is no list of headers, or not the one that was announced."""
    return Fault("MalformedTrailerError", "The request contained trailing data that was not well-formed.", 400)
