"""Files that are not taken, each with the kind of refusal and words of the reason."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from good_images import make_good, with_chunk, with_comment
from service_images import make_avif, make_gif, make_jpeg, make_png, make_webp, png_chunk


@dataclass(frozen=True, slots=True)
class Hostile:
    """A file, and how it is refused."""

    make: Callable[[], bytes]
    kind: str
    reason: str


def make_zip() -> bytes:
    """Give an archive with a page in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.html", "<script>alert(1)</script>")
    return buffer.getvalue()


def _header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def _png(width: int, height: int, pixels: bytes) -> bytes:
    return _header(width, height) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")


def _huge_png() -> bytes:
    """Give a bomb as people make them: a gigabyte of zeros in a megabyte, less the gigabyte."""
    return _png(30_000, 30_000, zlib.compress(bytes(10_000_000), 9))


def _huge_gif(frames: int, side: int, painted: int = 1) -> bytes:
    """Give a GIF of so many pixels a side, of which each frame paints a corner."""
    screen = b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    image = b"," + struct.pack("<HHHHB", 0, 0, painted, painted, 0) + b"\x02\x02\x44\x01\x00"
    return screen + image * frames + b";"


def _patch(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


def _huge_webp() -> bytes:
    """Give a WebP that says it is 16,383 × 16,383 pixels."""
    return _patch(make_webp(32, 20), struct.pack("<HH", 32, 20), struct.pack("<HH", 16383, 16383))


def _huge_avif() -> bytes:
    size = struct.pack(">II", 64, 48)
    return _patch(
        make_avif(64, 48), b"ispe\x00\x00\x00\x00" + size, b"ispe\x00\x00\x00\x00" + struct.pack(">II", 65535, 65535)
    )


def _lying_avif() -> bytes:
    """Give an AVIF whose container says that it is small, and whose picture is not."""
    large = make_avif(2000, 1500)
    return _patch(
        large,
        b"ispe\x00\x00\x00\x00" + struct.pack(">II", 2000, 1500),
        b"ispe\x00\x00\x00\x00" + struct.pack(">II", 20, 15),
    )


def _huge_jpeg(width: int, height: int) -> bytes:
    return _patch(make_jpeg(64, 48), struct.pack(">BHH", 8, 48, 64), struct.pack(">BHH", 8, height, width))


def _text_bomb(kind: bytes, start: bytes) -> bytes:
    return with_chunk(make_png(), kind, start + zlib.compress(bytes(64 * 1024 * 1024), 9))


def _with_short_scan() -> bytes:
    """Give a JPEG that lacks half of its image data, but not its end."""
    jpeg = make_jpeg(64, 48)
    start = jpeg.index(b"\xff\xda")
    return jpeg[: (start + len(jpeg)) // 2] + b"\xff\xd9"


def _with_short_data() -> bytes:
    """Give a PNG whose last line is missing, in a chunk with the right checksum."""
    lines = zlib.decompress(make_png(30, 20)[41:-16])
    return _png(30, 20, zlib.compress(lines[: 19 * 91]))


def _with_bad_checksum() -> bytes:
    png = bytearray(make_png(30, 20))
    png[-14] ^= 0xFF
    return bytes(png)


def _svg(inside: str) -> bytes:
    return f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>'.encode()


def _twice(jpeg: bytes, marker: bytes) -> bytes:
    at = jpeg.index(marker)
    segment = jpeg[at : at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")]
    return jpeg[:at] + segment + jpeg[at:]


def _without_last_frame() -> bytes:
    webp = make_good("webp, animated")
    return webp[: webp.rindex(b"ANMF")]


_PHAR = b"<?php echo 1; __HALT_COMPILER(); ?>\r\n"
_NO_IMAGE, _TYPE, _DAMAGED, _PIXELS, _HIDDEN = (
    "not-an-image",
    "wrong-type",
    "damaged",
    "too-many-pixels",
    "hidden-content",
)

HOSTILE: dict[str, Hostile] = {
    "nothing": Hostile(lambda: b"", "empty", "0 bytes"),
    "text": Hostile(lambda: b"hello", _NO_IMAGE, "not an image"),
    "zeros": Hostile(lambda: bytes(4096), _NO_IMAGE, "not an image"),
    "a page": Hostile(lambda: b"<!DOCTYPE html><script>alert(1)</script>", _TYPE, "text/html"),
    "svg": Hostile(lambda: _svg("<circle r='9'/>"), _TYPE, "image/svg+xml"),
    "svg with a script": Hostile(lambda: _svg("<script>alert(1)</script>"), _TYPE, "image/svg+xml"),
    "svg with an event": Hostile(lambda: b"<svg onload=alert(1)>", _TYPE, "image/svg+xml"),
    "pdf": Hostile(lambda: b"%PDF-1.7\n%%EOF", _TYPE, "application/pdf"),
    "zip": Hostile(make_zip, _TYPE, "application/zip"),
    "program": Hostile(lambda: b"\x7fELF\x02\x01\x01" + bytes(64), _TYPE, "application/x-executable"),
    "bmp": Hostile(lambda: b"BM" + bytes(64), _TYPE, "image/bmp"),
    "heic": Hostile(
        lambda: _patch(make_avif()[:32], b"ftypavif", b"ftypheic").replace(b"avif", b"heic"), _TYPE, "image/heic"
    ),
    "video": Hostile(lambda: b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00", _TYPE, "video/mp4"),
    # cut off
    "half a png": Hostile(lambda: make_png(30, 20)[:80], _DAMAGED, "ends in the middle"),
    "half a jpeg": Hostile(lambda: make_jpeg()[:-20], _DAMAGED, "ends in the middle of its image data"),
    "half a gif": Hostile(lambda: make_gif()[:-3], _DAMAGED, "ends in the middle"),
    "half a webp": Hostile(lambda: make_webp()[:-8], _DAMAGED, "ends in the middle"),
    "half an avif": Hostile(lambda: make_avif()[:-20], _DAMAGED, "ends in the middle of its image data"),
    "half a scan": Hostile(_with_short_scan, _DAMAGED, "cut off"),
    "no last line": Hostile(_with_short_data, _DAMAGED, "cut off"),
    "a wrong checksum": Hostile(_with_bad_checksum, _DAMAGED, "damaged"),
    # too large
    "huge png": Hostile(_huge_png, _PIXELS, "30,000 × 30,000"),
    "huge jpeg": Hostile(lambda: _huge_jpeg(65500, 65500), _PIXELS, "65,500 × 65,500"),
    "huge gif": Hostile(lambda: _huge_gif(1, 65535), _PIXELS, "65,535 × 65,535"),
    "gif of many frames": Hostile(lambda: _huge_gif(5000, 200), _PIXELS, "5000 frames"),
    "huge webp": Hostile(_huge_webp, _PIXELS, "16,383 × 16,383"),
    "huge avif": Hostile(_huge_avif, _PIXELS, "65,535 × 65,535"),
    "larger than it says, jpeg": Hostile(lambda: _huge_jpeg(4000, 4000), _DAMAGED, "cut off"),
    "larger than it says, png": Hostile(lambda: _png(4000, 4000, zlib.compress(bytes(99))), _DAMAGED, "cut off"),
    "larger than it says, gif": Hostile(lambda: _huge_gif(1, 4000, 4000), _DAMAGED, "fewer image data"),
    "larger than it says, avif": Hostile(_lying_avif, _DAMAGED, "damaged"),
    "a line": Hostile(lambda: make_png(10_000, 1), "unreasonable-shape", "10,000 × 1 pixels"),
    "a column": Hostile(lambda: make_png(1, 10_000), "unreasonable-shape", "1 × 10,000 pixels"),
    # bombs in what is not decoded
    "a profile that explodes": Hostile(lambda: _text_bomb(b"iCCP", b"name\x00\x00"), _HIDDEN, "iCCP"),
    "a text that explodes": Hostile(lambda: _text_bomb(b"zTXt", b"Comment\x00\x00"), _HIDDEN, "zTXt"),
    "a long text that explodes": Hostile(
        lambda: _text_bomb(b"iTXt", b"Comment\x00\x01\x00en\x00\x00"), _HIDDEN, "iTXt"
    ),
    # two things at once
    "zip behind a jpeg": Hostile(lambda: make_jpeg() + make_zip(), _HIDDEN, "zip"),
    "zip in a jpeg": Hostile(lambda: with_comment(make_jpeg(), make_zip()), _HIDDEN, "zip"),
    "zip in a png": Hostile(lambda: with_chunk(make_png(), b"ziPp", make_zip()), _HIDDEN, "zip"),
    "half a zip behind a gif": Hostile(lambda: make_gif() + make_zip()[:60], _HIDDEN, "zip"),
    "page behind a png": Hostile(lambda: make_png() + b"\n<HTML><body>hi", _HIDDEN, "page"),
    "page behind an avif": Hostile(lambda: make_avif() + b"\n<html><body>hi</body></html>", _HIDDEN, "page"),
    "script in a comment": Hostile(lambda: with_comment(make_jpeg(), b"<ScRiPt>alert(1)</script>"), _HIDDEN, "script"),
    "script in a text": Hostile(
        lambda: with_chunk(make_png(), b"tEXt", b"Comment\x00<script>alert(1)</script>"), _HIDDEN, "script"
    ),
    "svg behind a webp": Hostile(lambda: make_webp() + b"<svg onload=alert(1)>", _HIDDEN, "page"),
    "pdf in a comment": Hostile(lambda: with_comment(make_jpeg(), b"%PDF-1.4\n1 0 obj"), _HIDDEN, "PDF"),
    "pdf behind a jpeg": Hostile(lambda: make_jpeg(640, 480) + b"%PDF-1.4\n1 0 obj", _HIDDEN, "PDF"),
    "phar behind a jpeg": Hostile(lambda: make_jpeg() + _PHAR, _HIDDEN, "script"),
    "phar in a comment": Hostile(lambda: with_comment(make_jpeg(), b"__HALT_COMPILER(); ?>"), _HIDDEN, "PHP archive"),
    "program behind a gif": Hostile(lambda: make_gif() + b"\x7fELF\x02\x01\x01" + bytes(64), _HIDDEN, "program"),
    "rar behind a png": Hostile(lambda: make_png() + b"Rar!\x1a\x07\x01\x00", _HIDDEN, "rar"),
    "script behind a png": Hostile(lambda: make_png() + b"#!/bin/sh\nexit", _HIDDEN, "script"),
    # headers that do not hold together
    "no pixels, png": Hostile(lambda: make_png(0, 2), _DAMAGED, "0 × 2 pixels"),
    "no pixels, jpeg": Hostile(lambda: _huge_jpeg(0, 10), _DAMAGED, "0 × 10 pixels"),
    "header with a wrong checksum": Hostile(
        lambda: make_png().replace(b"IHDR\x00\x00\x00\x03", b"IHDR\x00\x00\x00\x04"),
        _DAMAGED,
        "header chunk is damaged",
    ),
    "png without data": Hostile(lambda: _header(3, 2) + png_chunk(b"IEND", b""), _DAMAGED, "no image data"),
    "png with an unknown need": Hostile(lambda: with_chunk(make_png(), b"NEED", b""), _DAMAGED, "nobody knows"),
    "jpeg without a frame": Hostile(lambda: b"\xff\xd8\xff\xd9", _DAMAGED, "no image data"),
    "jpeg with two frames": Hostile(lambda: _twice(make_jpeg(), b"\xff\xc0"), _DAMAGED, "two frame headers"),
    "jpeg with an odd byte": Hostile(
        lambda: make_jpeg()[:20] + b"\x00" + make_jpeg()[20:], _DAMAGED, "something else where a segment should begin"
    ),
    "gif without an image": Hostile(lambda: make_gif()[:13] + b";", _DAMAGED, ""),
    "webp with a wrong mark": Hostile(
        lambda: make_webp().replace(b"\x9d\x01\x2a", b"\x9d\x01\x2b"), _DAMAGED, "frame header"
    ),
    "avif of another codec": Hostile(lambda: make_avif().replace(b"av1C", b"hvcC"), _DAMAGED, "not AV1"),
    "avif, animated": Hostile(lambda: make_avif() + b"\x00\x00\x00\x08moov", _DAMAGED, "animation"),
    "webp whose frames are not all": Hostile(_without_last_frame, _DAMAGED, ""),
}
