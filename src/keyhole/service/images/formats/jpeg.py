"""JPEG. ITU-T T.81, Annex B: https://www.w3.org/Graphics/JPEG/itu-t81.pdf"""

from __future__ import annotations

import re

from keyhole.service.images.formats.exif import UPRIGHT, find_orientation, make_exif
from keyhole.service.images.formats.layout import (
    Data,
    Layout,
    MalformedError,
    Pieces,
    check_end,
    check_pixels,
    take,
    take_number,
)

# Table B.1: SOF0 to SOF15, but DHT, JPG and DAC, which lie between them.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
# What decoding needs, beyond frames and scans: DHT, DAC, DQT, DNL, DRI.
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD})
_MAX_SEGMENTS = 10_000
# In a scan 0xFF is followed by 0, by a restart marker or by another 0xFF; anything else ends it (B.1.1.5).
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

_JFIF, _EXIF, _PROFILE, _ADOBE = b"JFIF\x00", b"Exif\x00", b"ICC_PROFILE\x00", b"Adobe"


def scan_jpeg(data: Data) -> Layout:
    """Give the layout of a JPEG that has a frame header, a scan and an end. Raises: MalformedError."""
    walk = _Walk(data)
    at = 2
    for _ in range(_MAX_SEGMENTS):
        start, (marker, at) = at, _read_marker(data, at)
        if marker == _END_OF_IMAGE:
            walk.pieces.keep(start, at)
            return walk.finish(at)
        if marker in _STANDALONE:
            walk.pieces.keep(start, at)
            continue
        length = take_number(data, at, 2)
        if length < 2:
            raise MalformedError("has a segment of impossible length")
        end = check_end(data, at + length)
        walk.read_segment(marker, start, at + 2, end)
        at = end
        if marker == _START_OF_SCAN:
            at = _find_scan_end(data, end)
            walk.pieces.keep(end, at)
    raise MalformedError("has too many segments")


class _Walk:
    """What is known of the file so far."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.pieces = Pieces()
        self.pieces.keep(0, 2)
        self.metadata: list[tuple[int, int]] = []
        self.pixels: tuple[int, int] | None = None
        self.has_scan = False
        self.orientation = UPRIGHT
        self.has_exif = False

    def read_segment(self, marker: int, start: int, content: int, end: int) -> None:
        """Keep what decoding needs, and of the rest what colours need."""
        if marker in _FRAMES:
            if self.pixels is not None:
                raise MalformedError("has two frame headers")
            self.pixels = _read_frame(take(self.data, content, end - content))
        elif marker == _START_OF_SCAN:
            if self.pixels is None:
                raise MalformedError("has no frame header before its image data")
            self.has_scan = True
        elif marker not in _TABLES:
            self._read_application(marker, start, content, end)
            return
        self.pieces.keep(start, end)

    def _read_application(self, marker: int, start: int, content: int, end: int) -> None:
        self.metadata.append((content, end))
        name = take(self.data, content, min(12, end - content))
        if marker == 0xE1 and name.startswith(_EXIF) and not self.has_exif:
            self.has_exif = True
            self.orientation = find_orientation(self.data[content + 6 : end])
        if marker == 0xE0 and name.startswith(_JFIF) and end - content >= 14:
            self._keep_jfif(start, content, end)
        elif (marker == 0xE2 and name == _PROFILE) or (marker == 0xEE and name.startswith(_ADOBE)):
            self.pieces.keep(start, end)
        else:
            self.pieces.drop(start, end)

    def _keep_jfif(self, start: int, content: int, end: int) -> None:
        """Keep the header, but not a thumbnail in it, which may show what has been cut away since."""
        if end - content == 14:
            self.pieces.keep(start, end)
        else:
            self.pieces.add(b"\xff\xe0\x00\x10" + self.data[content : content + 12] + b"\x00\x00")
            self.pieces.drop(start, end)

    def finish(self, end: int) -> Layout:
        if self.pixels is None or not self.has_scan:
            raise MalformedError("has no image data")
        kept = list(self.pieces.kept)
        if self.orientation != UPRIGHT:
            exif = b"Exif\x00\x00" + make_exif(self.orientation)
            kept[:1] = _insert(kept[0], b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif)
        width, height = self.pixels
        return Layout(width, height, 1, end, self.orientation, tuple(self.metadata), tuple(kept))


def _insert(first: tuple[int, int] | bytes, segment: bytes) -> list[tuple[int, int] | bytes]:
    """Put a segment right behind the start of the image, with which the first piece begins."""
    if isinstance(first, bytes) or first[1] == 2:
        return [first, segment]
    return [(0, 2), segment, (2, first[1])]


def _read_marker(data: Data, at: int) -> tuple[int, int]:
    """Give the marker and the offset behind it."""
    if take(data, at, 1) != b"\xff":
        raise MalformedError("has something else where a segment should begin")
    marker = 0xFF
    while marker == 0xFF:  # fill bytes, B.1.1.2
        at += 1
        marker = take_number(data, at, 1)
    return marker, at + 1


def _find_scan_end(data: Data, at: int) -> int:
    found = _AFTER_SCAN.search(data, at)
    if found is None:
        raise MalformedError("ends in the middle of its image data")
    return found.start()


def _read_frame(data: bytes) -> tuple[int, int]:
    if len(data) < 6 or len(data) != 6 + 3 * data[5] or data[5] not in {1, 3, 4} or data[0] not in {8, 12, 16}:
        raise MalformedError("its frame header is damaged")
    return check_pixels(int.from_bytes(data[3:5], "big"), int.from_bytes(data[1:3], "big"))
