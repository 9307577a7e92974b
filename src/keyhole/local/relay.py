"""A second door to a running local AWS: what comes through it is known by the Host that its clients name.

An SDK names the endpoint that it was given, port included, and signs it; so does what it makes presigned URLs of. The
calls of one command, its children's and those of whoever got a URL from it, are thus told from everybody else's.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from types import TracebackType
from typing import Self

_CHUNK = 64 * 1024
_SETTLE_S = 2.0


class Relay:
    """Passes bytes on, both ways and as they are, from a free port of loopback to another port there.

    `port` is the free one, once it was entered.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def settle(self) -> bool:
        """Take no more connections, and wait until those that are there end; hold iff they did.

        The local AWS has then answered, and written down, whatever was asked on them.
        """
        return asyncio.run_coroutine_threadsafe(self._settle(), self._loop).result()

    def __enter__(self) -> Self:
        # The thread hears no signal: those of the process are for whoever waits for them.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._thread.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        opening = asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        try:
            with contextlib.suppress(OSError):
                await _connect(reader, writer, self._target)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _settle(self) -> bool:
        if self._server:
            self._server.close()
        if not self._connections:
            return True
        _, open_still = await asyncio.wait(self._connections, timeout=_SETTLE_S)
        return not open_still

    async def _end(self) -> None:
        if self._server:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


async def _connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Pass on until both sides have ended, or one fails: then the other is cut off as well. Raises: OSError."""
    answers, requests = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pass_on(reader, requests))
            both.create_task(_pass_on(answers, writer))
    except* OSError as group:
        raise OSError(str(group.exceptions[0])) from group
    finally:
        requests.close()


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until the source ends, and end the sink in that direction."""
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()
    sink.write_eof()
