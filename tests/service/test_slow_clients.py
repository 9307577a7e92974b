"""Clients that send or read drop by drop, or never: they are let go, and nobody else notices."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator

import anyio
import httpx
import pytest
from service_client import ServiceClient, problem_of
from service_fakes import FakeChecker, FakeStore, OneStore, make_service_for_test, make_settings_for_test
from service_images import make_png
from starlette.types import Message, Receive, Scope, Send

from keyhole.service.api.desk import Turns
from keyhole.service.app import create_app
from keyhole.service.connections import HEAD_BYTES, GuardedConnection
from keyhole.service.images.checked import Unavailable
from keyhole.service.operation import Operation
from keyhole.service.patience import MOST_BYTES, Patience
from keyhole.service.problems import Problem
from keyhole.service.run import bind, make_server
from keyhole.service.runtime import make_runtime

_given_up = threading.Event()
_ASK = b"GET /healthz HTTP/1.1\r\nHost: service.test\r\n\r\n"


class Hasty(GuardedConnection):
    """The same connection, with less time to waste."""

    head_s = 0.2
    read_s = 0.3
    most_connections = 4


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """Where a service listens whose connections have no time."""
    service = make_service_for_test(make_settings_for_test())
    runtime = make_runtime(service)
    store = FakeStore()
    app = create_app(service, runtime, open_store=OneStore(store), checker=FakeChecker())

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer more than fits into any buffer."""
        if scope["path"] != "/endless":
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(200):
            await send({"type": "http.response.body", "body": bytes(1024 * 1024), "more_body": True})
        _given_up.set()  # 200 MiB fit into no buffer: the server has stopped to wait

    with bind("127.0.0.1", 0) as listener:
        server = make_server(endless, runtime)
        server.config.http = Hasty
        server.config.timeout_keep_alive = 120  # what is tested ends for another reason
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[:2]
        finally:
            server.should_exit = True
            thread.join()


def _read_to_the_end(client: socket.socket) -> bytes:
    found = b""
    try:
        while data := client.recv(65536):
            found += data
    except ConnectionResetError:
        pass
    return found


def _is_answered(address: tuple[str, int]) -> bool:
    """Hold iff a new client is answered, once the others have been let go."""
    for _ in range(100):
        with socket.create_connection(address, timeout=30) as client:
            try:
                client.sendall(_ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            except OSError:
                continue
            if _read_to_the_end(client).startswith(b"HTTP/1.1 200"):
                return True
        threading.Event().wait(0.05)
    return False


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-Drop: 1\r\n", _ASK + b"GET / HT"])
def test_a_head_that_does_not_come_ends_the_connection(address: tuple[str, int], sent: bytes) -> None:
    """Nothing, half a line, headers without end; on a new connection and on one that was used already."""
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(sent)
        _read_to_the_end(client)
    assert _is_answered(address)


def test_a_head_without_end_is_431(address: tuple[str, int]) -> None:
    """More than 64 KiB of headers are not kept, in one header or in many."""
    for line in (b"X-Long: " + b"x" * 4 * HEAD_BYTES, b"X-Many: 1\r\n" * (HEAD_BYTES // 2)):
        with socket.create_connection(address, timeout=30) as client:
            answer = b""
            try:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + line)
                answer = client.recv(65536)
            except (BrokenPipeError, ConnectionResetError):
                continue  # the rest was on its way when the connection ended
            assert answer[:12] in {b"HTTP/1.1 431", b""}
    assert _is_answered(address)


def test_an_answer_that_nobody_reads_ends_the_connection(address: tuple[str, int]) -> None:
    """What waits to be read is thrown away, and the request with it."""
    with socket.create_connection(address, timeout=30) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        assert _given_up.wait(60)
    assert _is_answered(address)


def test_connections_beyond_the_limit_are_cut_and_the_others_live(address: tuple[str, int]) -> None:
    """Those that were there are answered; once the idle ones are let go, new ones are as well."""
    with socket.create_connection(address, timeout=30) as first:
        first.sendall(_ASK)
        assert first.recv(65536).startswith(b"HTTP/1.1 200")
        others = [socket.create_connection(address, timeout=30) for _ in range(8)]
        for other in others:
            _read_to_the_end(other)
            other.close()
        first.sendall(_ASK)
        assert first.recv(65536).startswith(b"HTTP/1.1 200")
    assert _is_answered(address)


async def _read_all(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass


async def _call(patience: Patience, chunks: list[tuple[float, int]], path: str = "/v1/uploads") -> None:
    """Send these bodies, each after so many seconds, and then nothing more."""
    waiting = list(chunks)

    async def receive() -> Message:
        if not waiting:
            await anyio.sleep_forever()
        after_s, size = waiting.pop(0)
        await anyio.sleep(after_s)
        return {"type": "http.request", "body": bytes(size), "more_body": size > 0}

    async def send(message: Message) -> None:
        """Nothing is answered here."""

    await patience({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "chunks",
    [[], [(0, 100)], [(0.02, 10)] * 100],
    ids=["nothing", "a-beginning", "drop-by-drop"],
)
async def test_a_body_that_does_not_come_is_408(chunks: list[tuple[float, int]]) -> None:
    """Neither silence nor a trickle keeps a request open."""
    with pytest.raises(Problem) as raised:
        await _call(Patience(_read_all, idle_s=0.3, window_s=0.2, window_bytes=1000), chunks)
    assert raised.value.status == 408
    assert raised.value.headers["Connection"] == "close"


@pytest.mark.anyio
async def test_a_body_that_comes_slowly_but_surely_is_read() -> None:
    """Enough in each window is enough, however long it takes in all."""
    await _call(Patience(_read_all, idle_s=5, window_s=0.05, window_bytes=100), [(0.02, 1000)] * 10 + [(0, 0)])


@pytest.mark.anyio
async def test_what_is_no_image_is_small() -> None:
    """JSON beyond all measure is not kept; an image is held to its own limit instead."""
    much = [(0.0, MOST_BYTES), (0.0, 1), (0.0, 0)]
    with pytest.raises(Problem) as raised:
        await _call(Patience(_read_all), much, "/v1/urls")
    assert raised.value.status == 413
    await _call(Patience(_read_all), much)


def test_more_uploads_than_can_be_received_are_sent_away() -> None:
    """503 at once, unread; as soon as one is done there is room again."""
    service = make_service_for_test()
    runtime = make_runtime(service, Operation(max_in_flight=2))
    client = ServiceClient(service=service, runtime=runtime)
    answers: list[int] = []

    async def slow(entered: anyio.Event, leave: anyio.Event) -> None:
        async def body() -> AsyncIterator[bytes]:
            entered.set()
            await leave.wait()
            yield b"x"

        transport = httpx.ASGITransport(app=client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as http:
            headers = {"Content-Type": "multipart/form-data; boundary=x"}
            answers.append((await http.post("/v1/uploads", content=body(), headers=headers)).status_code)

    async def run() -> None:
        entered, leave = anyio.Event(), anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(slow, entered, leave)
            await entered.wait()
            transport = httpx.ASGITransport(app=client.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as http:
                response = await http.post("/v1/uploads", files={"file": ("a.png", make_png())})
                problem_of(response, 503, "busy")
                assert response.headers["retry-after"]
            leave.set()

    anyio.run(run)
    assert answers == [400]
    assert client.upload(make_png()).status_code == 201


@pytest.mark.anyio
async def test_what_has_arrived_waits_for_its_turn_but_not_for_ever() -> None:
    """One at a time is looked at; who has waited too long is told to try again, and takes no turn from the next."""
    turns = Turns(1, patience_s=0.1)
    async with turns.take():
        with pytest.raises(Unavailable):
            async with turns.take():
                raise AssertionError("two at a time")
    async with turns.take():
        pass
