"""Boxes, of which AVIF files are made. ISO/IEC 14496-12, "ISO base media file format"."""

from __future__ import annotations

from dataclasses import dataclass

from keyhole.service.images.formats.layout import Data, MalformedError, take, take_number

_MAX_BOXES = 100


@dataclass(frozen=True, slots=True)
class Box:
    """One box: where it begins in the file, where its content begins, and where it ends."""

    kind: bytes
    start: int
    content: int
    end: int


def list_boxes(data: Data) -> list[Box]:
    """Give the boxes of a file, up to the first that is none or that is cut off. Raises: MalformedError."""
    found: list[Box] = []
    at = 0
    while at + 8 <= len(data):
        length, kind, content = take_number(data, at, 4), data[at + 4 : at + 8], at + 8
        if length == 1 and at + 16 <= len(data):
            length, content = take_number(data, at + 8, 8), at + 16
        elif length == 0:
            length = len(data) - at
        if at + length < content or at + length > len(data):
            break
        found.append(Box(kind, at, content, at + length))
        if len(found) > _MAX_BOXES:
            raise MalformedError("has too many boxes")
        at += length
    return found


def split_boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """Give the boxes in a box, by kind and content. Raises: MalformedError."""
    found = []
    at = 0
    while at < len(data):
        length = take_number(data, at, 4)
        if length < 8:
            raise MalformedError("its description is damaged")
        found.append((take(data, at + 4, 4), take(data, at + 8, length - 8)))
        at += length
    return found


def make_box(kind: bytes, content: bytes) -> bytes:
    """Give one box."""
    return (len(content) + 8).to_bytes(4, "big") + kind + content


class Reader:
    """Numbers out of a box, one after the other."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def number(self, count: int) -> int:
        """Give the next `count` bytes as a number, 0 for none. Raises: MalformedError."""
        found = take_number(self.data, self.at, count)
        self.at += count
        return found
