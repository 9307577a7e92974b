"""A small HTTP server on a free port of loopback, for the services that a workload finds on link-local addresses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from cheroot import wsgi

StartResponse = Callable[[str, list[tuple[str, str]]], object]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_THREADS = 4


class Unanswered(Exception):  # noqa: N818  # nothing is wrong: the answer does not get there
    """The client gets no answer: its connection is closed."""


class _Gateway(wsgi.Gateway_10):
    def respond(self) -> None:
        try:
            super().respond()
        except Unanswered:
            self.req.close_connection = True
            self.req.ready = False


@dataclass(frozen=True, slots=True)
class Listener:
    """A server that runs."""

    server: wsgi.Server
    thread: threading.Thread

    @property
    def url(self) -> str:
        """Where it is reached, without a slash at the end."""
        return f"http://127.0.0.1:{self.server.bind_addr[1]}"

    def stop(self) -> None:
        """End it, and return when it has ended."""
        self.server.stop()
        self.thread.join()


def start_listener(app: WsgiApp, name: str) -> Listener:
    """Serve the app until the listener is stopped. Raises: OSError where no port can be opened."""
    server = wsgi.Server(
        ("127.0.0.1", 0),
        app,
        numthreads=_THREADS,
        server_name=name,
        request_queue_size=64,
        shutdown_timeout=1,
    )
    server.gateway = _Gateway
    # Until then stop() is not noticed.
    server.expiration_interval = 0.1
    # What is asked here has next to no headers and no body at all.
    server.max_request_header_size = 16 * 1024
    server.max_request_body_size = 16 * 1024
    # The workers are daemons like the thread that makes them: a process that ends without stop() does end.
    opened: Future[None] = Future()
    thread = threading.Thread(target=_serve, args=(server, opened), name=name, daemon=True)
    thread.start()
    opened.result()
    return Listener(server, thread)


def is_own_host(host: str, own_address: str) -> bool:
    """Hold iff a Host header names loopback, or the address that the service has on AWS.

    A page in a browser can name the port under a domain of its own (DNS rebinding): such a Host is not ours.
    """
    name, _, port = host.lower().partition(":")
    return name in {"127.0.0.1", "localhost", own_address} and (port == "" or port.isdecimal())


def _serve(server: wsgi.Server, opened: Future[None]) -> None:
    try:
        server.prepare()
    except OSError as error:
        opened.set_exception(error)
        return
    opened.set_result(None)
    server.serve()
