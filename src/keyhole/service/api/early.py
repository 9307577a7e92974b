"""An image is sent to the store while it is being looked at, and becomes an object only when it has passed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from keyhole.service.api.desk import move_file
from keyhole.service.held import HeldBody, Withheld
from keyhole.service.images.checked import Checked

Send = Callable[[Checked, HeldBody], None]
"""Sends an image to the store. Blocks until it is stored; Withheld passes through it."""


class EarlyTransfer:
    """One image on its way, or none: a file about which nothing is known before it is decoded is not sent early.

    Made on the event loop, and used there; `expect` alone may be called from any thread.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._expected: Checked | None = None
        self._body: HeldBody | None = None
        self._sending: asyncio.Task[bool] | None = None

    def expect(self, expected: Checked) -> None:
        """Begin to send what the file is likely to be."""
        self._loop.call_soon_threadsafe(self._begin, expected)

    def is_of(self, checked: Checked) -> bool:
        """Hold iff what is on its way is just this."""
        return self._sending is not None and self._expected == checked

    async def finish(self) -> bool:
        """Let it become an object. False, and nothing stored, if it took too long. Raises what sending raises."""
        if self._body is None or self._sending is None:
            return False
        self._body.release()
        return await asyncio.shield(self._sending)

    async def abandon(self) -> None:
        """See that it becomes nothing, and that nothing of it goes on; after `finish` this only waits."""
        if self._body is None or self._sending is None:
            return
        self._body.withhold()
        with contextlib.suppress(Exception):
            await asyncio.shield(self._sending)

    def _begin(self, expected: Checked) -> None:
        try:
            file = expected.path.open("rb")
        except OSError:
            return  # the answer will say what is wrong
        self._expected, self._body = expected, HeldBody(file)
        self._sending = asyncio.create_task(move_file(partial(self._send_held, expected, self._body)))
        self._sending.add_done_callback(lambda _: file.close())

    def _send_held(self, expected: Checked, body: HeldBody) -> bool:
        try:
            self._send(expected, body)
        except Withheld:
            return False
        return True
