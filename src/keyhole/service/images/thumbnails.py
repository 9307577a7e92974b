"""Small WebP images of a large one: upright, in sRGB, transparent where it is, and without metadata."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import wait
from pathlib import Path

import pyvips

from keyhole.service.images.beside import do_beside

_SRGB = "srgb"
_QUALITY = 80
# libwebp's fastest: a quarter of the default's time, for files of about the same size.
_EFFORT = 0
_PROFILE = "icc-profile-data"
# Without a profile these are sRGB already, or grey, whose numbers mean the same.
_PLAIN = frozenset({"srgb", "b-w", "rgb", "rgb16", "grey16"})


def write_thumbnails(image: pyvips.Image, thumbnails: Sequence[tuple[int, Path]]) -> None:
    """Write a WebP for each longest side; none is larger than the image. Raises: pyvips.Error, OSError.

    The image is read once, from top to bottom: the largest is made of it, and the others of that.
    """
    (side, path), *others = sorted(thumbnails, reverse=True)
    largest = _shrink(image, side, is_first=True)
    # The smaller ones are made while the largest is encoded, which takes longer than all of them.
    smaller = do_beside(_write_smaller, largest, others)
    try:
        _write(largest, path)
    finally:
        wait((smaller,))  # nothing of this image goes on when the next one comes
    smaller.result()


def _write_smaller(largest: pyvips.Image, thumbnails: Sequence[tuple[int, Path]]) -> None:
    made = [largest]
    for side, path in thumbnails:
        # What is twice as large or more is as good as the largest, and less work.
        source = next((small for small in reversed(made) if max(small.width, small.height) >= 2 * side), largest)
        made.append(_shrink(source, side, is_first=False).copy_memory())
        _write(made[-1], path)


def _write(small: pyvips.Image, path: Path) -> None:
    path.write_bytes(small.webpsave_buffer(Q=_QUALITY, effort=_EFFORT, keep="none"))


def _shrink(source: pyvips.Image, side: int, *, is_first: bool) -> pyvips.Image:
    needs_profile = is_first and (source.get_typeof(_PROFILE) or source.interpretation not in _PLAIN)
    profile = {"output_profile": _SRGB} if needs_profile else {}
    small = source.thumbnail_image(side, height=side, size="down", no_rotate=True, **profile)
    if not is_first:
        return small
    if not needs_profile:
        small = small.colourspace(_SRGB)
    # turned only when it is in memory: lines cannot be read from bottom to top of a file
    return small.copy_memory().autorot().copy_memory()
