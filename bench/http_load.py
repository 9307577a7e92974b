"""As many requests as a server answers: clients that send one after the other over connections that stay."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import uvloop


@dataclass(frozen=True)
class Load:
    """What the clients saw: seconds for each answer, and answers that were not 200."""

    clients: int
    seconds: float
    latencies_s: list[float]
    failures: int

    @property
    def rate(self) -> float:
        """Requests answered in a second."""
        return len(self.latencies_s) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """Give the time within which this share of the requests was answered."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    def __str__(self) -> str:
        return (
            f"signed URLs, {self.clients} clients for {self.seconds:.0f} s: {self.rate:,.0f} a second, "
            f"half within {self.quantile_ms(0.5):.1f} ms, 99 % within {self.quantile_ms(0.99):.1f} ms, "
            f"{self.failures} failed"
        )


def press(url: str, path: str, *, clients: int, seconds: float, body: bytes = b"") -> Load:
    """Ask for the path, by POST if there is a body, until the time is over."""
    found = urlsplit(url)
    host, port = found.hostname or "127.0.0.1", found.port or 80
    method = "POST" if body else "GET"
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    request = f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{length}\r\n".encode() + body

    async def run() -> Load:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        makers = [_Client(request, began + seconds) for _ in range(clients)]
        for maker in makers:
            await loop.create_connection(lambda maker=maker: maker, host, port)
        await asyncio.gather(*(maker.is_over for maker in makers))
        latencies = [latency for maker in makers for latency in maker.latencies_s]
        return Load(clients, time.perf_counter() - began, latencies, sum(maker.failures for maker in makers))

    return uvloop.run(run())


class _Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, request: bytes, until: float) -> None:
        self.latencies_s: list[float] = []
        self.failures = 0
        self.is_over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._until = until
        self._sent_at = 0.0
        self._answer = b""
        self._wanted = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._wanted and (end := self._answer.find(b"\r\n\r\n")) >= 0:
            head = self._answer[:end].lower() + b"\r\n"
            start = head.index(b"content-length: ") + 16
            self._wanted = end + 4 + int(head[start : head.index(b"\r\n", start)])
        if self._wanted and len(self._answer) >= self._wanted:
            self.failures += not self._answer.startswith(b"HTTP/1.1 200")
            now = time.perf_counter()
            self.latencies_s.append(now - self._sent_at)
            if now < self._until:
                self._send()
            else:
                self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.is_over.done():
            self.is_over.set_result(None)

    def _send(self) -> None:
        self._answer, self._wanted, self._sent_at = b"", 0, time.perf_counter()
        self._transport.write(self._request)
