"""What a walk through a file finds out, and reading that never runs past the end in silence."""

from __future__ import annotations

from dataclasses import dataclass
from mmap import mmap

Data = bytes | mmap
# A part of the file from one offset up to another, or bytes that are written instead.
Piece = tuple[int, int] | bytes


class MalformedError(Exception):
    """A file that does not hold together; the text continues "the file begins like image/png but …"."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Width and height in pixels as stored; how often they count (`frames`); where the image ends in the file.

    `orientation` is EXIF's, 1 to 8. `metadata` are the parts that are no picture; `kept` is the file without those
    that are nobody's business, and ends where the image ends.
    """

    width: int
    height: int
    frames: int
    end: int
    orientation: int
    metadata: tuple[tuple[int, int], ...]
    kept: tuple[Piece, ...]

    @property
    def pixels(self) -> int:
        """How many pixels there are to decode."""
        return self.width * self.height * self.frames


class Pieces:
    """A file in the making, out of another's parts; neighbours become one."""

    def __init__(self) -> None:
        self.kept: list[Piece] = []
        self.dropped: list[tuple[int, int]] = []

    def keep(self, start: int, end: int) -> None:
        """Go on with this part of the file."""
        last = self.kept[-1] if self.kept else None
        if isinstance(last, tuple) and last[1] == start:
            self.kept[-1] = (last[0], end)
        else:
            self.kept.append((start, end))

    def drop(self, start: int, end: int) -> None:
        """Leave this part out."""
        self.dropped.append((start, end))

    def add(self, data: bytes) -> None:
        """Go on with these bytes."""
        self.kept.append(data)


def take(data: Data, at: int, count: int) -> bytes:
    """Give `count` bytes from an offset. Raises: MalformedError if there are fewer."""
    found = data[at : at + count]
    if len(found) != count:
        raise MalformedError("ends in the middle of it")
    return found


def take_number(data: Data, at: int, count: int) -> int:
    """Give a number of `count` bytes, the highest first. Raises: MalformedError."""
    return int.from_bytes(take(data, at, count), "big")


def check_end(data: Data, end: int) -> int:
    """Give the offset back. Raises: MalformedError if it is beyond the end of the file."""
    if end > len(data):
        raise MalformedError("ends in the middle of it")
    return end


def check_pixels(width: int, height: int) -> tuple[int, int]:
    """Give the two back. Raises: MalformedError if one is zero."""
    if width < 1 or height < 1:
        raise MalformedError(f"says that it is {width} × {height} pixels")
    return width, height
