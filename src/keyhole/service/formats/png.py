"""PNG. W3C, "Portable Network Graphics (PNG) Specification": https://www.w3.org/TR/png-3/"""

from __future__ import annotations

import zlib
from typing import IO

from keyhole.service.formats.bytestream import MalformedError, check_pixels, read_exactly, skip

# "11.2.1 IHDR Image header": the bit depths that each colour type may have.
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_MAX_SIDE = 2**31 - 1
_MAX_CHUNKS = 1000


def read_png(body: IO[bytes]) -> tuple[int, int]:
    """Give width and height if the header chunk is sound and image data follow it. Raises: MalformedError."""
    body.seek(8)
    head = read_exactly(body, 25)
    length, kind, data, checksum = head[:4], head[4:8], head[8:21], head[21:]
    if length != b"\x00\x00\x00\x0d" or kind != b"IHDR":
        raise MalformedError("has no header chunk")
    if zlib.crc32(kind + data) != int.from_bytes(checksum, "big"):
        raise MalformedError("its header chunk is damaged")
    width, height = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
    depth, colour, compression, filtering, interlace = data[8:13]
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise MalformedError("its header chunk says things that PNG does not know")
    if max(width, height) > _MAX_SIDE:
        raise MalformedError("says that it is larger than a PNG can be")
    check_pixels(width, height)
    _find_data(body)
    return width, height


def _find_data(body: IO[bytes]) -> None:
    for _ in range(_MAX_CHUNKS):
        head = read_exactly(body, 8)
        if head[4:] == b"IEND":
            raise MalformedError("has no image data")
        skip(body, int.from_bytes(head[:4], "big") + 4)
        if head[4:] == b"IDAT":
            return
    raise MalformedError("has no image data among its first thousand chunks")
