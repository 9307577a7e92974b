"""How long a body may take, and how large one that is no image may be: whoever sends drop by drop is not waited for.

Images themselves are held to their upload's `max_bytes`, where they are read.
"""

from __future__ import annotations

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyhole.service.problems import Problem

IDLE_S = 20.0
"""The longest that nothing at all may come."""
WINDOW_S = 20.0
WINDOW_BYTES = 64 * 1024
"""What must come in each window: 26 kilobits a second, less than the slowest of phones sends."""
MOST_BYTES = 2 * 1024 * 1024
"""The largest body that is no image: a thousand keys, or ten thousand parts."""
_STREAMED = ("POST", "/v1/uploads")


class Patience:
    """Lets a request fail whose body does not come. The routes never see more than came in time."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        idle_s: float = IDLE_S,
        window_s: float = WINDOW_S,
        window_bytes: int = WINDOW_BYTES,
    ) -> None:
        self._app = app
        self._idle_s = idle_s
        self._window_s = window_s
        self._window_bytes = window_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        is_streamed = (scope["method"], scope["path"]) == _STREAMED
        received_bytes = window_received = 0
        window_began = time.monotonic()
        is_over = False

        async def receive_in_time() -> Message:
            nonlocal received_bytes, window_received, window_began, is_over
            if is_over:  # what follows is the end of the connection, which may take as long as the answer does
                return await receive()
            try:
                async with asyncio.timeout(self._idle_s):
                    message = await receive()
            except TimeoutError:
                raise _too_slow() from None
            size = len(message.get("body", b""))
            received_bytes += size
            window_received += size
            is_over = message["type"] == "http.disconnect" or not message.get("more_body", False)
            if not is_streamed and received_bytes > MOST_BYTES:
                raise _too_long()
            now = time.monotonic()
            if now - window_began >= self._window_s:
                if not is_over and window_received < self._window_bytes:
                    raise _too_slow()
                window_began, window_received = now, 0
            return message

        await self._app(scope, receive_in_time, send)


def _too_slow() -> Problem:
    return Problem(
        408,
        "too-slow",
        "the request's body did not come in time",
        hint="send it again, over a better connection",
        headers={"Connection": "close"},
    )


def _too_long() -> Problem:
    return Problem(
        413,
        "body-too-large",
        "the request's body is larger than such a request ever is",
        hint="/v1/openapi.json describes what it takes",
        headers={"Connection": "close"},
        extra={"max_bytes": MOST_BYTES},
    )
