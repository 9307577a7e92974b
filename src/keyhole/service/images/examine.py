"""Looking at one file, in a worker: what it is, what else it is, how large, and only then its pixels."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO

from keyhole.service.images.beside import do_beside
from keyhole.service.images.checked import ImageRule, Refused
from keyhole.service.images.decode import Picture, decode
from keyhole.service.images.formats.exif import shown_size
from keyhole.service.images.formats.layout import Data, Layout, Piece
from keyhole.service.images.hidden import find_in_file, find_in_part
from keyhole.service.images.question import STORED, Answer, Question, thumbnail_name
from keyhole.service.images.sniff import name_other, scan, sniff

# 10,000 × 1 is a line that nobody looks at; 1 × 600, a gradient, is still an image.
_MAX_RATIO = 1000
_BLOCK_BYTES = 1024 * 1024
_WHOLE = "send the image alone, as it comes out of an image editor"

# Told what decoding may need, in pixels and in bytes of the file, right before it begins.
Limiter = Callable[[int, int], None]
# Told what the answer will be, if the pixels turn out as the header says.
Announcer = Callable[[Answer], None]


def examine(question: Question, limit: Limiter, announce: Announcer) -> Answer:
    """Give what the file is. Raises: Refused, MemoryError, OSError."""
    path, directory = Path(question.path), Path(question.directory)
    size_bytes = path.stat().st_size
    if not size_bytes:
        raise Refused("empty", "the file is empty: it has 0 bytes", hint="choose the file again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        content_type = _find_type(data, question.rule)
        layout = _read_layout(data, content_type, question.rule)
        stored = _store(data, layout, question.rule, directory)
        expected = _describe(question, layout, content_type, stored)
        # AVIF's pictures may be put together, cut and turned by the decoder
        if content_type != "image/avif":
            announce(expected)
        limit(layout.pixels, size_bytes)
        hidden = do_beside(_find_hidden, data, layout, content_type)
        thumbnails = [(side, directory / thumbnail_name(side)) for side in question.rule.thumbnails]
        header = None if content_type == "image/avif" else (layout.width, layout.height)
        try:
            decoded = decode(Picture(stored or path, content_type, header, layout.frames), thumbnails)
        finally:
            # Waited for in any case: what else it is explains more than what is wrong with it as an image.
            hidden.result()
    width, height = shown_size(*decoded, layout.orientation)
    return replace(expected, width=width, height=height)


def _describe(question: Question, layout: Layout, content_type: str, stored: Path | None) -> Answer:
    """Give the answer as far as it can be known without decoding."""
    width, height = shown_size(layout.width, layout.height, layout.orientation)
    if stored is None and question.sha256:
        sha256, size_bytes = question.sha256, Path(question.path).stat().st_size
    else:
        sha256, size_bytes = _hash(stored or Path(question.path))
    return Answer(content_type, width, height, layout.frames, sha256, size_bytes, stored is not None)


def _find_type(data: Data, rule: ImageRule) -> str:
    content_type = sniff(data)
    taken = ", ".join(rule.content_types)
    if not content_type:
        other = name_other(data)
        if other:
            raise Refused("wrong-type", f"the file is {other}", hint=f"send one of {taken}", content_type=other)
        hint = f"send one of {taken}, whole and undamaged"
        raise Refused("not-an-image", "the file is not an image", hint=hint)
    if content_type not in rule.content_types:
        reason = f"the file is {content_type}, which is not taken here"
        raise Refused("wrong-type", reason, hint=f"send one of {taken}", content_type=content_type)
    return content_type


def _read_layout(data: Data, content_type: str, rule: ImageRule) -> Layout:
    """Give the layout of a file that is an image of bearable size. Raises: Refused."""
    try:
        layout = scan(data, content_type)
        _check_size(layout, content_type, rule)
    except Refused:
        _find_other(data, content_type)  # what else it is explains more than what is wrong with it as an image
        raise
    return layout


def _find_other(data: Data, content_type: str) -> None:
    """Return if the file is nothing else to readers that do not begin at its first byte. Raises: Refused."""
    if other := find_in_file(data):
        raise Refused("hidden-content", f"the file is an image and also {other}", _WHOLE, content_type=content_type)


def _find_hidden(data: Data, layout: Layout, content_type: str) -> None:
    """Return if the file is the image and nothing else. Raises: Refused."""
    _find_other(data, content_type)
    if other := find_in_part(data[layout.end :]):
        raise Refused(
            "hidden-content", f"there is {other} behind the end of the image", _WHOLE, content_type=content_type
        )
    for start, end in layout.metadata:
        if other := find_in_part(data[start:end]):
            raise Refused(
                "hidden-content", f"there is {other} in the image's metadata", _WHOLE, content_type=content_type
            )


def _check_size(layout: Layout, content_type: str, rule: ImageRule) -> None:
    frames = f" × {layout.frames} frames" if layout.frames > 1 else ""
    shown = f"{layout.width:,} × {layout.height:,} pixels{frames}"
    if layout.pixels > rule.max_pixels:
        reason = f"the image has {shown}, which is more than {rule.max_pixels:,}"
        raise Refused("too-many-pixels", reason, hint="make it smaller", content_type=content_type)
    if max(layout.width, layout.height) > _MAX_RATIO * min(layout.width, layout.height):
        reason = f"the image has {shown}: one side is more than {_MAX_RATIO:,} times the other"
        raise Refused("unreasonable-shape", reason, hint="send a picture, not a line", content_type=content_type)


def _store(data: Data, layout: Layout, rule: ImageRule, directory: Path) -> Path | None:
    """Write the file anew, byte for byte, without its tail and its metadata; None if there are none."""
    pieces: tuple[Piece, ...] = layout.kept if rule.strip_metadata else ((0, layout.end),)
    if pieces == ((0, len(data)),):
        return None
    stored = directory / STORED
    with stored.open("xb") as file:
        for piece in pieces:
            _copy(data, piece, file)
    return stored


def _copy(data: Data, piece: Piece, file: IO[bytes]) -> None:
    if isinstance(piece, bytes):
        file.write(piece)
        return
    for start in range(*piece, _BLOCK_BYTES):
        file.write(data[start : min(start + _BLOCK_BYTES, piece[1])])


def _hash(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
