"""A server that ends in good order: first it says that it is not ready, then it takes nothing new, then it goes."""

from __future__ import annotations

import signal
import socket
import threading
import time
from types import FrameType

import uvicorn

from keyhole.service.runtime import Runtime

RETIRE = signal.SIGUSR1
"""To one of several processes: end, without telling balancers, for others listen on."""


class DrainingServer(uvicorn.Server):
    """On SIGTERM it answers on for the operation's `drain_delay_s`, so that balancers learn of it before they must.

    After that, and at once on SIGINT and `RETIRE`, it finishes what was begun, for `drain_s` at most; a second SIGINT
    ends that. Unlike uvicorn's own it does not raise the signal again: whoever runs it goes on after it.
    """

    def __init__(self, config: uvicorn.Config, runtime: Runtime) -> None:
        super().__init__(config)
        self._runtime = runtime
        self._ends_at: float | None = None

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        if threading.current_thread() is not threading.main_thread():
            super().run(sockets)
            return
        before = signal.signal(RETIRE, self.handle_exit)
        try:
            super().run(sockets)
        finally:
            signal.signal(RETIRE, before)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal gives it
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        delay_s = self._runtime.operation.drain_delay_s if sig == signal.SIGTERM else 0.0
        self._runtime.is_draining = self._runtime.is_draining or sig != RETIRE
        if self._ends_at is None:
            self._ends_at = time.monotonic() + delay_s
        if delay_s <= 0:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            self.should_exit = True
        return await super().on_tick(counter)
