"""JPEG. ITU-T T.81, Annex B: https://www.w3.org/Graphics/JPEG/itu-t81.pdf"""

from __future__ import annotations

from typing import IO

from keyhole.service.formats.bytestream import MalformedError, check_pixels, read_exactly, skip

# Table B.1: SOF0 to SOF15, but DHT, JPG and DAC, which lie between them.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_MAX_SEGMENTS = 1000


def read_jpeg(body: IO[bytes]) -> tuple[int, int]:
    """Give width and height if a sound frame header comes before the first scan. Raises: MalformedError."""
    body.seek(2)
    pixels: tuple[int, int] | None = None
    for _ in range(_MAX_SEGMENTS):
        marker = _read_marker(body)
        if marker in _STANDALONE:
            continue
        if marker == _END_OF_IMAGE:
            raise MalformedError("has no image data")
        length = int.from_bytes(read_exactly(body, 2), "big") - 2
        if length < 0:
            raise MalformedError("has a segment of impossible length")
        if marker == _START_OF_SCAN:
            if pixels is None:
                raise MalformedError("has no frame header before its image data")
            read_exactly(body, length)
            read_exactly(body, 1)
            return pixels
        if marker in _FRAMES:
            pixels = _read_frame(read_exactly(body, length))
        else:
            skip(body, length)
    raise MalformedError("has no image data among its first thousand segments")


def _read_marker(body: IO[bytes]) -> int:
    if read_exactly(body, 1) != b"\xff":
        raise MalformedError("has something else where a segment should begin")
    marker = 0xFF
    while marker == 0xFF:  # fill bytes, B.1.1.2
        marker = read_exactly(body, 1)[0]
    return marker


def _read_frame(data: bytes) -> tuple[int, int]:
    if len(data) < 6 or len(data) != 6 + 3 * data[5] or data[5] not in {1, 3, 4} or data[0] not in {8, 12, 16}:
        raise MalformedError("its frame header is damaged")
    return check_pixels(int.from_bytes(data[3:5], "big"), int.from_bytes(data[1:3], "big"))
