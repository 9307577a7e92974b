"""WebP. RFC 9649, "WebP Image Format": https://www.rfc-editor.org/rfc/rfc9649"""

from __future__ import annotations

from typing import IO

from keyhole.service.formats.bytestream import MalformedError, check_pixels, find_size, read_exactly, skip

_MAX_CHUNKS = 1000


def read_webp(body: IO[bytes]) -> tuple[int, int]:
    """Give width and height if the container is whole and has image data in it. Raises: MalformedError."""
    body.seek(4)
    if int.from_bytes(read_exactly(body, 4), "little") + 8 > find_size(body):
        raise MalformedError("is shorter than it says")
    body.seek(12)
    kind, length = _read_chunk(body)
    match kind:
        case b"VP8 ":
            return _read_lossy(body)
        case b"VP8L":
            return _read_lossless(body)
        case b"VP8X":
            return _read_extended(body, length)
    raise MalformedError("its first chunk is none of an image")


def _read_chunk(body: IO[bytes]) -> tuple[bytes, int]:
    head = read_exactly(body, 8)
    return head[:4], int.from_bytes(head[4:], "little")


def _read_lossy(body: IO[bytes]) -> tuple[int, int]:
    """Read the frame tag of a key frame (RFC 6386, "Uncompressed Data Chunk")."""
    frame = read_exactly(body, 10)
    if frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        raise MalformedError("its frame header is damaged")
    return check_pixels(int.from_bytes(frame[6:8], "little") & 0x3FFF, int.from_bytes(frame[8:10], "little") & 0x3FFF)


def _read_lossless(body: IO[bytes]) -> tuple[int, int]:
    """Read the signature, 14 bits each of width and height less one, and the version, which is 0."""
    frame = read_exactly(body, 5)
    bits = int.from_bytes(frame[1:], "little")
    if frame[0] != 0x2F or bits >> 29:
        raise MalformedError("its frame header is damaged")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _read_extended(body: IO[bytes], length: int) -> tuple[int, int]:
    canvas = read_exactly(body, 10)
    skip(body, max(length - 10, 0) + (length & 1))
    for _ in range(_MAX_CHUNKS):
        kind, length = _read_chunk(body)
        match kind:
            case b"VP8 ":
                _read_lossy(body)
                break
            case b"VP8L":
                _read_lossless(body)
                break
            case b"ANMF":
                skip(body, length)
                break
        skip(body, length + (length & 1))
    else:
        raise MalformedError("has no image data among its first thousand chunks")
    return int.from_bytes(canvas[4:7], "little") + 1, int.from_bytes(canvas[7:10], "little") + 1
