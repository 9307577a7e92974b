"""What the service and its workers say to each other: JSON, with its length in four bytes before it."""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any

# An answer is a few hundred bytes; a worker that has been taken over does not fill the service's memory either.
_MAX_BYTES = 64 * 1024
_LENGTH = struct.Struct(">I")


class Ended(Exception):  # noqa: N818 - what happened, not whose mistake it is
    """The other side is gone, or says what is no message."""


class Late(Exception):  # noqa: N818 - as above
    """The other side has not answered in time."""


def write_message(to: int, message: dict[str, Any]) -> None:
    """Write one message to a descriptor. Raises: Ended."""
    data = json.dumps(message).encode()
    rest = memoryview(_LENGTH.pack(len(data)) + data)
    try:
        while rest:
            rest = rest[os.write(to, rest) :]
    except OSError as error:
        raise Ended(str(error)) from error


def read_message(source: int, limit_s: float | None = None) -> dict[str, Any]:
    """Read one message from a descriptor, for at most `limit_s` seconds. Raises: Ended, Late."""
    deadline = None if limit_s is None else time.monotonic() + limit_s
    (length,) = _LENGTH.unpack(_read(source, _LENGTH.size, deadline))
    if length > _MAX_BYTES:
        raise Ended("a message is too long")
    try:
        message = json.loads(_read(source, length, deadline))
    except ValueError as error:
        raise Ended("a message is no JSON") from error
    if not isinstance(message, dict):
        raise Ended("a message is no object")
    return message


def _read(source: int, count: int, deadline: float | None) -> bytes:
    data = b""
    while len(data) < count:
        if deadline is not None:
            _wait(source, deadline)
        try:
            more = os.read(source, count - len(data))
        except OSError as error:
            raise Ended(str(error)) from error
        if not more:
            raise Ended("the pipe is closed")
        data += more
    return data


def _wait(source: int, deadline: float) -> None:
    # poll, not select: descriptors of a busy service may be above 1023
    poll = select.poll()
    poll.register(source, select.POLLIN)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise Late("no answer in time")
