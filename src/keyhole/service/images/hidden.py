"""What else a file is, beside an image: archives, pages, scripts, documents and programs that ride along.

Each of them is found where its own readers look for it. A file that is two things is two things to whoever reads it.
"""

from __future__ import annotations

import re

from keyhole.service.images.formats.layout import Data

# PDF readers take a header in the first kilobyte (ISO 32000-1, Annex H, 3.4.1); browsers that guess look no further.
_HEAD_BYTES = 1024
# "4.3.16 End of central directory record" of APPNOTE.TXT: 22 bytes, then a comment of at most 65,535.
_ZIP_END, _ZIP_END_BYTES, _ZIP_ENTRY = b"PK\x05\x06", 22, b"PK\x01\x02"
_MAX_COMMENT = 65_535
_MARKUP = re.compile(rb"<(?:script|html|body|iframe|svg[\s>]|!doctype html|\?php)", re.IGNORECASE)
# PHP's interpreter takes these from anywhere in a file.
_ANYWHERE = ((b"<?php", "a script"), (b"__HALT_COMPILER();", "a PHP archive"))
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive"),
    (_ZIP_END, "a zip archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"%PDF-", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"#!/", "a script"),
    (b"\xca\xfe\xba\xbe", "a program"),
)


def find_in_file(data: Data) -> str:
    """Give what the file is as a whole to readers that do not begin at its first byte; "" for nothing."""
    if data.find(b"%PDF-", 0, _HEAD_BYTES) >= 0:
        return "a PDF document"
    for signature, name in _ANYWHERE:
        if data.find(signature) >= 0:
            return name
    return "a zip archive" if _is_zip(data) else ""


def find_in_part(part: bytes) -> str:
    """Give what is in metadata, or behind the image's end; "" for nothing known."""
    begin = part.lstrip(b"\x00 \t\r\n")[:16]
    for signature, name in _SIGNATURES:
        if begin.startswith(signature):
            return name
    if b"%PDF-" in part:
        return "a PDF document"
    found = _MARKUP.search(part)
    if found is None:
        return ""
    return "a script" if found.group().lower() in {b"<script", b"<?php"} else "a page"


def _is_zip(data: Data) -> bool:
    """Hold iff an end record is where archives have it, and what it points at is there."""
    end = len(data)
    lowest = max(0, end - _MAX_COMMENT - _ZIP_END_BYTES)
    while (at := data.rfind(_ZIP_END, lowest, end)) >= 0:
        record = data[at : at + _ZIP_END_BYTES]
        if len(record) == _ZIP_END_BYTES:
            size = int.from_bytes(record[12:16], "little")
            entries = int.from_bytes(record[10:12], "little")
            directory = data[at - size : at - size + 4] if 0 < size <= at else b""
            if directory == _ZIP_ENTRY or (not entries and not size):
                return True
        end = at
    return False
