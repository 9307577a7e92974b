"""What a file is, from its first bytes alone: never from its name, nor from what the client says."""

from __future__ import annotations

from collections.abc import Callable

from keyhole.service.images.checked import Refused
from keyhole.service.images.formats.avif import scan_avif
from keyhole.service.images.formats.gif import scan_gif
from keyhole.service.images.formats.jpeg import scan_jpeg
from keyhole.service.images.formats.layout import Data, Layout, MalformedError
from keyhole.service.images.formats.png import scan_png
from keyhole.service.images.formats.webp import scan_webp

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
_SCANS: dict[str, Callable[[Data], Layout]] = {
    "image/avif": scan_avif,
    "image/gif": scan_gif,
    "image/jpeg": scan_jpeg,
    "image/png": scan_png,
    "image/webp": scan_webp,
}


def sniff(data: Data) -> str:
    """Give the content type of an image that the service knows; "" for anything else."""
    head = data[:_HEAD_BYTES]
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and _has_brand(head, _AVIF_BRANDS):
        return "image/avif"
    return ""


def name_other(data: Data) -> str:
    """Give the content type of something else, as far as it can be named; "" for the rest."""
    head = data[:_HEAD_BYTES]
    for magic, content_type in _OTHERS:
        if head.startswith(magic):
            return content_type
    if head[4:8] == b"ftyp":
        return "image/heic" if _has_brand(head, _HEIC_BRANDS) else "video/mp4"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in text:
        return "image/svg+xml"
    if text.startswith((b"<!doctype html", b"<html", b"<script")):
        return "text/html"
    return ""


def scan(data: Data, content_type: str) -> Layout:
    """Walk through a file of this type, from its first byte to the end of the image. Raises: Refused."""
    try:
        return _SCANS[content_type](data)
    except MalformedError as error:
        reason = f"the file begins like {content_type} but {error}"
        raise Refused("damaged", reason, hint="send it whole and undamaged", content_type=content_type) from error


def _has_brand(head: bytes, brands: tuple[bytes, ...]) -> bool:
    """Hold iff the major brand, or a compatible one, is among `brands` (ISO/IEC 14496-12, FileTypeBox)."""
    box = head[: int.from_bytes(head[:4], "big")]
    return box[8:12] in brands or any(box[at : at + 4] in brands for at in range(16, len(box) - 3, 4))
