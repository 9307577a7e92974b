"""The payload of an S3 request: unpacked from aws-chunked, its chunk signatures, hashes and checksums verified.

AWS: S3 API Reference, "Signature calculations: transferring payload in multiple chunks", "… with trailing headers",
and "Checking object integrity".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any

from keyhole.local import checksums
from keyhole.local.call import Fault, Headers, HttpRequest
from keyhole.local.sigv4 import EMPTY_SHA256, UNSIGNED_PAYLOAD, Signature

_CHUNK = "AWS4-HMAC-SHA256-PAYLOAD"
_TRAILER = "AWS4-HMAC-SHA256-TRAILER"
STREAMING_SIGNED = f"STREAMING-{_CHUNK}"
STREAMING_UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_STREAMING = frozenset({STREAMING_SIGNED, f"{STREAMING_SIGNED}-TRAILER", STREAMING_UNSIGNED})
_MAX_TRAILER_BYTES = 16 * 1024
_CHUNK_SIZE = re.compile(rb"^[0-9a-fA-F]{1,15}$")


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes that were meant, and the trailing headers that came after them."""

    data: bytes
    trailers: tuple[tuple[str, str], ...] = ()


def open_payload(request: HttpRequest, declared: str, signature: Signature | None, key: bytes) -> Payload:
    """Give the payload of an S3 request after every check on it has passed.

    `declared` is its declared hash, `key` the signing key, empty where the request is not signed. Raises: Fault.
    """
    raw = request.body.read()
    if declared in _STREAMING:
        payload = _unpack(raw, request.headers, declared, signature, key)
    else:
        payload = Payload(raw)
        if declared != UNSIGNED_PAYLOAD:
            _check_hash(raw, declared)
    _check_digest(payload.data, request.headers)
    # The checksums sent with CompleteMultipartUpload are the object's, not those of the list of parts.
    if not (request.method == "POST" and "uploadId=" in request.raw_query):
        _check_checksums(payload, request.headers)
    return payload


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
    if declared != UNSIGNED_PAYLOAD and declared not in _STREAMING and not is_hash:
        message = (
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
        )
        raise Fault("InvalidArgument", message, 400, extra=(("ArgumentName", "x-amz-content-sha256"),))
    return declared


def _check_hash(raw: bytes, declared: str) -> None:
    computed = hashlib.sha256(raw).hexdigest()
    if not hmac.compare_digest(computed, declared.lower()):
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        extra = (("ClientComputedContentSHA256", declared), ("S3ComputedContentSHA256", computed))
        raise Fault("XAmzContentSHA256Mismatch", message, 400, extra=extra)


def _incomplete(why: str) -> Fault:
    return Fault("IncompleteBody", f"The request body terminated unexpectedly: {why}", 400)


def _unpack(raw: bytes, headers: Headers, declared: str, signature: Signature | None, key: bytes) -> Payload:
    is_signed = declared.startswith(STREAMING_SIGNED)
    if is_signed and (signature is None or not key):
        raise Fault("AccessDenied", "Access Denied", 403)
    previous = signature.signature if signature else ""
    pieces: list[bytes] = []
    position = 0
    while True:
        line_end = raw.find(b"\r\n", position)
        if line_end < 0 or line_end - position > 1024:
            raise _incomplete("a chunk has no header")
        size, chunk_signature = _chunk_header(raw[position:line_end])
        start, end = line_end + 2, line_end + 2 + size
        if end > len(raw):
            raise _incomplete("a chunk is cut off")
        piece = raw[start:end]
        if is_signed and signature:
            previous = _check_chunk(piece, chunk_signature, previous, signature, key)
        if size == 0:
            position = start
            break
        if raw[end : end + 2] != b"\r\n":
            raise _incomplete("a chunk has no end")
        pieces.append(piece)
        position = end + 2
    data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    _check_length(data, headers)
    trailers = _trailers(raw[position:], is_signed and declared.endswith("TRAILER"), previous, signature, key)
    return Payload(data, trailers)


def _chunk_header(line: bytes) -> tuple[int, str]:
    size, _, extension = line.partition(b";")
    if not _CHUNK_SIZE.match(size):
        raise _incomplete("a chunk has no size")
    return int(size, 16), extension.decode("latin-1").strip().removeprefix("chunk-signature=")


def _check_chunk(piece: bytes, given: str, previous: str, signature: Signature, key: bytes) -> str:
    digest = hashlib.sha256(piece).hexdigest()
    text = f"{_CHUNK}\n{signature.amz_date}\n{signature.scope}\n{previous}\n{EMPTY_SHA256}\n{digest}"
    return _check_link(text, given, key)


def _check_link(text: str, given: str, key: bytes) -> str:
    expected = hmac.digest(key, text.encode(), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), given.encode("latin-1", "replace")):
        message = (
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method."
        )
        raise Fault("SignatureDoesNotMatch", message, 403)
    return expected


def _check_length(data: bytes, headers: Headers) -> None:
    declared = headers.get("x-amz-decoded-content-length")
    if declared is None:
        raise Fault("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
    if declared != str(len(data)):
        raise _incomplete("it is not x-amz-decoded-content-length bytes long")


def _trailers(
    raw: bytes, is_signed: bool, previous: str, signature: Signature | None, key: bytes
) -> tuple[tuple[str, str], ...]:
    if len(raw) > _MAX_TRAILER_BYTES:
        raise Fault("MalformedTrailerError", "The request contained trailing data that was not well-formed.", 400)
    found: list[tuple[str, str]] = []
    for line in raw.decode("latin-1").replace("\r\n", "\n").split("\n"):
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise Fault("MalformedTrailerError", "The request contained trailing data that was not well-formed.", 400)
        found.append((name.strip().lower(), value.strip()))
    given = dict(found).get("x-amz-trailer-signature", "")
    trailers = tuple((name, value) for name, value in found if name != "x-amz-trailer-signature")
    if is_signed and signature:
        canonical = "".join(f"{name}:{value}\n" for name, value in trailers)
        digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
        _check_link(f"{_TRAILER}\n{signature.amz_date}\n{signature.scope}\n{previous}\n{digest}", given, key)
    return trailers


def _check_digest(data: bytes, headers: Headers) -> None:
    given = headers.get("content-md5")
    if given is None:
        return
    try:
        expected = base64.b64decode(given, validate=True)
    except ValueError:
        expected = b""
    if len(expected) != 16:
        raise Fault("InvalidDigest", "The Content-MD5 you specified was invalid.", 400)
    if expected != hashlib.md5(data, usedforsecurity=False).digest():
        raise Fault("BadDigest", "The Content-MD5 you specified did not match what we received.", 400)


def _check_checksums(payload: Payload, headers: Headers) -> None:
    announced = headers.get("x-amz-trailer", "").lower()
    trailers: dict[str, Any] = dict(payload.trailers)
    for name in (part.strip() for part in announced.split(",") if part.strip()):
        if name not in trailers:
            raise Fault("MalformedTrailerError", "The request contained trailing data that was not well-formed.", 400)
    for source in (headers, trailers):
        for name, value in source.items():
            algorithm = name.removeprefix("x-amz-checksum-")
            if algorithm == name or algorithm not in checksums.ALGORITHMS:
                continue
            if checksums.compute(algorithm, payload.data) != value:
                message = f"The {algorithm.upper()} you specified did not match the calculated checksum."
                raise Fault("BadDigest", message, 400)
