"""Reading the events of a local AWS from its file, also while it writes, begins another file, or is started again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

_CHUNK = 1024 * 1024


def earlier_events(path: Path) -> Path:
    """Give where a file of events goes when it is full; what was there before is dropped."""
    return path.with_name(f"{path.name}.1")


class EventFile:
    """The lines of a file of events, each once, in the order in which they were written.

    `read_lines` gives what has been written since it was last called. Files that were begun meanwhile are followed; the
    one that is being read stays open, so that no other gets its inode and is taken for it. Who reads so seldom that two
    files fill in between misses what was in them.
    """

    def __init__(self, path: Path, *, at_end: bool = False) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        if at_end:
            self._file = self._open(path)
            if self._file:
                self._file.seek(0, os.SEEK_END)
        else:
            self._file = self._open(earlier_events(path)) or self._open(path)

    def read_lines(self) -> list[str]:
        """Give the lines that are new, whole ones only."""
        found: list[str] = []
        if self._file is None:
            self._file = self._open(self._path)
        while self._file:
            found += self._read_open()
            following = self._following()
            if following is None:
                break
            # Lines that were written between reading the old file's end and finding its successor.
            found += self._read_open()
            self._file.close()
            self._file, self._rest = following, b""
        return found

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()
        self._file = None

    def _read_open(self) -> list[str]:
        found: list[str] = []
        while self._file and (data := self._file.read(_CHUNK)):
            *lines, self._rest = (self._rest + data).split(b"\n")
            found += [line.decode("utf-8", "replace") for line in lines if line]
        return found

    def _following(self) -> BinaryIO | None:
        """Give the file that was begun after the one that is read, None where that is the newest."""
        newest, earlier = self._open(self._path), self._open(earlier_events(self._path))
        if newest is None or self._is_read(newest):
            _close(newest, earlier)
            return None
        if earlier is None or self._is_read(earlier):
            _close(earlier)
            return newest
        # The one that is read was dropped meanwhile: this is the one after it.
        _close(newest)
        return earlier

    def _is_read(self, file: BinaryIO) -> bool:
        return self._file is not None and os.path.sameopenfile(self._file.fileno(), file.fileno())

    @staticmethod
    def _open(path: Path) -> BinaryIO | None:
        try:
            return path.open("rb", buffering=0)
        except FileNotFoundError:
            return None


def _close(*files: BinaryIO | None) -> None:
    for file in files:
        if file:
            file.close()


def parse_event(line: str) -> dict[str, Any] | None:
    """Give the event in a line, None where it is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "keyhole" in found else None
