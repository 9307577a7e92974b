"""WebP, animated or not. RFC 9649, "WebP Image Format": https://www.rfc-editor.org/rfc/rfc9649"""

from __future__ import annotations

from keyhole.service.images.formats.exif import UPRIGHT, find_orientation, make_exif
from keyhole.service.images.formats.layout import Data, Layout, MalformedError, Pieces, check_end, check_pixels, take

_MAX_CHUNKS = 100_000
_KEPT = frozenset({b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"})
_HAS_EXIF, _HAS_XMP, _IS_ANIMATED = 0x08, 0x04, 0x02


def scan_webp(data: Data) -> Layout:
    """Give the layout of a WebP whose container is whole and has image data in it. Raises: MalformedError."""
    length = int.from_bytes(take(data, 4, 4), "little")
    end = check_end(data, 8 + length)
    walk = _Walk(data)
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at >= end:
            return walk.finish(max(at, end))
        content = at + 8
        kind, length_here = take(data, at, 4), int.from_bytes(take(data, at + 4, 4), "little")
        if content + length_here > end:
            raise MalformedError("has a chunk that reaches beyond its end")
        at = check_end(data, content + length_here + (length_here & 1))
        walk.read_chunk(kind, content, length_here, at)
    raise MalformedError("has too many chunks")


class _Walk:
    """What is known of the file so far."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.pieces = Pieces()
        self.metadata: list[tuple[int, int]] = []
        self.flags: int | None = None
        self.canvas = (0, 0)
        self.frames = 0
        self.has_image = False
        self.orientation = UPRIGHT

    def read_chunk(self, kind: bytes, content: int, length: int, end: int) -> None:
        """Keep what decoding and colours need."""
        is_first = not self.pieces.kept and not self.pieces.dropped
        match kind:
            case b"VP8X":
                if not is_first:
                    raise MalformedError("has its canvas in the wrong place")
                self._read_canvas(take(self.data, content, 10))
                self.pieces.add(b"")  # takes the place of the canvas, whose flags are known at the end
                return
            case b"VP8 ":
                self._read_still(_read_lossy(self.data, content))
            case b"VP8L":
                self._read_still(_read_lossless(self.data, content))
            case b"ANMF":
                self._read_frame(take(self.data, content, 16))
            case b"EXIF" if self.flags is not None and self.flags & _HAS_EXIF:
                exif = self.data[content : content + length]
                self.orientation = find_orientation(exif.removeprefix(b"Exif\x00\x00"))
        if kind in _KEPT:
            self.pieces.keep(content - 8, end)
        else:
            self.pieces.drop(content - 8, end)
        if kind not in {b"VP8 ", b"VP8L", b"ALPH", b"ANMF"}:
            self.metadata.append((content, end))

    def _read_canvas(self, canvas: bytes) -> None:
        self.flags = canvas[0]
        self.canvas = (_read_less_one(canvas[4:7]), _read_less_one(canvas[7:10]))

    def _read_still(self, pixels: tuple[int, int]) -> None:
        if self.has_image or self.frames:
            raise MalformedError("has two images where one should be")
        if self.flags is not None and self.canvas != pixels:
            raise MalformedError("has an image that is not as large as its canvas")
        self.has_image = True
        self.canvas = pixels

    def _read_frame(self, head: bytes) -> None:
        if self.flags is None or not self.flags & _IS_ANIMATED or self.has_image:
            raise MalformedError("has a frame but is no animation")
        left, top = int.from_bytes(head[:3], "little") * 2, int.from_bytes(head[3:6], "little") * 2
        if left + _read_less_one(head[6:9]) > self.canvas[0] or top + _read_less_one(head[9:12]) > self.canvas[1]:
            raise MalformedError("has a frame that is larger than the image")
        self.frames += 1

    def finish(self, end: int) -> Layout:
        if not self.has_image and not self.frames:
            raise MalformedError("has no image data")
        kept = self.pieces.kept
        if self.flags is not None:
            kept = self._make_extended(kept[1:])
        length = sum(len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in kept)
        header = b"RIFF" + (length + 4).to_bytes(4, "little") + b"WEBP"
        is_clean = not self.pieces.dropped and self.data[:12] == header
        parts = ((0, end),) if is_clean else (header, *kept)
        return Layout(*self.canvas, max(self.frames, 1), end, self.orientation, tuple(self.metadata), parts)

    def _make_extended(self, kept: list[tuple[int, int] | bytes]) -> list[tuple[int, int] | bytes]:
        """Put the canvas before the rest, and say in it what metadata there are: an orientation, or none."""
        is_turned = self.orientation != UPRIGHT
        flags = (self.flags or 0) & ~(_HAS_EXIF | _HAS_XMP) | (_HAS_EXIF if is_turned else 0)
        sides = b"".join((side - 1).to_bytes(3, "little") for side in self.canvas)
        canvas = _make_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides)
        return [canvas, *kept, *([_make_chunk(b"EXIF", make_exif(self.orientation))] if is_turned else [])]


def _make_chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + b"\x00" * (len(content) & 1)


def _read_less_one(three: bytes) -> int:
    return int.from_bytes(three, "little") + 1


def _read_lossy(data: Data, at: int) -> tuple[int, int]:
    """Read the frame tag of a key frame (RFC 6386, "Uncompressed Data Chunk")."""
    frame = take(data, at, 10)
    if frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        raise MalformedError("its frame header is damaged")
    return check_pixels(int.from_bytes(frame[6:8], "little") & 0x3FFF, int.from_bytes(frame[8:10], "little") & 0x3FFF)


def _read_lossless(data: Data, at: int) -> tuple[int, int]:
    """Read the signature, 14 bits each of width and height less one, and the version, which is 0."""
    frame = take(data, at, 5)
    bits = int.from_bytes(frame[1:], "little")
    if frame[0] != 0x2F or bits >> 29:
        raise MalformedError("its frame header is damaged")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
