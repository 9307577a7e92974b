"""The events of the calls that came in by one port, kept as they happen."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from keyhole.local.event_file import EventFile, parse_event

_POLL_S = 0.5


class EventCatch:
    """Reads along while a local AWS writes, so that nothing is missed however much is written."""

    def __init__(self, path: Path, port: int) -> None:
        self._file = EventFile(path, at_end=True)
        self._port = f":{port}"
        self._found: list[dict[str, Any]] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="event-catch", daemon=True)

    def events(self) -> tuple[dict[str, Any], ...]:
        """Give the events so far, in their order; after the block, all of them."""
        return tuple(self._found)

    def __enter__(self) -> Self:
        # The thread hears no signal: those of the process are for whoever waits for them.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._thread.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._read()
        self._file.close()

    def _poll(self) -> None:
        while not self._done.wait(_POLL_S):
            self._read()

    def _read(self) -> None:
        for line in self._file.read_lines():
            event = parse_event(line) if self._port in line else None
            if event and event["keyhole"]["host"].endswith(self._port):
                self._found.append(event)
