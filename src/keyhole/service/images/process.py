"""One worker as the service sees it: a process that answers one question at a time, and can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keyhole.service.images.messages import Ended, Late, read_message, write_message

# Only what a process needs to find its libraries: what decodes strangers' files gets no credentials to lose.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT")
_START_S = 60.0
_OF_TIME = (signal.SIGXCPU, signal.SIGALRM)


class Deaf(Exception):  # noqa: N818 - what happened, not whose mistake it is
    """The worker ended before it heard the question: nothing is known of the image, and another may be asked."""


class WorkerProcess:
    """A worker that has been started; the first question waits until it is ready."""

    def __init__(self, directory: Path) -> None:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "keyhole.service.images.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=directory,
            env=environment
            | {
                "TMPDIR": str(directory),
                "MALLOC_ARENA_MAX": "2",
                "VIPS_CONCURRENCY": "2",
                "VIPS_WARNING": "0",
                # what does not fit into memory is refused, not written to a disk
                "VIPS_DISC_THRESHOLD": "64g",
            },
            process_group=0,  # Ctrl-C is for the service, which ends its workers when it has drained
        )
        self._is_ready = False
        self._is_killed = False
        self.jobs = 0

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Hold iff the process has not ended, and nobody ended it: the kernel takes a moment to say so."""
        return not self._is_killed and self._process.poll() is None

    def wait_ready(self) -> None:
        """Wait until it takes questions. Raises: Ended, Late."""
        if not self._is_ready:
            read_message(self._output, _START_S)
            self._is_ready = True

    def ask(self, question: dict[str, Any], limit_s: float, expect: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Give its answer; `expect` is told before what the answer is likely to be, if the worker says so.

        Raises: Deaf, Ended, Late; the worker is of no use after any of them.
        """
        deadline = time.monotonic() + limit_s
        self.jobs += 1
        try:
            write_message(self._input, question)
            read_message(self._output, limit_s)  # it has heard
        except Ended as error:
            raise Deaf("the worker had ended before") from error
        try:
            message = read_message(self._output, deadline - time.monotonic())
            if "expected" in message:
                expect(message)
                message = read_message(self._output, deadline - time.monotonic())
            return message
        except Ended as error:
            # what the kernel ended for its time is late, whoever looked at the clock first
            if -self._wait_briefly() in _OF_TIME:
                raise Late("the worker used up its time") from error
            raise

    def kill(self) -> None:
        """End the process whatever it does; whoever is waiting for its answer is told that it ended."""
        self._is_killed = True
        if self._process.poll() is None:
            self._process.kill()

    def remove(self) -> None:
        """End the process and leave nothing of it; nobody may be waiting for its answer."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _wait_briefly(self) -> int:
        """Give the status of a process that has closed its pipe, and so is ending; 0 if it is in no hurry."""
        try:
            return self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return 0

    @property
    def _input(self) -> int:
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        return self._process.stdin.fileno()

    @property
    def _output(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 - as above
        return self._process.stdout.fileno()
