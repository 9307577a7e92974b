"""Workers that take turns: as many as are allowed, started when they are needed and replaced when they die."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from keyhole.service.images.checked import Unavailable
from keyhole.service.images.messages import Ended, Late
from keyhole.service.images.process import WorkerProcess

# What a library leaks, or an image left in its memory, does not live for ever.
_MAX_JOBS = 500
BUSY = "all workers that look at images are busy"
_FIND_OUT = "`python -m keyhole.service.images.worker` says why"
TRY_AGAIN = "nothing is lost: try again in a moment"


class WorkerPool:
    """At most `size` workers over one directory. Safe to use from several threads."""

    def __init__(self, size: int, directory: Path) -> None:
        self._directory = directory
        self._free = size
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._turn = threading.Condition()
        self._closed = False

    def start_one(self) -> None:
        """Start a worker ahead of time, if there is none."""
        with self._turn:
            if not self._closed and not self._idle and not self._busy:
                self._idle.append(self._start())

    @contextlib.contextmanager
    def borrow(self, patience_s: float) -> Iterator[WorkerProcess]:
        """Give a worker that is ready to this thread alone. One that ended, or was late, is replaced afterwards.

        Raises: Unavailable if none is free in `patience_s`, or none starts.
        """
        self._wait_turn(patience_s)
        worker: WorkerProcess | None = None
        is_usable = False
        try:
            worker = self._take_ready()
            yield worker
            is_usable = worker.is_alive and worker.jobs < _MAX_JOBS
        finally:
            self._give_back(worker, is_usable=is_usable)

    def close(self) -> None:
        """End all workers, those that are at work too; nothing starts after."""
        with self._turn:
            self._closed = True
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.kill()
            self._turn.notify_all()
        for worker in idle:
            worker.remove()

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes there are."""
        with self._turn:
            return tuple(worker.pid for worker in (*self._idle, *self._busy))

    def _wait_turn(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        with self._turn:
            while not self._free and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0 or not self._turn.wait(left):
                    raise Unavailable(BUSY, hint=TRY_AGAIN)
            self.check_open()
            self._free -= 1

    def check_open(self) -> None:
        """Raises: Unavailable if the pool is closed."""
        if self._closed:
            raise Unavailable("the service is ending", hint=TRY_AGAIN)

    def _take_ready(self) -> WorkerProcess:
        """Give a worker that lives: one that somebody ended while it was idle is no reason to refuse an image."""
        for _ in range(3):
            with self._turn:
                self.check_open()
                worker = self._idle.pop() if self._idle else self._start()
                self._busy.add(worker)
            try:
                worker.wait_ready()
                if worker.is_alive:
                    return worker
            except (Ended, Late):
                pass
            with self._turn:
                self._busy.discard(worker)
            worker.remove()
        raise Unavailable("no worker that looks at images starts", hint=_FIND_OUT)

    def _start(self) -> WorkerProcess:
        try:
            return WorkerProcess(self._directory)
        except OSError as error:
            raise Unavailable(f"no worker that looks at images starts: {os.strerror(error.errno or 0)}") from error

    def _give_back(self, worker: WorkerProcess | None, *, is_usable: bool) -> None:
        with self._turn:
            if worker is not None:
                self._busy.discard(worker)
            if worker is not None and is_usable and not self._closed:
                self._idle.append(worker)
                worker = None
            self._free += 1
            self._turn.notify()
        if worker is not None:
            worker.remove()
            self._replace()

    def _replace(self) -> None:
        """Start the next one now, so that the next upload does not wait for it."""
        with contextlib.suppress(Unavailable):  # whoever needs one is told
            self.start_one()
