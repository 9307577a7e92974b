"""A refusal that arrives: the connection is not cut while the client still sends what was refused.

A socket that is closed with bytes unread is reset, and a reset takes the answer with it: the client would see a broken
connection instead of "too large". RFC 9112, "9.6. Tear-down": https://www.rfc-editor.org/rfc/rfc9112#section-9.6
"""

from __future__ import annotations

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_S = 3.0
LINGER_BYTES = 64 * 1024 * 1024


class Linger:
    """Reads on and throws away, for 3 seconds and 64 MiB at most, after an answer that came before the body's end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        waits_for_leave = "expect" in Headers(scope=scope)
        is_over = False

        async def receive_watched() -> Message:
            nonlocal is_over, waits_for_leave
            waits_for_leave = False
            message = await receive()
            is_over = message["type"] == "http.disconnect" or not message.get("more_body", False)
            return message

        async def send_lingering(message: Message) -> None:
            is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
            if not is_last or is_over or waits_for_leave:
                await send(message)
                return
            await send({**message, "more_body": True})
            await _drain(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(scope, receive_watched, send_lingering)


def _has_body(headers: Headers) -> bool:
    """Hold iff the request has a body (RFC 9112, "6. Message Body")."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def _drain(receive: Receive) -> None:
    drained_bytes = 0
    with anyio.move_on_after(LINGER_S):
        while drained_bytes < LINGER_BYTES:
            message = await receive()
            drained_bytes += len(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return
