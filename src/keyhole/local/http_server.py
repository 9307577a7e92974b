"""HTTP in front of the gate: cheroot's connections and threads, with path and query handed on exactly as sent.

cheroot's own WSGI gateway decodes the path, which signatures do not survive.
"""

from __future__ import annotations

import socket
import sys
import traceback
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from cheroot.server import Gateway, HTTPServer
from cheroot.workers.threadpool import ThreadPool, WorkerThread

from keyhole.local.blob import blocks_of
from keyhole.local.call import Headers, HttpRequest, Response
from keyhole.local.http_errors import http_fault, write_http_fault
from keyhole.local.http_request import StrictConnection, WireBody

Handler = Callable[[HttpRequest], Response]

_THREADS = 24
_BACKLOG = 256
_MAX_HEADER_BYTES = 64 * 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class _GateGateway(Gateway):
    """Hands each request to the handler of the server, and writes its answer."""

    def respond(self) -> None:
        raw = self.req
        body = WireBody(raw)
        try:
            response = raw.server.handler(_read(raw, body))
        except Exception:
            traceback.print_exc(file=sys.stderr)
            headers = Headers((name.decode("latin-1"), "") for name in raw.inheaders)
            response = write_http_fault(http_fault(500), raw.method.decode(), "", headers)
        body.discard()
        # cheroot would read away what is left all at once.
        raw.rfile.remaining = 0
        self._write(response)

    def _write(self, response: Response) -> None:
        raw = self.req
        raw.status = f"{response.status} {_REASONS.get(response.status, 'Unknown')}".encode()
        has_body = raw.method != b"HEAD" and response.status not in (204, 304)
        headers = [(name, value) for name, value in response.headers if name.lower() != "content-length"]
        given = response.header("content-length")
        content = response.blob or response.body
        if has_body:
            headers.append(("Content-Length", str(len(content))))
        elif raw.method == b"HEAD":
            headers.append(("Content-Length", given or "0"))
        raw.outheaders.extend((_encode(name), _encode(value)) for name, value in headers)
        raw.ensure_headers_sent()
        if has_body and content:
            for block in blocks_of(content):
                raw.write(block)


def _encode(text: str) -> bytes:
    # A header that cannot hold the text, or would end early in it, must not change what comes after it.
    return text.replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")


def _read(raw: Any, body: WireBody) -> HttpRequest:
    headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw.inheaders.items())
    return HttpRequest(
        method=raw.method.decode("latin-1"),
        raw_path=raw.path.decode("latin-1"),
        raw_query=raw.qs.decode("latin-1"),
        headers=headers,
        body=body,
        source_ip=raw.conn.remote_addr or "127.0.0.1",
    )


class _DaemonPool(ThreadPool):
    """Worker threads that do not keep a process alive which has ended otherwise."""

    def _spawn_worker(self) -> WorkerThread:
        worker = WorkerThread(self.server)  # type: ignore[no-untyped-call]
        worker.daemon = True
        worker.start()
        return worker


class GateServer(HTTPServer):
    """An HTTP server on one address. `prepare()` binds it, `serve()` runs until `stop()`."""

    ConnectionClass = StrictConnection
    max_request_header_size = _MAX_HEADER_BYTES

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: Any) -> socket.socket:
        """Bind, and leave no open socket behind where that fails."""
        try:
            bound: socket.socket = HTTPServer.bind_socket(socket_, bind_addr)  # type: ignore[no-untyped-call]
        except OSError:
            socket_.close()
            raise
        return bound

    def __init__(self, host: str, port: int, handler: Handler) -> None:
        super().__init__((host, port), gateway=_GateGateway, server_name="keyhole-local")
        self.handler = handler
        self.request_queue_size = _BACKLOG
        self.timeout = 60
        # A client that is connected and says nothing must not hold up the end.
        self.shutdown_timeout = 0.3  # type: ignore[assignment]  # any number will do
        self.requests = _DaemonPool(self, min=_THREADS, max=_THREADS)

    def process_conn(self, conn: Any) -> None:
        """Let a thread see to the connection, once there is something to see: browsers connect ahead of need."""
        if conn.last_used is None:
            self.put_conn(conn)
        else:
            super().process_conn(conn)
