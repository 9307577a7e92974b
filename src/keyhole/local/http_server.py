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

from cheroot.server import Gateway, HTTPConnection, HTTPRequest, HTTPServer
from cheroot.workers.threadpool import ThreadPool, WorkerThread

from keyhole.local.call import Fault, Headers, HttpRequest, Response
from keyhole.local.http_framing import StrictHeaders, read_chunks

Handler = Callable[[HttpRequest], Response]

_THREADS = 24
_BACKLOG = 256
_MAX_HEADER_BYTES = 64 * 1024
# S3 takes 5 GiB in one put; here a body is held in memory.
_MAX_BODY_BYTES = 5 * 1024**3
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class _RawRequest(HTTPRequest):
    """A request line that is split, and nothing of it decoded."""

    header_reader = StrictHeaders()

    def read_request_line(self) -> bool:
        line = self.rfile.readline()
        # An empty line before a request is allowed by RFC 9112, section 2.2.
        if line == b"\r\n":
            line = self.rfile.readline()
        if not line:
            return False
        parts = line.rstrip(b"\r\n").split(b" ")
        if len(parts) != 3 or not line.endswith(b"\r\n") or not parts[0].isalpha() or not parts[1].startswith(b"/"):
            self.simple_response("400 Bad Request", "malformed request line")
            return False
        if parts[2] not in (b"HTTP/1.0", b"HTTP/1.1"):
            self.simple_response("505 HTTP Version Not Supported", "")
            return False
        self.method, self.uri, self.request_protocol = parts
        self.method = self.method.upper()
        self.response_protocol = parts[2].decode("ascii")
        self.scheme, self.authority = b"http", b""
        self.path, _, self.qs = self.uri.partition(b"?")
        return True


class _Connection(HTTPConnection):
    RequestHandlerClass = _RawRequest


class _Body:
    """The bytes of a request's body, read from the connection when somebody asks."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._data: bytes | None = None

    @property
    def was_read(self) -> bool:
        return self._data is not None

    def read(self) -> bytes:
        if self._data is None:
            try:
                self._data = self._receive()
            except (ValueError, OSError) as error:
                raise self._cut_off() from error
        return self._data

    def _receive(self) -> bytes:
        if self._request.chunked_read:
            return read_chunks(self._request.conn.rfile, _MAX_BODY_BYTES)
        data: bytes = self._request.rfile.read()
        if len(data) != int(self._request.inheaders.get(b"Content-Length", 0)):
            raise ValueError("body is cut off")
        return data

    def _cut_off(self) -> Fault:
        self._request.close_connection = True
        message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
        return Fault("IncompleteBody", message, 400)


class _GateGateway(Gateway):
    """Hands each request to the handler of the server, and writes its answer."""

    def respond(self) -> None:
        raw = self.req
        body = _Body(raw)
        try:
            response = raw.server.handler(_read(raw, body))
        except Exception:
            traceback.print_exc(file=sys.stderr)
            response = Response(500)
        if raw.chunked_read and not body.was_read:
            # What is left of a chunked body would be taken for the next request.
            raw.close_connection = True
        self._write(response)

    def _write(self, response: Response) -> None:
        raw = self.req
        raw.status = f"{response.status} {_REASONS.get(response.status, 'Unknown')}".encode()
        has_body = raw.method != b"HEAD" and response.status not in (204, 304)
        headers = [(name, value) for name, value in response.headers if name.lower() != "content-length"]
        given = response.header("content-length")
        if has_body:
            headers.append(("Content-Length", str(len(response.body))))
        elif raw.method == b"HEAD":
            headers.append(("Content-Length", given or "0"))
        raw.outheaders.extend((_encode(name), _encode(value)) for name, value in headers)
        raw.ensure_headers_sent()
        if has_body and response.body:
            raw.write(response.body)


def _encode(text: str) -> bytes:
    # A header that cannot hold the text, or would end early in it, must not change what comes after it.
    return text.replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")


def _read(raw: Any, body: _Body) -> HttpRequest:
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

    ConnectionClass = _Connection
    max_request_header_size = _MAX_HEADER_BYTES
    max_request_body_size = _MAX_BODY_BYTES

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
