"""Reading that never runs past the end in silence."""

from __future__ import annotations

import os
from typing import IO


class MalformedError(Exception):
    """A header that does not hold together; the text continues "the file begins like image/png but …"."""


def read_exactly(body: IO[bytes], count: int) -> bytes:
    """Give the next `count` bytes. Raises: MalformedError if there are fewer."""
    data = body.read(count)
    if len(data) != count:
        raise MalformedError("ends in the middle of its header")
    return data


def find_size(body: IO[bytes]) -> int:
    """Give the file's size in bytes; the position stays."""
    here = body.tell()
    body.seek(0, os.SEEK_END)
    size = body.tell()
    body.seek(here)
    return size


def skip(body: IO[bytes], count: int) -> None:
    """Move on by `count` bytes. Raises: MalformedError if that is beyond the end."""
    if body.tell() + count > find_size(body):
        raise MalformedError("ends in the middle of its header")
    body.seek(count, os.SEEK_CUR)


def check_pixels(width: int, height: int) -> tuple[int, int]:
    """Give the two back. Raises: MalformedError if one is zero."""
    if width < 1 or height < 1:
        raise MalformedError(f"says that it is {width} × {height} pixels")
    return width, height
