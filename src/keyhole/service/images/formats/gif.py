"""GIF, animated or not. "Graphics Interchange Format, Version 89a": https://www.w3.org/Graphics/GIF/spec-gif89a.txt"""

from __future__ import annotations

from keyhole.service.images.formats.exif import UPRIGHT
from keyhole.service.images.formats.layout import Data, Layout, MalformedError, Pieces, check_end, check_pixels, take

_MAX_BLOCKS = 200_000
# Appendix F: codes have at most 12 bits.
_TABLE = 4096
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _TEXT, _APPLICATION = 0xF9, 0x01, 0xFF
# What repeats an animation, and what colours need; other applications' data are metadata.
_APPLICATIONS = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"})


def scan_gif(data: Data) -> Layout:
    """Give the layout of a GIF with an image in it and a trailer behind it. Raises: MalformedError."""
    screen = take(data, 6, 7)
    width, height = check_pixels(int.from_bytes(screen[:2], "little"), int.from_bytes(screen[2:4], "little"))
    at = _skip_colours(data, 13, screen[4])
    pieces, frames = Pieces(), 0
    metadata: list[tuple[int, int]] = []
    pieces.keep(0, at)
    for _ in range(_MAX_BLOCKS):
        start, kind = at, take(data, at, 1)[0]
        if kind == _TRAILER:
            if not frames:
                raise MalformedError("has no image in it")
            pieces.keep(start, start + 1)
            return Layout(width, height, frames, start + 1, UPRIGHT, tuple(metadata), tuple(pieces.kept))
        if kind == _IMAGE:
            frames += 1
            at, right, bottom = _read_image(data, start)
            if right > width or bottom > height:
                raise MalformedError("has a frame that is larger than the image")
            pieces.keep(start, at)
            continue
        if kind != _EXTENSION:
            raise MalformedError("has something else where a block should begin")
        at = _skip_blocks(data, start + 2)
        label = take(data, start + 1, 1)[0]
        is_shown = label in {_CONTROL, _TEXT}
        if not is_shown:
            metadata.append((start + 2, at))
        if is_shown or (label == _APPLICATION and data[start + 3 : start + 14] in _APPLICATIONS):
            pieces.keep(start, at)
        else:
            pieces.drop(start, at)
    raise MalformedError("has too many blocks")


def _read_image(data: Data, start: int) -> tuple[int, int, int]:
    """Give the offset behind an image, and how far it reaches to the right and down."""
    head = take(data, start + 1, 9)
    left, top, width, height = (int.from_bytes(head[at : at + 2], "little") for at in (0, 2, 4, 6))
    check_pixels(width, height)
    at = _skip_colours(data, start + 10, head[8])
    code_size, length = take(data, at, 2)
    if not 2 <= code_size <= 11 or not length:
        raise MalformedError("its image data are damaged")
    end = _skip_blocks(data, at + 1)
    if width * height > _most_pixels(end - at - 3, code_size):
        raise MalformedError("has fewer image data than pixels")
    return end, left + width, top + height


def _most_pixels(size_bytes: int, code_size: int) -> int:
    """Give how many pixels so many bytes can become: each code of LZW is at most one longer than the longest before."""
    codes = size_bytes * 8 // (code_size + 1)
    growing = min(codes, _TABLE)
    return growing * (growing + 1) // 2 + (codes - growing) * _TABLE


def _skip_colours(data: Data, at: int, flags: int) -> int:
    return check_end(data, at + 3 * 2 ** ((flags & 7) + 1)) if flags & 0x80 else at


def _skip_blocks(data: Data, at: int) -> int:
    size = len(data)
    while at < size:
        length = data[at]
        at += length + 1
        if not length:
            return at
    raise MalformedError("ends in the middle of it")
