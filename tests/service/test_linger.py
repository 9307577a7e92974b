"""An early refusal reaches the client, which is read on for a while, but not for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from keyhole.service.linger import LINGER_BYTES, Linger

_BODY_HEADERS = [(b"content-length", b"99999999999")]


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer before the body has been read."""
    await send({"type": "http.response.start", "status": 413, "headers": []})
    await send({"type": "http.response.body", "body": b"too large"})


async def _accept(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer after all of the body has been read."""
    while (await receive()).get("more_body"):
        pass
    await _refuse(scope, receive, send)


async def _call(
    app: Callable[[Scope, Receive, Send], Awaitable[None]], headers: list[tuple[bytes, bytes]], chunks: list[Message]
) -> tuple[list[Message], int]:
    """Give what was sent, and how many messages had been read before the connection was let go."""
    sent: list[Message] = []
    waiting = list(chunks)

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await Linger(app)({"type": "http", "method": "POST", "headers": headers}, receive, send)
    return sent, len(chunks) - len(waiting)


def _chunk(size: int = 1, *, more_body: bool = True) -> Message:
    return {"type": "http.request", "body": bytes(size), "more_body": more_body}


@pytest.mark.anyio
async def test_the_answer_goes_out_first_and_the_rest_is_read() -> None:
    """The whole answer is sent before anything more is read, and the end only after the body's."""
    sent, read = await _call(_refuse, _BODY_HEADERS, [_chunk(), _chunk(), _chunk(more_body=False), _chunk()])
    assert [message.get("body") for message in sent[1:]] == [b"too large", b""]
    assert [message.get("more_body") for message in sent[1:]] == [True, False]
    assert read == 3


@pytest.mark.anyio
async def test_a_client_that_goes_away_is_not_waited_for() -> None:
    """A disconnect ends it."""
    _, read = await _call(_refuse, _BODY_HEADERS, [_chunk(), {"type": "http.disconnect"}, _chunk()])
    assert read == 2


@pytest.mark.anyio
async def test_no_more_is_read_than_the_bound() -> None:
    """A client that sends for ever is cut off."""
    _, read = await _call(_refuse, _BODY_HEADERS, [_chunk(LINGER_BYTES // 4)] * 10)
    assert read == 4


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("app", "headers", "chunks", "expected"),
    [
        (_accept, _BODY_HEADERS, [_chunk(), _chunk(more_body=False), _chunk()], 2),
        (_refuse, [], [_chunk()], 0),
        (_refuse, [(b"content-length", b"0")], [_chunk()], 0),
        (_refuse, [*_BODY_HEADERS, (b"expect", b"100-continue")], [_chunk()], 0),
    ],
)
async def test_nothing_is_read_that_is_not_on_its_way(
    app: Callable[[Scope, Receive, Send], Awaitable[None]],
    headers: list[tuple[bytes, bytes]],
    chunks: list[Message],
    expected: int,
) -> None:
    """A body that was read, one that is not there, and one that waits for leave to come are left alone."""
    sent, read = await _call(app, headers, chunks)
    assert read == expected
    assert len(sent) == 2
