"""Small real images, made here: by hand where bytes matter, by libvips where pixels do."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import pyvips

PLACE = "37/1 33/1 0/1 (37, 33,  0.00, Rational, 3 components, 24 bytes)"
# Written into all metadata, so that one search through a file's bytes says whether they are gone.
SECRET = b"at-home-of-somebody"
_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>' + SECRET + b"</rdf:RDF></x:xmpmeta>"


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


def draw(width: int, height: int, *, with_metadata: bool = False) -> pyvips.Image:
    """Give a picture whose left half is red and right half blue, over a slope of green."""
    slope = (pyvips.Image.xyz(width, height)[1] * 200 / max(1, height - 1)).cast("uchar")
    left = (pyvips.Image.xyz(width, height)[0] < width / 2).cast("uchar")
    image = left.bandjoin([slope, 255 - left]).copy(interpretation="srgb")
    if not with_metadata:
        return image
    image = image.copy()
    text = SECRET.decode()
    image.set_type(pyvips.GValue.gstr_type, "exif-ifd3-GPSLatitude", PLACE)
    image.set_type(
        pyvips.GValue.gstr_type, "exif-ifd0-ImageDescription", f"{text} ({text}, ASCII, 20 components, 20 bytes)"
    )
    image.set_type(pyvips.GValue.blob_type, "xmp-data", _XMP)
    image.set_type(
        pyvips.GValue.blob_type, "iptc-data", b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x14" + SECRET
    )
    image.set_type(pyvips.GValue.gstr_type, "png-comment-0-Comment", text)
    return image


@cache
def make_jpeg(width: int = 64, height: int = 48) -> bytes:
    """Give a baseline JPEG."""
    return bytes(draw(width, height).jpegsave_buffer(Q=90, keep="none"))


@cache
def make_gif(width: int = 8, height: int = 6) -> bytes:
    """Give a GIF of one image."""
    return bytes(draw(width, height).gifsave_buffer(keep="none"))


@cache
def make_webp(width: int = 32, height: int = 20) -> bytes:
    """Give a lossy WebP."""
    return bytes(draw(width, height).webpsave_buffer(keep="none"))


@cache
def make_lossless_webp(width: int = 33, height: int = 17) -> bytes:
    """Give a lossless WebP."""
    return bytes(draw(width, height).webpsave_buffer(lossless=True, keep="none"))


@cache
def make_avif(width: int = 64, height: int = 48) -> bytes:
    """Give an AVIF."""
    return bytes(draw(width, height).heifsave_buffer(compression="av1", effort=0, keep="none"))
