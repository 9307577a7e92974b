"""Small real images, made here byte by byte."""

from __future__ import annotations

import struct
import zlib


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Give one PNG chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def make_png(
    width: int = 3, height: int = 2, colour: tuple[int, int, int] = (31, 92, 77), *, noise: bytes = b""
) -> bytes:
    """Give a PNG of a diagonal gradient in one colour; `noise` is carried along in a chunk that viewers skip."""
    rows = b"".join(
        b"\x00" + b"".join(bytes(min(255, c + 90 * (x + y) // (width + height)) for c in colour) for x in range(width))
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    extra = png_chunk(b"noIs", noise) if noise else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + extra
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def make_gif(width: int = 1, height: int = 1) -> bytes:
    """Give a GIF of one colour table and one image."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    comment = b"!\xfe\x02hi\x00"
    image = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00"
    return screen + comment + image + b";"


def make_jpeg(width: int = 640, height: int = 480, *, with_frame: bool = True) -> bytes:
    """Give a JPEG's headers and the first bytes of its scan."""
    app = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    scan = b"\xff\xda" + struct.pack(">HB", 12, 3) + b"\x01\x00\x02\x11\x03\x11\x00\x3f\x00" + b"\x00\x55\xff\xd9"
    return b"\xff\xd8" + app + (frame if with_frame else b"") + scan


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _webp_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) & 1)


def make_webp(width: int = 320, height: int = 200) -> bytes:
    """Give the header of a lossy WebP."""
    return _riff(_webp_chunk(b"VP8 ", b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\x00" * 6))


def make_lossless_webp(width: int = 33, height: int = 17) -> bytes:
    """Give the header of a lossless WebP."""
    return _riff(_webp_chunk(b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | (height - 1) << 14) + b"\x00" * 4))


def make_extended_webp(width: int = 500, height: int = 400, *, with_image: bool = True) -> bytes:
    """Give the header of a WebP with a canvas, as animations and photos with metadata have it."""
    canvas = b"\x00\x00\x00\x00" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    image = make_webp(width, height)[12:] if with_image else b""
    return _riff(_webp_chunk(b"VP8X", canvas) + _webp_chunk(b"ICCP", b"odd") + image)


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


def make_avif(width: int = 800, height: int = 600, *, codec: bytes = b"av1C", brand: bytes = b"avif") -> bytes:
    """Give the boxes of an AVIF with one image."""
    size = _box(b"ispe", struct.pack(">III", 0, width, height))
    properties = _box(b"ipco", size + _box(codec, b"\x81\x00\x0c\x00"))
    meta = _box(b"meta", b"\x00" * 4 + _box(b"iprp", properties))
    return _box(b"ftyp", brand + b"\x00" * 4 + b"mif1" + brand) + meta + _box(b"mdat", b"\x12\x00\x0a\x04")
