"""A browser's form, multipart/form-data: the fields before the file, then the file block by block.

AWS: S3 API Reference, "POST Object": fields after the file are ignored; form data beside the file is at most 20 KB.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from keyhole.local.call import Fault, Headers

_MAX_FIELD_BYTES = 20 * 1024
_BOUNDARY = re.compile(r"^[0-9A-Za-z'()+_,./:=? -]{1,70}$")
_FILE = "file"


def malformed_form() -> Fault:
    """The body is no form, or one that could be read in two ways."""
    return Fault("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.", 400)


class Form:
    """The fields of a form by their names in lower case, once `read_fields` was called; its file, once."""

    def __init__(self, headers: Headers, blocks: Iterator[bytes]) -> None:
        self.fields: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.file_name = ""
        self._blocks = blocks
        self._parts = _Parts()
        self._parser = MultipartParser(
            _boundary(headers),
            {
                "on_part_begin": self._parts.begin,
                "on_header_field": self._parts.add_header_name,
                "on_header_value": self._parts.add_header_value,
                "on_header_end": self._parts.end_header,
                "on_headers_finished": self._parts.end_headers,
                "on_part_data": self._parts.add_data,
                "on_part_end": self._parts.end,
            },
        )

    def read_fields(self) -> None:
        """Read what comes before the file. Raises: Fault."""
        parts = self._parts
        while not parts.has_file and self._feed():
            pass
        if not parts.has_file:
            if not parts.has_ended:
                raise malformed_form()
            extra = (("ArgumentName", "file"), ("ArgumentValue", "0"))
            raise Fault("InvalidArgument", "POST requires exactly one file upload per request.", 400, extra=extra)
        # A browser may tell the whole path of the file on its user's disk.
        self.file_name = re.split(r"[/\\]", parts.file_name)[-1]
        for name, value in parts.fields:
            key = name.lower()
            if key in self.fields:
                raise malformed_form()
            self.names[key] = name
            self.fields[key] = value if key == "policy" else value.replace("${filename}", self.file_name)

    def file_blocks(self) -> Iterator[bytes]:
        """Give the file, block by block; what comes after it is not read. Raises: Fault where it does not end."""
        found = self._parts.file
        while True:
            while found:
                yield found.popleft()
            if self._parts.is_done:
                return
            if not self._feed():
                raise malformed_form()

    def _feed(self) -> bool:
        """Parse one more block; hold iff there was one."""
        block = next(self._blocks, b"")
        try:
            self._parser.write(block)
        except FormParserError as error:
            # What is wrong after the file is not looked at.
            if not self._parts.is_done:
                raise malformed_form() from error
        return bool(block)


def _boundary(headers: Headers) -> bytes:
    _, options = parse_options_header(headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.match(boundary.decode("latin-1")):
        raise malformed_form()
    return boundary


class _Parts:
    """What the parser has found so far: it calls these methods, in the order of the bytes."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []
        self.file: deque[bytes] = deque()
        self.file_name = ""
        self.has_file = self.is_done = self.has_ended = False
        self._size = 0
        self._name = ""
        self._data = bytearray()
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = ""

    def begin(self) -> None:
        self._name, self._disposition = "", ""
        self._data = bytearray()
        self._header_name, self._header_value = bytearray(), bytearray()

    def add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header_name += data[start:end]

    def add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header_value += data[start:end]

    def end_header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            if self._disposition:
                raise malformed_form()
            self._disposition = bytes(self._header_value).decode("latin-1")
        self._header_name, self._header_value = bytearray(), bytearray()

    def end_headers(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or not options.get(b"name"):
            raise malformed_form()
        self._name = _text(options[b"name"])
        if not self.has_file and self._name.lower() == _FILE:
            self.has_file = True
            self.file_name = _text(options.get(b"filename", b""))

    def add_data(self, data: bytes, start: int, end: int) -> None:
        if self.is_done:
            return
        if self.has_file:
            self.file.append(data[start:end])
            return
        self._count(end - start)
        self._data += data[start:end]

    def end(self) -> None:
        self.has_ended = True
        if self.has_file:
            self.is_done = True
        else:
            self.fields.append((self._name, _text(bytes(self._data))))

    def _count(self, size: int) -> None:
        if self.has_file:
            return
        self._size += size
        if self._size > _MAX_FIELD_BYTES:
            message = "Your POST request fields preceding the upload file were too large."
            raise Fault("MaxPostPreDataLengthExceeded", message, 400)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed_form() from error
