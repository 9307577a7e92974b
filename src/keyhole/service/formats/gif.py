"""GIF. "Graphics Interchange Format, Version 89a": https://www.w3.org/Graphics/GIF/spec-gif89a.txt"""

from __future__ import annotations

from typing import IO

from keyhole.service.formats.bytestream import MalformedError, check_pixels, read_exactly, skip

_MAX_BLOCKS = 100_000


def read_gif(body: IO[bytes]) -> tuple[int, int]:
    """Give the screen's width and height if an image with data follows. Raises: MalformedError."""
    body.seek(6)
    screen = read_exactly(body, 7)
    width, height = check_pixels(int.from_bytes(screen[:2], "little"), int.from_bytes(screen[2:4], "little"))
    _skip_colours(body, screen[4])
    for _ in range(_MAX_BLOCKS):
        match read_exactly(body, 1):
            case b"!":
                skip(body, 1)
                _skip_blocks(body)
            case b",":
                image = read_exactly(body, 9)
                check_pixels(int.from_bytes(image[4:6], "little"), int.from_bytes(image[6:8], "little"))
                _skip_colours(body, image[8])
                code_size, length = read_exactly(body, 2)
                if not 2 <= code_size <= 11 or not length:
                    raise MalformedError("its image data are damaged")
                skip(body, length)
                return width, height
            case b";":
                raise MalformedError("has no image in it")
            case _:
                raise MalformedError("has something else where a block should begin")
    raise MalformedError("has too many blocks before its first image")


def _skip_colours(body: IO[bytes], flags: int) -> None:
    if flags & 0x80:
        skip(body, 3 * 2 ** ((flags & 7) + 1))


def _skip_blocks(body: IO[bytes]) -> None:
    for _ in range(_MAX_BLOCKS):
        length = read_exactly(body, 1)[0]
        if not length:
            return
        skip(body, length)
    raise MalformedError("has an extension that does not end")
