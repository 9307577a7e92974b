"""One request on a connection: read strictly and in time, with nothing of it decoded, or refused in AWS's words."""

from __future__ import annotations

import _pyio  # type: ignore[import-not-found]  # what cheroot's readers are
import io
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from cheroot.errors import MaxSizeExceeded
from cheroot.makefile import StreamReader
from cheroot.server import HTTPConnection, HTTPRequest, SizeCheckWrapper

from keyhole.local.call import Fault, Headers
from keyhole.local.http_errors import http_fault, write_http_fault
from keyhole.local.http_framing import StrictHeaders, read_chunks, read_known
from keyhole.local.payload import MAX_OBJECT_BYTES, too_large

# What is read whole: every request but those that carry an S3 object.
_MAX_WHOLE_BYTES = 16 * 1024 * 1024
# From its first byte to the empty line after its headers. Between two bytes of a body, the server's timeout counts.
_HEAD_TIMEOUT_S = 10
_LINGER_S = 1.0
_LINGER_BYTES = 1024 * 1024


class TimedReader(StreamReader):
    """Reads a connection; while `deadline` is set (time.monotonic), no read lasts longer than until then."""

    _read_buf: bytes
    _read_pos: int

    def __init__(self, connection: socket.socket) -> None:
        self.source = _TimedSocket(connection, "rb")
        _pyio.BufferedReader.__init__(self, self.source, io.DEFAULT_BUFFER_SIZE)
        self.bytes_read = 0

    def read_some(self, size: int) -> bytes:
        """Give up to so many bytes: those that were read ahead, else what one call gives; b"" at the end."""
        ahead: int = len(self._read_buf) - self._read_pos
        if ahead:
            found: bytes = self.read(min(size, ahead))  # type: ignore[no-untyped-call]
            return found
        data = self.source.receive(size)
        self.bytes_read += len(data)
        return data


class _TimedSocket(socket.SocketIO):
    deadline: float | None = None
    _sock: socket.socket

    def readinto(self, buffer: Any) -> int | None:
        self._set_timeout()
        return super().readinto(buffer)

    def receive(self, size: int) -> bytes:
        """Give what one call gives, without a buffer that has to be cleared first."""
        self._set_timeout()
        return self._sock.recv(size)

    def _set_timeout(self) -> None:
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left)


class StrictRequest(HTTPRequest):
    """A request line that is split, headers that are unambiguous, a body that is asked for when it is wanted."""

    header_reader = StrictHeaders()
    method = b""
    path = b""
    is_awaited = False

    def parse_request(self) -> None:
        """Read the head; `ready` holds iff it is a request. Raises: TimeoutError."""
        self.started_request = True
        self.rfile = SizeCheckWrapper(self.conn.rfile, self.server.max_request_header_size)
        source = self.conn.rfile.source
        source.deadline = time.monotonic() + _HEAD_TIMEOUT_S
        try:
            self.ready = self._read_line()
            self.ready = self.ready and self._read_headers()
        except MaxSizeExceeded:
            self.ready = False
            limit = (("MaxSizeAllowed", str(self.server.max_request_header_size)),)
            self._refuse(http_fault(431, limit) if self.method else http_fault(414))
        source.deadline = None
        self.conn.socket.settimeout(self.server.timeout)

    def _read_line(self) -> bool:
        line = self.rfile.readline()
        # An empty line before a request is allowed by RFC 9112, section 2.2.
        if line == b"\r\n":
            line = self.rfile.readline()
        if not line:
            return False
        parts = line.rstrip(b"\r\n").split(b" ")
        if len(parts) != 3 or not line.endswith(b"\r\n") or not parts[0].isalpha() or not parts[1].startswith(b"/"):
            return self._refuse(http_fault(400))
        if parts[2] not in (b"HTTP/1.0", b"HTTP/1.1"):
            return self._refuse(http_fault(505))
        self.method, self.uri, self.request_protocol = parts
        self.method = self.method.upper()
        self.response_protocol = parts[2].decode("ascii")
        self.scheme, self.authority = b"http", b""
        self.path, _, self.qs = self.uri.partition(b"?")
        return True

    def _read_headers(self) -> bool:
        headers: dict[bytes, bytes] = self.inheaders
        try:
            self.header_reader(self.rfile, headers)
        except ValueError:
            return self._refuse(http_fault(400))
        is_new = self.response_protocol == "HTTP/1.1"
        if b"Transfer-Encoding" in headers and not is_new:
            return self._refuse(http_fault(400))
        if (length := int(headers.get(b"Content-Length", 0))) > MAX_OBJECT_BYTES:
            return self._refuse(too_large(length))
        options = [option.strip() for option in headers.get(b"Connection", b"").lower().split(b",")]
        self.close_connection = b"close" in options if is_new else b"keep-alive" not in options
        self.chunked_read = b"Transfer-Encoding" in headers
        self.is_awaited = is_new and headers.get(b"Expect", b"").lower() == b"100-continue"
        return True

    def simple_response(self, status: str, msg: str = "") -> None:  # noqa: ARG002  # cheroot's words are not AWS's
        """Answer what cheroot found wrong, as AWS would."""
        self._refuse(http_fault(int(str(status)[:3])))

    def _refuse(self, fault: Fault) -> bool:
        """Answer, and let the answer arrive before the connection is closed on what the client still sends."""
        self.close_connection = self.sent_headers = True
        pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in self.inheaders.items())
        response = write_http_fault(fault, self.method.decode(), self.path.decode("latin-1"), Headers(pairs))
        lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        lines += [f"Content-Length: {len(response.body)}", "Connection: close", "", ""]
        body = b"" if self.method == b"HEAD" else response.body
        with suppress(OSError):
            self.conn.wfile.write("\r\n".join(lines).encode("latin-1", "replace") + body)
            self.conn.socket.shutdown(socket.SHUT_WR)
            _drain(self.conn.socket)
        return False


def _drain(connection: socket.socket) -> None:
    """Read away what a client sends that has not yet seen the answer, for a moment. Raises: OSError."""
    ends_at, left = time.monotonic() + _LINGER_S, _LINGER_BYTES
    while left > 0 and (remaining_s := ends_at - time.monotonic()) > 0:
        connection.settimeout(remaining_s)
        data = connection.recv(64 * 1024)
        if not data:
            return
        left -= len(data)


class StrictConnection(HTTPConnection):
    """A connection whose requests are read strictly."""

    RequestHandlerClass = StrictRequest

    def __init__(self, server: Any, sock: socket.socket, *arguments: Any) -> None:
        super().__init__(server, sock, *arguments)
        self.rfile = TimedReader(sock)


class WireBody:
    """The bytes of a request's body, read from the connection when somebody asks, and only once."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._stream: Iterator[bytes] | None = None
        self._data: bytes | None = None

    def blocks(self) -> Iterator[bytes]:
        """Give what was not read yet, block by block. Raises: Fault where it is cut off or does not come."""
        if self._stream is None:
            self._stream = self._receive()
        return self._stream

    def read(self) -> bytes:
        """Give all of it, the same each time. Raises: Fault, also where it is too long to be read whole."""
        if self._data is None:
            data = bytearray()
            for block in self.blocks():
                data += block
                if len(data) > _MAX_WHOLE_BYTES:
                    self._request.close_connection = True
                    raise Fault("RequestEntityTooLarge", "The request is too large.", 413)
            self._data = bytes(data)
        return self._data

    def discard(self) -> None:
        """Take what nobody read off the connection: what is left would be taken for the next request."""
        request = self._request
        if self._stream is None and request.is_awaited and self._is_announced():
            # It was never asked for. Whether it comes is not known.
            request.close_connection = True
        elif not request.close_connection:
            with suppress(Fault):
                for _ in self.blocks():
                    pass

    def _is_announced(self) -> bool:
        return self._request.chunked_read or int(self._request.inheaders.get(b"Content-Length", 0)) > 0

    def _receive(self) -> Iterator[bytes]:
        request = self._request
        length = int(request.inheaders.get(b"Content-Length", 0))
        try:
            if request.is_awaited and self._is_announced():
                request.conn.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            yield from (
                read_chunks(request.conn.rfile) if request.chunked_read else read_known(request.conn.rfile, length)
            )
        except TimeoutError as error:
            request.close_connection = True
            raise http_fault(408) from error
        except (ValueError, OSError) as error:
            request.close_connection = True
            message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
            raise Fault("IncompleteBody", message, 400) from error
