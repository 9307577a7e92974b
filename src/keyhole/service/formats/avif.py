"""AVIF. AOM, "AV1 Image File Format (AVIF)": https://aomediacodec.github.io/av1-avif/

Its boxes are those of ISO/IEC 14496-12, its image properties those of ISO/IEC 23008-12.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from keyhole.service.formats.bytestream import MalformedError, check_pixels, find_size, read_exactly

_MAX_BOXES = 100
_MAX_META_BYTES = 4 * 1024 * 1024


def read_avif(body: IO[bytes]) -> tuple[int, int]:
    """Give the largest image's width and height if it is AV1 and its data are there. Raises: MalformedError."""
    body.seek(0)
    meta, has_data = b"", False
    for _ in range(_MAX_BOXES):
        if body.tell() == find_size(body):
            break
        kind, length = _read_box_head(body)
        if kind == b"meta":
            if length > _MAX_META_BYTES:
                raise MalformedError("its description is too long")
            meta = read_exactly(body, length)
        else:
            has_data = has_data or (kind in {b"mdat", b"idat"} and length > 0)
            body.seek(length, 1)
    if not meta:
        raise MalformedError("has no description of an image")
    # `meta` is a FullBox: 4 bytes of version and flags come before its children.
    children = dict(_split_boxes(meta[4:]))
    properties = list(_split_boxes(dict(_split_boxes(children.get(b"iprp", b""))).get(b"ipco", b"")))
    if b"av1C" not in dict(properties):
        raise MalformedError("its image is not AV1")
    if not has_data and b"idat" not in children:
        raise MalformedError("has no image data")
    sizes = [
        (int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big"))
        for kind, data in properties
        if kind == b"ispe" and len(data) == 12
    ]
    if not sizes:
        raise MalformedError("does not say how large it is")
    return check_pixels(*max(sizes, key=lambda size: size[0] * size[1]))


def _read_box_head(body: IO[bytes]) -> tuple[bytes, int]:
    """Read a box's type and the length of what is in it. Raises: MalformedError if it reaches beyond the file."""
    start, size = body.tell(), find_size(body)
    head = read_exactly(body, 8)
    length = int.from_bytes(head[:4], "big")
    if length == 1:
        length = int.from_bytes(read_exactly(body, 8), "big")
    elif length == 0:
        length = size - start
    content = start + length - body.tell()
    if content < 0 or start + length > size:
        raise MalformedError("is shorter than it says")
    return head[4:], content


def _split_boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length < 8 or at + length > len(data):
            raise MalformedError("its description is damaged")
        yield data[at + 4 : at + 8], data[at + 8 : at + length]
        at += length
