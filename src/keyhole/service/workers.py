"""Several processes on one socket: the parent binds it, starts them, and starts those anew that die.

Workers are new processes of this program, not forks: nothing of the parent's threads and locks is in them. What they
need to know comes over their standard input, which nobody else reads; when it ends the parent has gone, and so do they.
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import FrameType

from keyhole.errors import KeyholeError
from keyhole.service.callers.session import make_secret
from keyhole.service.draining import RETIRE
from keyhole.service.metrics import MULTIPROCESS, forget_process
from keyhole.service.operation import Operation
from keyhole.service.settings import Service

log = logging.getLogger("keyhole.service")

Task = tuple[Service, Operation]
Reload = Callable[[], Task]

_TICK_S = 0.1
_LIVED_S = 10.0
"""A worker that lived so long did not die of its beginning."""
_LONGEST_WAIT_S = 30.0
# After what a worker allows itself it is killed.
_GRACE_S = 5.0


@dataclass(slots=True)
class _Place:
    """Where one worker is, or will be again."""

    process: subprocess.Popen[bytes] | None = None
    began_at: float = 0.0
    deaths: int = 0
    begins_at: float = 0.0


@dataclass(slots=True)
class _Wishes:
    """What signals have asked for."""

    ends: bool = False
    hurries: bool = False
    reloads: bool = False
    before: dict[int, object] = field(default_factory=dict)

    def listen(self) -> None:
        """Take the signals from now on."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self.before[number] = signal.signal(number, self._note)

    def stop_listening(self) -> None:
        """Let the signals do what they did before."""
        for number, handler in self.before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, number: int, _frame: FrameType | None) -> None:
        # A terminal that is closed sends SIGHUP too, and means the end.
        if number == signal.SIGHUP and not sys.stderr.isatty():
            self.reloads = True
            return
        self.hurries = self.hurries or number == signal.SIGINT
        self.ends = True


class Supervisor:
    """The parent. It takes no requests itself."""

    def __init__(self, task: Task, listener: socket.socket, *, reload: Reload | None = None) -> None:
        self._listener = listener
        self._reload = reload
        self._session_key = task[1].session_key or make_secret()
        self._task = self._complete(task)
        self._places = [_Place() for _ in range(task[1].workers)]
        self._leaving: list[subprocess.Popen[bytes]] = []
        self._wishes = _Wishes()
        self._metrics_folder = ""

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, and until all workers have ended. SIGHUP: with the file as it is then."""
        self._metrics_folder = tempfile.mkdtemp(prefix="keyhole-metrics-")
        self._wishes.listen()
        try:
            while not self._wishes.ends:
                self._look_after()
                time.sleep(_TICK_S)
            self._end_all()
        finally:
            self._wishes.stop_listening()
            for process in self._running():
                process.kill()
                process.wait()
            shutil.rmtree(self._metrics_folder, ignore_errors=True)

    def _complete(self, task: Task) -> Task:
        return task[0], replace(task[1], session_key=self._session_key)

    def _look_after(self) -> None:
        """Start what is to be started, and note who has died."""
        if self._wishes.reloads:
            self._wishes.reloads = False
            self._begin_anew()
        now = time.monotonic()
        for place in self._places:
            if place.process is not None and place.process.poll() is not None:
                self._bury(place, place.process, now)
            if place.process is None and now >= place.begins_at:
                place.process = self._start()
                place.began_at = now
        self._leaving = [process for process in self._leaving if not self._is_over(process)]

    def _bury(self, place: _Place, process: subprocess.Popen[bytes], now: float) -> None:
        """Note a death, and when the next worker begins: later each time, if they die of their beginning."""
        self._is_over(process)
        place.process = None
        place.deaths = 1 if now - place.began_at >= _LIVED_S else place.deaths + 1
        wait_s = choose_wait(place.deaths)
        place.begins_at = now + wait_s
        log.error("worker %d ended (%s); the next begins in %.0f s", process.pid, _show(process.returncode), wait_s)

    def _is_over(self, process: subprocess.Popen[bytes]) -> bool:
        if process.poll() is None:
            return False
        if process.stdin is not None:
            process.stdin.close()
        forget_process(process.pid, self._metrics_folder)
        return True

    def _start(self) -> subprocess.Popen[bytes]:
        number = self._listener.fileno()
        process = subprocess.Popen(  # noqa: S603 - this program itself
            # -P: the folder that it was started in has no part in it.
            [sys.executable, "-P", "-m", "keyhole.service.worker", str(number)],
            stdin=subprocess.PIPE,
            pass_fds=(number,),
            process_group=0,  # Ctrl-C is for the parent, which tells them once
            env={**os.environ, MULTIPROCESS: self._metrics_folder},
        )
        assert process.stdin is not None  # noqa: S101 - it was asked for
        try:
            pickle.dump(self._task, process.stdin)
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died already, and is buried like any other
        return process

    def _begin_anew(self) -> None:
        """Start workers with what the file says now; those that there are finish what they do, and end."""
        if self._reload is None:
            return
        try:
            task = self._complete(self._reload())
        except KeyholeError as error:
            log.error("not reloaded: %s", error)
            return
        self._task = task
        log.info("reloaded: %d workers begin with the file as it is now", len(self._places))
        now = time.monotonic()
        for place in self._places:
            if place.process is not None:
                place.process.send_signal(RETIRE)
                self._leaving.append(place.process)
            place.process, place.began_at, place.deaths = self._start(), now, 0

    def _running(self) -> list[subprocess.Popen[bytes]]:
        processes = [*self._leaving, *(place.process for place in self._places if place.process is not None)]
        return [process for process in processes if process.poll() is None]

    def _end_all(self) -> None:
        """Tell all workers to end, and wait for them as long as they may take.

        When they take nothing new, this end of the socket is closed too: whoever comes then is refused at once, instead
        of waiting for nobody.
        """
        operation = self._task[1]
        number = RETIRE if self._wishes.hurries else signal.SIGTERM
        closes_at = time.monotonic() + (0 if self._wishes.hurries else operation.drain_delay_s)
        for process in self._running():
            process.send_signal(number)
        self._wishes.hurries = False
        ends_at = time.monotonic() + operation.drain_delay_s + operation.drain_s + _GRACE_S
        while self._running() and time.monotonic() < ends_at:
            if self._wishes.hurries:  # a second Ctrl-C: what is left is killed
                return
            if time.monotonic() >= closes_at:
                self._listener.close()
            time.sleep(_TICK_S)


def choose_wait(deaths: int) -> float:
    """Give for how many seconds a place stays empty after so many early deaths in a row: not at all after the first."""
    return 0.0 if deaths <= 1 else min(_LONGEST_WAIT_S, 2.0 ** min(deaths - 2, 10))


def _show(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
