"""Headers and chunked bodies read strictly: what could be read in two ways is no request.

RFC 9112, sections 5 (field syntax), 6.3 (message body length) and 7.1 (chunked transfer coding).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_NAME = re.compile(rb"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
_VALUE = re.compile(rb"^[^\x00\r\n]*$")
_LENGTH = re.compile(rb"^\d{1,18}$")
_CHUNK = re.compile(rb"^([0-9A-Fa-f]{1,15})[ \t]*(;[^\r\n]*)?\r\n$")
_MAX_LINE_BYTES = 4096
_MAX_TRAILER_LINES = 100
_BLOCK_BYTES = 256 * 1024


class StrictHeaders:
    """cheroot's reader of headers: a repeated name is joined by a comma, and none is folded or has a space in it."""

    def __call__(self, stream: Any, found: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
        """Give the headers. Raises: ValueError, which the server answers with 400."""
        found = {} if found is None else found
        while (line := stream.readline()) != b"\r\n":
            name, colon, value = line.partition(b":")
            value = value.strip(b" \t\r\n")
            if not line.endswith(b"\r\n") or not colon or not _NAME.match(name) or not _VALUE.match(value):
                raise ValueError("malformed header")
            key = name.title()
            found[key] = b"%b,%b" % (found[key], value) if key in found else value
        length = found.get(b"Content-Length")
        if length is not None and (not _LENGTH.match(length) or b"Transfer-Encoding" in found):
            raise ValueError("malformed or contradicting Content-Length")
        if found.get(b"Transfer-Encoding", b"chunked").lower() != b"chunked":
            raise ValueError("unknown Transfer-Encoding")
        return found


def read_known(stream: Any, length: int) -> Iterator[bytes]:
    """Give a body of that length, block by block. Raises: ValueError where it is cut off; OSError."""
    while length:
        block = stream.read_some(min(length, _BLOCK_BYTES))
        if not block:
            raise ValueError("body is cut off")
        length -= len(block)
        yield block


def read_chunks(stream: Any) -> Iterator[bytes]:
    """Give a body in chunked transfer coding, and leave the stream behind it. Raises: ValueError; OSError."""
    while True:
        match = _CHUNK.match(stream.readline(_MAX_LINE_BYTES))
        if match is None:
            raise ValueError("malformed chunk")
        size = int(match[1], 16)
        if size == 0:
            break
        yield from read_known(stream, size)
        if stream.read(2) != b"\r\n":
            raise ValueError("chunk is cut off")
    for _ in range(_MAX_TRAILER_LINES):
        line = stream.readline(_MAX_LINE_BYTES)
        if line == b"\r\n":
            return
        if not line.endswith(b"\r\n"):
            break
    raise ValueError("malformed trailer")
