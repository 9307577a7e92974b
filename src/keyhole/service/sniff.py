"""What a file is, from its bytes alone: never from its name, nor from what the client says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from keyhole.service.formats.avif import read_avif
from keyhole.service.formats.bytestream import MalformedError
from keyhole.service.formats.gif import read_gif
from keyhole.service.formats.jpeg import read_jpeg
from keyhole.service.formats.png import read_png
from keyhole.service.formats.webp import read_webp

_HEAD_BYTES = 512
_AVIF_BRANDS = (b"avif", b"avis")
# Things that people send by mistake, so that the answer can name them.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/vnd.microsoft.icon"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\xff\x0a", "image/jxl"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-msdownload"),
)
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


@dataclass(frozen=True, slots=True)
class Image:
    """An image whose header holds together; sizes are in pixels."""

    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class NoImage:
    """A file that is refused. `content_type` is what it seems to be, "" if unknown; `reason` says why it is refused."""

    content_type: str
    reason: str


def sniff(body: IO[bytes]) -> Image | NoImage:
    """Say which image the file is, or why it is none. Leaves the file rewound."""
    body.seek(0)
    head = body.read(_HEAD_BYTES)
    try:
        known = _find_format(head)
        if known is None:
            return _name_other(head)
        content_type, read = known
        try:
            width, height = read(body)
        except MalformedError as error:
            return NoImage("", f"the file begins like {content_type} but {error}")
        return Image(content_type, width, height)
    finally:
        body.seek(0)


def _find_format(head: bytes) -> tuple[str, Callable[[IO[bytes]], tuple[int, int]]] | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png", read_png
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", read_jpeg
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif", read_gif
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp", read_webp
    if head[4:8] == b"ftyp" and _has_brand(head, _AVIF_BRANDS):
        return "image/avif", read_avif
    return None


def _has_brand(head: bytes, brands: tuple[bytes, ...]) -> bool:
    """Hold iff the major brand, or a compatible one, is among `brands` (ISO/IEC 14496-12, FileTypeBox)."""
    box = head[: int.from_bytes(head[:4], "big")]
    return box[8:12] in brands or any(box[at : at + 4] in brands for at in range(16, len(box) - 3, 4))


def _name_other(head: bytes) -> NoImage:
    for magic, content_type in _OTHERS:
        if head.startswith(magic):
            return NoImage(content_type, f"the file is {content_type}")
    if head[4:8] == b"ftyp":
        content_type = "image/heic" if _has_brand(head, _HEIC_BRANDS) else "video/mp4"
        return NoImage(content_type, f"the file is {content_type}")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in text:
        return NoImage("image/svg+xml", "the file is image/svg+xml")
    if text.startswith((b"<!doctype html", b"<html", b"<script")):
        return NoImage("text/html", "the file is text/html")
    return NoImage("", "the file is not an image")
