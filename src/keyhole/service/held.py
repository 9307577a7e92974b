"""A file on its way to the store that does not end before somebody says so.

A PUT whose body breaks off stores nothing. So an image can be sent while it is still being looked at: all of it but its
last byte, which follows when the image is good. Until then there is no object, and nobody can read anything of it.

AWS: Amazon S3 API Reference, PutObject: objects are added whole or not at all.
"""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HOLD_S = 10.0
"""How long the last byte is kept back: S3 ends connections on which nothing moves, and others may need this one."""


class Withheld(BaseException):
    """The last byte is not going to be sent."""


class HeldBody(io.RawIOBase):
    """The bytes of an open file, which end only after `release`. One thread reads, another one decides.

    Reading the last byte raises Withheld after `withhold`, and when nobody has decided for `hold_s` seconds. It can be
    read again from its start, as clients do that try again. The file is closed by whoever opened it.
    """

    def __init__(self, file: io.BufferedReader, *, hold_s: float = HOLD_S) -> None:
        super().__init__()
        self._file = file
        self._last = file.seek(0, io.SEEK_END) - 1
        file.seek(0)
        self._hold_s = hold_s
        self._decided = threading.Event()
        self._is_released = False

    def release(self) -> None:
        """Let the last byte follow, unless it was withheld before."""
        if not self._decided.is_set():
            self._is_released = True
            self._decided.set()

    def withhold(self) -> None:
        """Break off before the last byte; after `release` this changes nothing."""
        self._decided.set()

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what may be read. Raises: Withheld."""
        view = memoryview(buffer).cast("B")
        position = self._file.tell()
        if not self._is_released and position + len(view) > self._last:
            if position < self._last:
                view = view[: self._last - position]
            else:
                self._await_decision()
        return self._file.readinto(view)

    def _await_decision(self) -> None:
        if not self._decided.wait(self._hold_s):
            self.withhold()
        if not self._is_released:
            raise Withheld

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place; nothing is held by that."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Give the place of the next byte."""
        return self._file.tell()

    def readable(self) -> bool:
        """Hold."""
        return True

    def seekable(self) -> bool:
        """Hold."""
        return True
