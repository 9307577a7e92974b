"""PNG, animated or not. W3C, "Portable Network Graphics (PNG) Specification": https://www.w3.org/TR/png-3/"""

from __future__ import annotations

import struct
import zlib

from keyhole.service.images.checked import Refused
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

# "11.2.1 IHDR Image header": the bit depths that each colour type may have.
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_MAX_SIDE = 2**31 - 1
_MAX_CHUNKS = 1_000_000
# What decoding and colours need.
_PICTURE = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"tRNS"})
_COLOURS = frozenset(
    {b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"hIST", b"pHYs"}
)
_DEFLATED = frozenset({b"iCCP", b"zTXt", b"iTXt"})
# Larger than any colour profile or text that somebody needs; a deflated byte can become a thousand.
_MAX_INFLATED = 16 * 1024 * 1024


def scan_png(data: Data) -> Layout:
    """Give the layout of a PNG that goes from header to end. Raises: MalformedError, Refused."""
    walk = _Walk(data, _read_header(data))
    at = 8
    for _ in range(_MAX_CHUNKS):
        length, kind = take_number(data, at, 4), take(data, at + 4, 4)
        end = check_end(data, at + 12 + length)
        walk.read_chunk(kind, at, end)
        at = end
        if kind == b"IEND":
            return walk.finish(end)
    raise MalformedError("has too many chunks")


class _Walk:
    """What is known of the file so far."""

    def __init__(self, data: Data, pixels: tuple[int, int]) -> None:
        self.data = data
        self.pixels = pixels
        self.pieces = Pieces()
        self.pieces.keep(0, 8)
        self.metadata: list[tuple[int, int]] = []
        self.orientation = UPRIGHT
        self.has_data = False
        self.frames = 0
        self.is_first_a_frame = False

    def read_chunk(self, kind: bytes, start: int, end: int) -> None:
        """Keep what decoding and colours need."""
        if kind in _PICTURE:
            self._read_picture(kind, start, end)
            self.pieces.keep(start, end)
            return
        if not kind[0] & 0x20:  # "5.4 Chunk naming conventions": a decoder that does not know it cannot show the image
            raise MalformedError("has a chunk in it that is needed and that nobody knows")
        self.metadata.append((start + 8, end - 4))
        if kind in _DEFLATED:
            _check_deflated(kind, self.data[start + 8 : end - 4])
        if kind == b"eXIf":
            self.orientation = find_orientation(self.data[start + 8 : end - 4])
        if kind in _COLOURS:
            self.pieces.keep(start, end)
        else:
            self.pieces.drop(start, end)

    def _read_picture(self, kind: bytes, start: int, end: int) -> None:
        self.has_data = self.has_data or kind == b"IDAT"
        if kind == b"IEND" and end - start != 12:
            raise MalformedError("its last chunk is damaged")
        if kind == b"fcTL":
            self.is_first_a_frame = self.is_first_a_frame or not self.has_data
            self.frames += 1
            width, height, left, top = struct.unpack(">4I", take(self.data, start + 12, 16))
            check_pixels(width, height)
            if left + width > self.pixels[0] or top + height > self.pixels[1]:
                raise MalformedError("has a frame that is larger than the image")

    def finish(self, end: int) -> Layout:
        if not self.has_data:
            raise MalformedError("has no image data")
        kept = list(self.pieces.kept)
        if self.orientation != UPRIGHT:  # before image data, right behind the header
            first = kept[0]
            assert isinstance(first, tuple)  # noqa: S101 - for the type checker: signature and header are kept
            kept[:1] = [(0, 33), _make_chunk(b"eXIf", make_exif(self.orientation)), (33, first[1])]
        frames = self.frames + (0 if self.frames and self.is_first_a_frame else 1)
        return Layout(*self.pixels, frames, end, self.orientation, tuple(self.metadata), tuple(kept))


def _read_header(data: Data) -> tuple[int, int]:
    head = take(data, 8, 25)
    length, kind, content, checksum = head[:4], head[4:8], head[8:21], head[21:]
    if length != b"\x00\x00\x00\x0d" or kind != b"IHDR":
        raise MalformedError("has no header chunk")
    if zlib.crc32(kind + content) != int.from_bytes(checksum, "big"):
        raise MalformedError("its header chunk is damaged")
    width, height = int.from_bytes(content[:4], "big"), int.from_bytes(content[4:8], "big")
    depth, colour, compression, filtering, interlace = content[8:13]
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise MalformedError("its header chunk says things that PNG does not know")
    if max(width, height) > _MAX_SIDE:
        raise MalformedError("says that it is larger than a PNG can be")
    return check_pixels(width, height)


def _make_chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def _check_deflated(kind: bytes, content: bytes) -> None:
    """Refuse a text or profile that is a decompression bomb ("11.3 Ancillary chunks"). Raises: Refused."""
    _, _, rest = content.partition(b"\x00")
    if kind == b"iTXt":
        if rest[:1] != b"\x01":
            return
        # behind flag and method come the language and the translated keyword, each of which ends with a zero
        rest = rest[2:].partition(b"\x00")[2].partition(b"\x00")[2]
    else:
        rest = rest[1:]
    try:
        inflated = len(zlib.decompressobj().decompress(rest, _MAX_INFLATED + 1))
    except zlib.error:
        return  # left out, or left to the decoder, which does not use what it cannot read
    if inflated > _MAX_INFLATED:
        reason = f"a {kind.decode()} chunk of the file is a decompression bomb: it becomes more than 16 MiB"
        raise Refused("hidden-content", reason, hint="save the image anew, without it", content_type="image/png")
