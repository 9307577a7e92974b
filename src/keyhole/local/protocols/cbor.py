"""CBOR as AWS's rpc-v2-cbor protocol uses it: maps, lists, text, numbers, booleans and null.

RFC 8949, section 3; Smithy, "RPC v2 CBOR protocol".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any

_MAX_DEPTH = 64
_EPOCH_TAG = b"\xc1"
_BREAK = object()
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}


class Epoch(float):
    """A moment, in seconds since 1970; CBOR has a tag for it."""


def decode(data: bytes) -> Any:
    """Give the value in `data`. Raises: ValueError where it is not CBOR, or has something after its end."""
    reader = _Reader(data)
    value = reader.read(0)
    if reader.position != len(data) or value is _BREAK:
        raise ValueError("CBOR data has no clear end")
    return value


def encode(value: Any) -> bytes:
    """Give the CBOR of a value made of dict, list, str, bytes, int, float, Epoch, bool and None."""
    return b"".join(_encode(value))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise ValueError("CBOR data is cut off")
        piece = self.data[self.position : end]
        self.position = end
        return piece

    def read(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError("CBOR data is nested too deeply")
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        if major == 7:
            return self._read_simple(info)
        size = None if info == 31 else self._read_size(info)
        if major in (0, 1):
            if size is None:
                raise ValueError("CBOR number without a size")
            return size if major == 0 else -1 - size
        if major in (2, 3):
            raw = self._read_string(size, depth)
            return raw if major == 2 else raw.decode("utf-8")
        if major == 4:
            return list(self._read_items(size, depth))
        if major == 5:
            return dict(self._read_pairs(size, depth))
        return self.read(depth + 1)  # a tag: its content is what counts

    def _read_size(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise ValueError("CBOR size is reserved")
        return int.from_bytes(self.take(1 << (info - 24)), "big")

    def _read_simple(self, info: int) -> Any:
        if info == 31:
            return _BREAK
        if info in _FLOATS:
            layout, size = _FLOATS[info]
            return struct.unpack(layout, self.take(size))[0]
        if info in _SIMPLE:
            return _SIMPLE[info]
        raise ValueError("CBOR simple value is not known")

    def _read_string(self, size: int | None, depth: int) -> bytes:
        if size is not None:
            return self.take(size)
        pieces = self._read_items(None, depth)
        return b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)

    def _read_items(self, size: int | None, depth: int) -> Iterator[Any]:
        count = 0
        while size is None or count < size:
            item = self.read(depth + 1)
            if item is _BREAK:
                if size is None:
                    return
                raise ValueError("CBOR break in a list of known size")
            yield item
            count += 1

    def _read_pairs(self, size: int | None, depth: int) -> Iterator[tuple[str, Any]]:
        items = self._read_items(None if size is None else 2 * size, depth)
        for key in items:
            if not isinstance(key, str):
                raise ValueError("CBOR map key is not text")
            yield key, next(items, None)


def _encode(value: Any) -> Iterator[bytes]:
    if value is None or value is True or value is False:
        yield bytes([0xF6 if value is None else 0xF5 if value else 0xF4])
    elif isinstance(value, int):
        yield _head(0, value) if value >= 0 else _head(1, -1 - value)
    elif isinstance(value, float):
        if isinstance(value, Epoch):
            yield _EPOCH_TAG
        yield b"\xfb" + struct.pack(">d", value) if not math.isnan(value) else b"\xf9\x7e\x00"
    elif isinstance(value, str):
        raw = value.encode()
        yield _head(3, len(raw)) + raw
    elif isinstance(value, bytes):
        yield _head(2, len(value)) + value
    elif isinstance(value, dict):
        yield _head(5, len(value))
        for key, item in value.items():
            yield from _encode(str(key))
            yield from _encode(item)
    elif isinstance(value, (list, tuple)):
        yield _head(4, len(value))
        for item in value:
            yield from _encode(item)
    else:
        raise TypeError(f"no CBOR for {type(value).__name__}")


def _head(major: int, size: int) -> bytes:
    if size < 24:
        return bytes([major << 5 | size])
    for info, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if size < 1 << (8 * width):
            return bytes([major << 5 | info]) + size.to_bytes(width, "big")
    raise ValueError("number is too large for CBOR")
