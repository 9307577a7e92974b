"""Images that people send, one of each kind: what they are, and how large as they are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyvips
from service_images import (
    SECRET,
    draw,
    make_avif,
    make_gif,
    make_jpeg,
    make_lossless_webp,
    make_png,
    make_webp,
    png_chunk,
)


@dataclass(frozen=True, slots=True)
class Good:
    """A file, and what is to be found out about it."""

    make: Callable[[], bytes]
    content_type: str
    width: int
    height: int
    frames: int = 1
    # whether something of it is nobody's business
    has_metadata: bool = False


def _turned(width: int, height: int, *, with_metadata: bool = True) -> pyvips.Image:
    """Give a picture that is stored lying on its side, and says so."""
    image = draw(width, height, with_metadata=with_metadata).copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    return image


def _animated(width: int, height: int, frames: int) -> pyvips.Image:
    """Give frames one above the other; each is darker than the one before."""
    pictures = [draw(width, height).linear(1 - at / (2 * frames), 0).cast("uchar") for at in range(frames)]
    image = pyvips.Image.arrayjoin(pictures, across=1).copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", height)
    image.set_type(pyvips.GValue.array_int_type, "delay", [100] * frames)
    image.set_type(pyvips.GValue.gint_type, "loop", 0)
    return image


def _with_alpha(width: int, height: int) -> pyvips.Image:
    """Give a picture whose upper half cannot be seen."""
    alpha = (pyvips.Image.xyz(width, height)[1] >= height / 2).ifthenelse(255, 0).cast("uchar")
    return draw(width, height).bandjoin(alpha)


def _deep(width: int, height: int) -> pyvips.Image:
    """Give a picture of 16 bits a channel."""
    return (draw(width, height).cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")


def with_comment(jpeg: bytes, text: bytes) -> bytes:
    """Put a comment behind the start of a JPEG."""
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[2:]


def with_thumbnail(jpeg: bytes) -> bytes:
    """Put a thumbnail of 2 × 2 pixels into a JFIF header of a JPEG."""
    header = b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x02\x02" + SECRET[:12]
    return jpeg[:2] + b"\xff\xe0" + (len(header) + 2).to_bytes(2, "big") + header + jpeg[2:]


def with_chunk(png: bytes, kind: bytes, content: bytes) -> bytes:
    """Put a chunk behind the header of a PNG."""
    return png[:33] + png_chunk(kind, content) + png[33:]


def _gif_block(label: bytes, *blocks: bytes) -> bytes:
    return b"!" + label + b"".join(bytes([len(block)]) + block for block in blocks) + b"\x00"


def with_gif_metadata(gif: bytes) -> bytes:
    """Put a comment and XMP before the trailer of a GIF."""
    return gif[:-1] + _gif_block(b"\xfe", SECRET) + _gif_block(b"\xff", b"XMP DataXMP", SECRET) + b";"


def _still_apng() -> bytes:
    """Give a PNG that says it is an animation, of the one frame that it has."""
    control = png_chunk(
        b"fcTL", b"\x00" * 7 + b"\x03" + b"\x00\x00\x00\x02" + b"\x00" * 8 + b"\x00\x01\x00\x0a\x00\x00"
    )
    png = with_chunk(make_png(3, 2), b"acTL", b"\x00\x00\x00\x01\x00\x00\x00\x00")
    at = png.index(b"IDAT") - 4
    return png[:at] + control + png[at:]


GOOD: dict[str, Good] = {
    "png": Good(lambda: make_png(30, 20), "image/png", 30, 20),
    "png of one pixel": Good(lambda: make_png(1, 1), "image/png", 1, 1),
    "png, a slim gradient": Good(lambda: make_png(1, 600), "image/png", 1, 600),
    "png, 16 bits": Good(
        lambda: _deep(40, 30).pngsave_buffer(bitdepth=16, keep="none"),
        "image/png",
        40,
        30,
    ),
    "png, palette": Good(lambda: draw(40, 30).pngsave_buffer(palette=True, keep="none"), "image/png", 40, 30),
    "png, interlaced": Good(lambda: draw(40, 30).pngsave_buffer(interlace=True, keep="none"), "image/png", 40, 30),
    "png, transparent": Good(lambda: _with_alpha(40, 30).pngsave_buffer(keep="none"), "image/png", 40, 30),
    "png, grey": Good(lambda: draw(40, 30)[1].pngsave_buffer(keep="none"), "image/png", 40, 30),
    "png, metadata": Good(
        lambda: draw(40, 30, with_metadata=True).pngsave_buffer(profile="p3"), "image/png", 40, 30, 1, True
    ),
    "png, turned": Good(lambda: _turned(40, 30).pngsave_buffer(), "image/png", 30, 40, 1, True),
    "png, a time": Good(
        lambda: with_chunk(make_png(9, 9), b"tIME", b"\x07\xea\x0b\x15\x06\x00\x00"), "image/png", 9, 9, 1, True
    ),
    "png, animated": Good(_still_apng, "image/png", 3, 2),
    "jpeg": Good(lambda: make_jpeg(64, 48), "image/jpeg", 64, 48),
    "jpeg, odd sides": Good(lambda: make_jpeg(333, 251), "image/jpeg", 333, 251),
    "jpeg, slim": Good(lambda: make_jpeg(190, 1), "image/jpeg", 190, 1),
    "jpeg, odd bytes before its end": Good(lambda: make_jpeg()[:-2] + bytes(3) + b"\xff\xd9", "image/jpeg", 64, 48),
    "jpeg, a thumbnail in its header": Good(lambda: with_thumbnail(make_jpeg()), "image/jpeg", 64, 48, 1, True),
    "jpeg, progressive": Good(lambda: draw(64, 48).jpegsave_buffer(interlace=True, keep="none"), "image/jpeg", 64, 48),
    "jpeg, restarts": Good(lambda: draw(64, 48).jpegsave_buffer(restart_interval=1, keep="none"), "image/jpeg", 64, 48),
    "jpeg, grey": Good(lambda: draw(64, 48)[1].jpegsave_buffer(keep="none"), "image/jpeg", 64, 48),
    "jpeg, cmyk": Good(
        lambda: draw(64, 48).icc_transform("cmyk", input_profile="srgb").jpegsave_buffer(keep="icc"),
        "image/jpeg",
        64,
        48,
    ),
    "jpeg, metadata": Good(
        lambda: with_comment(draw(64, 48, with_metadata=True).jpegsave_buffer(profile="p3"), SECRET),
        "image/jpeg",
        64,
        48,
        1,
        True,
    ),
    "jpeg, turned": Good(lambda: _turned(64, 48).jpegsave_buffer(), "image/jpeg", 48, 64, 1, True),
    "jpeg, a phone's tail": Good(lambda: make_jpeg(64, 48) + b"\x00" * 24 + SECRET, "image/jpeg", 64, 48, 1, True),
    "gif": Good(lambda: make_gif(8, 6), "image/gif", 8, 6),
    "gif, animated": Good(lambda: _animated(16, 12, 5).gifsave_buffer(), "image/gif", 16, 12, 5),
    "gif, metadata": Good(
        lambda: with_gif_metadata(_animated(16, 12, 3).gifsave_buffer()), "image/gif", 16, 12, 3, True
    ),
    "webp": Good(lambda: make_webp(32, 20), "image/webp", 32, 20),
    "webp, lossless": Good(lambda: make_lossless_webp(33, 17), "image/webp", 33, 17),
    "webp, transparent": Good(lambda: _with_alpha(40, 30).webpsave_buffer(keep="none"), "image/webp", 40, 30),
    "webp, animated": Good(lambda: _animated(16, 12, 4).webpsave_buffer(keep="none"), "image/webp", 16, 12, 4),
    "webp, metadata": Good(
        lambda: draw(40, 30, with_metadata=True).webpsave_buffer(profile="p3"), "image/webp", 40, 30, 1, True
    ),
    "webp, turned": Good(lambda: _turned(40, 30).webpsave_buffer(), "image/webp", 30, 40, 1, True),
    "avif": Good(lambda: make_avif(64, 48), "image/avif", 64, 48),
    "avif, transparent": Good(
        lambda: _with_alpha(40, 30).heifsave_buffer(compression="av1", effort=0, keep="none"), "image/avif", 40, 30
    ),
    "avif, metadata": Good(
        lambda: draw(40, 30, with_metadata=True).heifsave_buffer(compression="av1", effort=0, profile="p3"),
        "image/avif",
        40,
        30,
        1,
        True,
    ),
}


def make_good(name: str) -> bytes:
    """Give the file."""
    return bytes(GOOD[name].make())
