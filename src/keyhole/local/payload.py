"""The payload of an S3 request: taken off the wire block by block, its framing, hashes and checksums verified.

AWS: S3 API Reference, "Authenticating Requests (AWS Signature Version 4)", payload options; S3 User Guide, "Checking
object integrity in Amazon S3".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from keyhole.aws import checksums
from keyhole.local import aws_chunks
from keyhole.local.blob import BlobWriter, Content
from keyhole.local.call import Body, Fault, Headers, HttpRequest
from keyhole.local.sigv4 import UNSIGNED_PAYLOAD, Signature

# AWS: S3 User Guide, "Uploading objects": at most 5 GiB in a single put.
MAX_OBJECT_BYTES = 5 * 1024**3
_CHECKSUM = "x-amz-checksum-"


def _new_md5() -> checksums.Checksum:
    return hashlib.md5(usedforsecurity=False)


_MAKERS: dict[str, Callable[[], checksums.Checksum]] = {
    **checksums.ALGORITHMS,
    "md5": _new_md5,
    "payload": hashlib.sha256,
}


@runtime_checkable
class StreamedBody(Body, Protocol):
    """A body that need not be in memory as a whole."""

    def blocks(self) -> Iterator[bytes]:
        """Give the bytes as they come in; once. Raises: Fault where it is cut off or too long."""


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes that were meant, and the trailing headers that came after them."""

    data: Content = field(repr=False)
    trailers: aws_chunks.Trailers = ()


class _Sink:
    """Keeps what is written to it, and computes the hashes of these names: a checksum's, `md5` or `payload`."""

    def __init__(self, names: frozenset[str]) -> None:
        self._writer = BlobWriter()
        self._hashes: dict[str, checksums.Checksum] = {name: _MAKERS[name]() for name in names}

    @property
    def size(self) -> int:
        return self._writer.size

    def write(self, data: bytes) -> None:
        """Take some bytes. Raises: Fault (EntityTooLarge)."""
        if self.size + len(data) > MAX_OBJECT_BYTES:
            raise too_large(self.size + len(data))
        self._writer.write(data)
        for one in self._hashes.values():
            one.update(data)

    def finish(self) -> Content:
        """Give everything that was written."""
        return self._writer.finish()

    def digest(self, name: str) -> bytes:
        """Give a hash of everything that was written."""
        return self._hashes[name].digest()


def open_payload(request: HttpRequest, declared: str, signature: Signature | None, key: bytes) -> Payload:
    """Give the payload of an S3 request after every check on it has passed.

    `declared` is its declared hash, `key` the signing key, empty where the request is not signed. Raises: Fault.
    """
    headers = request.headers
    # The checksums sent with CompleteMultipartUpload are the object's, not those of the list of parts.
    is_completion = request.method == "POST" and "uploadId=" in request.raw_query
    given = {} if is_completion else _given_checksums(headers)
    announced = [name.strip() for name in headers.get("x-amz-trailer", "").lower().split(",") if name.strip()]
    if request.method == "PUT" and "x-amz-sdk-checksum-algorithm" in headers and not given and not announced:
        message = "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer"
        raise Fault("InvalidRequest", f"{message} headers were found.", 400)
    is_hashed = declared != UNSIGNED_PAYLOAD and declared not in aws_chunks.STREAMING
    names = {*given, *(name.removeprefix(_CHECKSUM) for name in announced if _is_checksum(name))}
    names |= {"md5"} if "content-md5" in headers else set()
    names |= {"payload"} if is_hashed else set()
    sink = _Sink(frozenset(names))
    trailers = _fill(sink, request, declared, signature, key)
    if is_hashed:
        _check_hash(sink.digest("payload").hex(), declared)
    if "content-md5" in headers:
        _check_md5(sink.digest("md5"), headers["content-md5"])
    sent = dict(trailers)
    trailing = _given_checksums(sent, f"{_CHECKSUM}%s trailing")
    if any(name not in sent for name in announced) or not trailing.keys() <= names:
        raise aws_chunks.malformed_trailer()
    for name, value in (*given.items(), *trailing.items()):
        if sink.digest(name) != base64.b64decode(value):
            message = f"The {name.upper()} you specified did not match the calculated checksum."
            raise Fault("BadDigest", message, 400)
    return Payload(sink.finish(), trailers)


def _fill(
    sink: _Sink, request: HttpRequest, declared: str, signature: Signature | None, key: bytes
) -> aws_chunks.Trailers:
    blocks = body_blocks(request.body)
    if declared in aws_chunks.STREAMING:
        expected = _decoded_length(request.headers)
        trailers = aws_chunks.unpack(blocks, declared, signature, key, sink.write)
        if sink.size != expected:
            raise aws_chunks.incomplete("it is not x-amz-decoded-content-length bytes long")
        return trailers
    for block in blocks:
        sink.write(block)
    return ()


def check_framing(request: HttpRequest) -> None:
    """Hold iff it is known how long the payload is before it is read, as S3 wants it. Raises: Fault.

    AWS: S3 API Reference, "Error responses", MissingContentLength and NotImplemented.
    """
    headers = request.headers
    if "transfer-encoding" in headers and "x-amz-decoded-content-length" not in headers:
        message = "A header you provided implies functionality that is not implemented"
        raise Fault("NotImplemented", message, 501, extra=(("Header", "Transfer-Encoding"),))
    if request.method == "PUT" and "content-length" not in headers and "transfer-encoding" not in headers:
        raise _missing_length()


def declared_hash(request: HttpRequest, signature: Signature | None) -> str:
    """Give x-amz-content-sha256, or what its absence means: presigned and anonymous payloads are unsigned.

    Raises: Fault where it is missing or is nothing that S3 knows.
    """
    declared = request.headers.get("x-amz-content-sha256")
    if declared is None:
        if signature is not None and not signature.is_query:
            raise Fault("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400)
        return UNSIGNED_PAYLOAD
    is_hash = len(declared) == 64 and all(letter in "0123456789abcdef" for letter in declared.lower())
    if declared != UNSIGNED_PAYLOAD and declared not in aws_chunks.STREAMING and not is_hash:
        message = (
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
        )
        raise Fault("InvalidArgument", message, 400, extra=(("ArgumentName", "x-amz-content-sha256"),))
    return declared


def _missing_length() -> Fault:
    return Fault("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)


def too_large(size: int, limit: int = MAX_OBJECT_BYTES) -> Fault:
    """The object would be larger than it may be."""
    extra = (("ProposedSize", str(size)), ("MaxSizeAllowed", str(limit)))
    return Fault("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400, extra=extra)


def body_blocks(body: Body) -> Iterator[bytes]:
    """Give a body block by block, if it can be had so; once. Raises: Fault."""
    return body.blocks() if isinstance(body, StreamedBody) else iter((body.read(),))


def _is_checksum(name: str) -> bool:
    return name.startswith(_CHECKSUM) and name.removeprefix(_CHECKSUM) in checksums.ALGORITHMS


def _given_checksums(source: Headers | dict[str, str], what: str = f"{_CHECKSUM}%s") -> dict[str, str]:
    """Give the one checksum that a request may have, by its algorithm. Raises: Fault where it cannot be one."""
    found = {name.removeprefix(_CHECKSUM): source[name] for name in source if _is_checksum(name)}
    if len(found) > 1:
        message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise Fault("InvalidRequest", message, 400)
    for name, value in found.items():
        try:
            size = len(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if size != checksums.SIZES[name]:
            raise Fault("InvalidRequest", f"Value for {what % name} header is invalid.", 400)
    return found


def _check_hash(computed: str, declared: str) -> None:
    if not hmac.compare_digest(computed, declared.lower()):
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        extra = (("ClientComputedContentSHA256", declared), ("S3ComputedContentSHA256", computed))
        raise Fault("XAmzContentSHA256Mismatch", message, 400, extra=extra)


def _decoded_length(headers: Headers) -> int:
    declared = headers.get("x-amz-decoded-content-length")
    if declared is None:
        raise _missing_length()
    if not (declared.isascii() and declared.isdigit() and len(declared) <= 18):
        extra = (("ArgumentName", "x-amz-decoded-content-length"), ("ArgumentValue", declared[:64]))
        raise Fault("InvalidArgument", "The x-amz-decoded-content-length header is not valid.", 400, extra=extra)
    if int(declared) > MAX_OBJECT_BYTES:
        raise too_large(int(declared))
    return int(declared)


def _check_md5(computed: bytes, given: str) -> None:
    try:
        expected = base64.b64decode(given, validate=True)
    except ValueError:
        expected = b""
    if len(expected) != 16:
        raise Fault("InvalidDigest", "The Content-MD5 you specified was invalid.", 400)
    if expected != computed:
        extra = (("ExpectedDigest", given), ("CalculatedDigest", base64.b64encode(computed).decode()))
        raise Fault("BadDigest", "The Content-MD5 you specified did not match what we received.", 400, extra=extra)
