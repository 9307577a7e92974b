"""Bytes that were received once and never change: in memory while they are few, else in temporary files without a name.

Many blobs share a file, so that ten thousand parts of an upload do not take ten thousand file descriptors; a file is
freed with the last blob that has bytes in it. Cutting and joining copy nothing.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

# What is larger than this is on disk.
MEMORY_BYTES = 1024 * 1024
BLOCK_BYTES = 256 * 1024
_EXTENT_BYTES = 64 * 1024 * 1024


class _Extent:
    """A file that writers fill from its beginning; `end` is what they have taken."""

    __slots__ = ("end", "file")

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="keyhole-", buffering=0)  # noqa: SIM115  # closed with its last blob
        self.end = 0

    def __del__(self) -> None:
        self.file.close()


class _Extents:
    """Where blocks go next; safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: _Extent | None = None

    def put(self, data: bytes | bytearray) -> _Piece:
        """Write a block. Raises: OSError where the disk is full."""
        with self._lock:
            if self._current is None or self._current.end + len(data) > _EXTENT_BYTES:
                self._current = _Extent()
            extent = self._current
            start = extent.end
            extent.end += len(data)
        view, position = memoryview(data), start
        while view:
            written = os.pwrite(extent.file.fileno(), view, position)
            view, position = view[written:], position + written
        return _Piece(extent, start, len(data))


_EXTENTS = _Extents()


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some bytes in memory or in a file."""

    source: bytes | _Extent = field(repr=False)
    start: int
    size: int

    def blocks(self) -> Iterator[bytes]:
        """Give the bytes, some at a time. Raises: OSError."""
        for position in range(self.start, self.start + self.size, BLOCK_BYTES):
            length = min(BLOCK_BYTES, self.start + self.size - position)
            if isinstance(self.source, bytes):
                yield self.source[position : position + length]
                continue
            data = os.pread(self.source.file.fileno(), length, position)
            if len(data) != length:
                raise OSError("a temporary file of the local AWS was cut off")
            yield data


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """Many bytes. It has a length and can be cut like `bytes`, and is read block by block.

    `md5` is hexadecimal, and "" where nobody has computed it yet.
    """

    pieces: tuple[_Piece, ...] = field(repr=False)
    size: int
    md5: str = ""

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice) -> Blob:
        start, stop, _ = slice(part.start, part.stop).indices(self.size)
        found, position = [], 0
        for piece in self.pieces:
            low, high = max(start - position, 0), min(stop - position, piece.size)
            if low < high:
                found.append(_Piece(piece.source, piece.start + low, high - low))
            position += piece.size
        return Blob(tuple(found), max(0, stop - start))

    def blocks(self) -> Iterator[bytes]:
        """Give the bytes, at most BLOCK_BYTES at a time. Raises: OSError."""
        for piece in self.pieces:
            yield from piece.blocks()

    def content(self) -> bytes:
        """Give all bytes at once: for who knows that memory holds them."""
        return b"".join(self.blocks())


Content = bytes | Blob


class BlobWriter:
    """Takes bytes as they come, and gives them back as one content that cannot be changed.

    The MD5 that S3 calls an object by is computed meanwhile: whoever sends the last byte waits for nothing else.
    """

    def __init__(self) -> None:
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._pending = bytearray()
        self._pieces: list[_Piece] = []

    def write(self, data: bytes) -> None:
        """Take some bytes. Raises: OSError where the disk is full."""
        self.size += len(data)
        self._pending += data
        if self.size > MEMORY_BYTES and len(self._pending) >= BLOCK_BYTES:
            self._flush()

    def finish(self) -> Content:
        """Give everything that was written. Raises: OSError where the disk is full."""
        if not self._pieces and self.size <= MEMORY_BYTES:
            return bytes(self._pending)
        if self._pending:
            self._flush()
        return Blob(tuple(self._pieces), self.size, self._md5.hexdigest())

    def _flush(self) -> None:
        self._md5.update(self._pending)
        piece = _EXTENTS.put(self._pending)
        self._pending = bytearray()
        last = self._pieces[-1] if self._pieces else None
        if last and last.source is piece.source and last.start + last.size == piece.start:
            self._pieces[-1] = _Piece(last.source, last.start, last.size + piece.size)
        else:
            self._pieces.append(piece)


def blocks_of(content: Content) -> Iterable[bytes]:
    """Give a content block by block."""
    return content.blocks() if isinstance(content, Blob) else (content,)


def join(contents: Iterable[Content]) -> Content:
    """Give the contents one after the other, without a copy of those on disk."""
    found = tuple(contents)
    size = sum(map(len, found))
    if size <= MEMORY_BYTES:
        return b"".join(block for content in found for block in blocks_of(content))
    pieces: list[_Piece] = []
    for content in found:
        pieces += content.pieces if isinstance(content, Blob) else [_Piece(content, 0, len(content))]
    return Blob(tuple(pieces), size)
