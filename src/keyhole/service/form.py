"""A file out of multipart/form-data: streamed, and refused the moment it is too large.

RFC 7578, "Returning Values from Forms: multipart/form-data": https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from keyhole.service.problems import RETRY_AFTER_S, Problem

FIELD = "file"
# What boundaries, part headers and small other fields may add to the file itself.
OVERHEAD_BYTES = 64 * 1024
# Written in pieces of this size: large ones cost little, small ones leave memory to many uploads at once.
_PIECE_BYTES = 1024 * 1024
_LEAST_PIECE_BYTES = 32 * 1024
# What all uploads that are being received hold in memory together, twice over while a piece is written.
_PENDING_BYTES = 2 * 1024 * 1024
_UNITS = ("bytes", "KiB", "MiB", "GiB")


@dataclass(slots=True)
class ReceivedFile:
    """The file of a form, on disk until it is closed; `name` is what the client called it and is not to be trusted.

    `sha256` is hexadecimal, "" where nobody wanted it.
    """

    path: Path
    name: str
    size_bytes: int
    sha256: str
    _file: IO[bytes]

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def __enter__(self) -> ReceivedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def show_bytes(count: int) -> str:
    """Give a number of bytes as people read it: `10 MiB`."""
    size, unit = float(count), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.4g} {_UNITS[unit]}"


def too_large(max_bytes: int) -> Problem:
    """Say that the file is over the limit; the rest of it is not read, so the connection ends."""
    return Problem(
        413,
        "too-large",
        f"the file is larger than {show_bytes(max_bytes)}",
        hint=f"send an image of at most {show_bytes(max_bytes)}",
        headers={"Connection": "close"},
        extra={"max_bytes": max_bytes},
    )


def _broken(detail: str) -> Problem:
    hint = f"send multipart/form-data with the image in a field called `{FIELD}`"
    return Problem(400, "bad-form", detail, hint=hint, headers={"Connection": "close"})


def check_length(content_length: str | None, max_bytes: int) -> None:
    """Refuse a body that says itself that it is too large. Raises: Problem."""
    if content_length is None:
        return
    if not (content_length.isascii() and content_length.isdecimal()):
        raise _broken("the Content-Length is not a number")
    if int(content_length) > max_bytes + OVERHEAD_BYTES:
        raise too_large(max_bytes)


async def receive_file(
    content_type: str,
    stream: AsyncIterator[bytes],
    max_bytes: int,
    directory: Path | None = None,
    *,
    is_digested: bool = True,
    share: Callable[[], int] = lambda: 1,
) -> ReceivedFile:
    """Read the form's file into a temporary file, reading no further than the limit.

    At most 2 MiB of it are held in memory, and less the more others there are: `share` gives how many are received
    now. Raises: Problem.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise _broken("the request is no multipart/form-data")
    file = await to_thread.run_sync(lambda: open_temporary(directory))
    form = _Form(max_bytes)
    spool = _Spool(file, is_digested=is_digested)
    try:
        parser = _make_parser(boundary, form)
        received_bytes = 0
        async for chunk in stream:
            received_bytes += len(chunk)
            if received_bytes > max_bytes + OVERHEAD_BYTES:
                raise too_large(max_bytes)
            # Chunks are as large as the system gives them: a quarter of a megabyte each when it is busy.
            piece_bytes = choose_piece(share())
            for start in range(0, len(chunk), piece_bytes):
                parser.write(chunk[start : start + piece_bytes])
                if len(form.pending) >= piece_bytes:
                    await spool.write(form.take_pending())
        _check_whole(form, received_bytes)
        await spool.write(form.take_pending())
        await spool.flush()
    except FormParserError as error:
        spool.close()
        raise _broken("the form cannot be read") from error
    except BaseException:
        spool.close()
        raise
    return ReceivedFile(Path(file.name), form.file_name or "", form.size_bytes, spool.sha256, file)


def choose_piece(uploads: int) -> int:
    """Give the bytes that one of so many uploads gathers before it writes them."""
    return min(_PIECE_BYTES, max(_LEAST_PIECE_BYTES, _PENDING_BYTES // max(1, uploads)))


def _check_whole(form: _Form, received_bytes: int) -> None:
    """Return if the form has ended, and has a file with something in it. Raises: Problem."""
    if not form.is_complete:
        raise _broken("the form ends in the middle" if received_bytes else "the request has no body")
    if form.file_name is None:
        raise _broken(f"the form has no file in a field `{FIELD}`")
    if form.size_bytes == 0:
        raise Problem(400, "empty", "the file is empty", hint="choose an image with something in it")


class _Spool:
    """Writes to a file off the event loop: one piece is written while the next is being received."""

    def __init__(self, file: IO[bytes], *, is_digested: bool) -> None:
        self._file = file
        self._digest = hashlib.sha256() if is_digested else None
        self._writing: asyncio.Task[None] | None = None

    async def write(self, data: bytearray) -> None:
        """Begin to write this, when what was written before is. Raises: Problem (503)."""
        await self.flush()
        if data:
            self._writing = asyncio.create_task(to_thread.run_sync(self._write, data))

    async def flush(self) -> None:
        """Wait until all is written. Raises: Problem (503)."""
        if self._writing is not None:
            # A request that is given up must not end the task before the thread that it stands for.
            await asyncio.shield(self._writing)
            self._writing = None

    def close(self) -> None:
        """Remove the file, as soon as nobody writes to it any more: its descriptor may be another file's after that."""
        writing, self._writing = self._writing, None
        if writing is None:
            self._file.close()
        else:
            writing.add_done_callback(self._end)

    def _end(self, writing: asyncio.Task[None]) -> None:
        self._file.close()
        if not writing.cancelled():
            writing.exception()  # looked at: the request has failed already

    @property
    def sha256(self) -> str:
        """The digest of what is written, hexadecimal; "" where nobody wanted it."""
        return self._digest.hexdigest() if self._digest is not None else ""

    def _write(self, data: bytearray) -> None:
        write_all(self._file, data)
        if self._digest is not None:
            self._digest.update(data)


def open_temporary(directory: Path | None) -> IO[bytes]:
    """Open a file that goes away when it is closed. What is written can be read by its name at once."""
    file: IO[bytes] = NamedTemporaryFile(dir=directory, prefix="keyhole-", buffering=0)  # noqa: SIM115
    return file


def write_all(file: IO[bytes], data: bytes | bytearray) -> None:
    """Write all of it. Raises: Problem (503) if the disk is full."""
    view = memoryview(data)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise Problem(
            503,
            "no-room",
            "the service has no room for the file now",
            hint="nothing is lost: try again in a moment; who runs the service looks after its temporary folder",
            headers={"Retry-After": str(RETRY_AFTER_S), "Connection": "close"},
        ) from error


class _Form:
    """What the parser has found so far."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.pending = bytearray()
        self.size_bytes = 0
        self.file_name: str | None = None
        self.is_complete = False
        self._is_in_file = False
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = b""

    def take_pending(self) -> bytearray:
        """Give the bytes not yet written to the spool, once."""
        data, self.pending = self.pending, bytearray()
        return data

    def begin_part(self) -> None:
        self._is_in_file = False
        self._disposition = b""

    def add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def end_header(self) -> None:
        if bytes(self._header_name).lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name != FIELD or b"filename" not in options:
            return
        if self.file_name is not None:
            raise Problem(
                400,
                "several-files",
                "the form has more than one file",
                hint="send one request for each image",
                headers={"Connection": "close"},
            )
        self.file_name = options[b"filename"].decode("utf-8", "replace")
        self._is_in_file = True

    def add_data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_in_file:
            return
        self.size_bytes += end - start
        if self.size_bytes > self.max_bytes:
            raise too_large(self.max_bytes)
        self.pending += memoryview(data)[start:end]

    def finish(self) -> None:
        self.is_complete = True


def _make_parser(boundary: bytes, form: _Form) -> MultipartParser:
    return MultipartParser(
        boundary,
        {
            "on_part_begin": form.begin_part,
            "on_header_field": form.add_header_name,
            "on_header_value": form.add_header_value,
            "on_header_end": form.end_header,
            "on_headers_finished": form.end_headers,
            "on_part_data": form.add_data,
            "on_end": form.finish,
        },
    )
