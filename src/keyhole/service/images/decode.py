"""Decoding by libvips, to the last pixel, and thumbnails out of the same pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyvips

from keyhole.service.images.beside import start_thread
from keyhole.service.images.checked import Refused
from keyhole.service.images.thumbnails import write_thumbnails

# libjpeg's scaling leaves out what comes after the entropy decoding: each of them reads all of the data.
_JPEG_SHRINKS = (8, 4, 2)
# What the decoder has scaled is at least this many times the thumbnail's size: below that, thumbnails turn soft.
_SHARPNESS = 1.1
_LOADERS: dict[str, tuple[str, str]] = {
    "image/avif": ("VipsForeignLoadHeif", "heifload"),
    "image/gif": ("VipsForeignLoadNsgif", "gifload"),
    "image/jpeg": ("VipsForeignLoadJpeg", "jpegload"),
    "image/png": ("VipsForeignLoadPng", "pngload"),
    "image/webp": ("VipsForeignLoadWebp", "webpload"),
}
# Cameras leave bytes between segments; every viewer skips them, so they are no damage.
_HARMLESS = "extraneous bytes before marker"
_LINES_READ = re.compile(r"out of order read at line (\d+)")
_DAMAGE = "its image data are damaged or cut off"
_NO_MEMORY = ("out of memory", "unable to allocate", "memory area")


def set_up() -> None:
    """Allow libvips the five formats and nothing else, and no memory of what it has seen; start what works beside."""
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader, _ in _LOADERS.values():
        pyvips.operation_block_set(loader, False)
    pyvips.cache_set_max(0)
    start_thread()


@dataclass(frozen=True, slots=True)
class Picture:
    """A file to decode. `size` is what its header says, as stored; None where only the decoder knows."""

    path: Path
    content_type: str
    size: tuple[int, int] | None
    frames: int


def decode(picture: Picture, thumbnails: Sequence[tuple[int, Path]]) -> tuple[int, int]:
    """Decode all of it, write the thumbnails, and give width and height as stored. Raises: Refused, MemoryError."""
    is_jpeg = picture.content_type == "image/jpeg"
    pyvips.vips_lib.vips_error_clear()
    try:
        return _decode(picture, thumbnails, "warning" if is_jpeg else "error")
    except UnicodeDecodeError as error:  # libvips repeats what it has found in the file
        raise _say_damaged(picture, _DAMAGE) from error
    except pyvips.Error as error:
        if not is_jpeg or _HARMLESS not in str(error):
            raise _refuse(error, picture) from error
    try:
        return _decode(picture, thumbnails, "truncated")
    except pyvips.Error as error:
        raise _refuse(error, picture) from error


def _decode(picture: Picture, thumbnails: Sequence[tuple[int, Path]], fail_on: str) -> tuple[int, int]:
    pages = {"n": -1} if picture.content_type in {"image/gif", "image/webp"} else {}
    image = _load(picture, fail_on, **pages)
    size = image.width, image.height // picture.frames if pages else image.height
    if picture.size not in {None, size}:
        raise _say_damaged(picture, "is not as large as it says")
    if pages and image.height != size[1] * picture.frames:
        raise _say_damaged(picture, "has not as many frames as it says")
    if picture.content_type == "image/jpeg":
        image = _load(picture, fail_on, shrink=_find_shrink(size, max((side for side, _ in thumbnails), default=1)))
    if thumbnails and pages and picture.frames > 1:
        # an animation is shown by its first frame; all the others are decoded below
        write_thumbnails(_load(picture, fail_on), thumbnails)
    elif thumbnails:
        write_thumbnails(image, thumbnails)
        _read_last_line(image)
        return size
    image.avg()
    return size


def _load(picture: Picture, fail_on: str, **options: int) -> pyvips.Image:
    load: Callable[..., pyvips.Image] = getattr(pyvips.Image, _LOADERS[picture.content_type][1])
    return load(str(picture.path), access="sequential", fail_on=fail_on, **options)


def _find_shrink(size: tuple[int, int], thumbnail: int) -> int:
    """Give the decoder's scale: the image stays large enough for the thumbnail, and no side of it vanishes."""
    least = thumbnail * _SHARPNESS
    return next((by for by in _JPEG_SHRINKS if max(size) // by >= least and min(size) >= by), 1)


def _read_last_line(image: pyvips.Image) -> None:
    """Make sure that the last line was decoded: a thumbnail may have been finished without it. Raises: pyvips.Error."""
    try:
        image.crop(0, image.height - 1, image.width, 1).avg()
    except pyvips.Error as error:
        # a line cannot be read twice, and the decoder says how many it has read
        read = _LINES_READ.search(str(error))
        if read is None or int(read[1]) < image.height:
            raise


def _refuse(error: pyvips.Error, picture: Picture) -> Refused | MemoryError:
    text = str(error).lower()
    if any(sign in text for sign in _NO_MEMORY):
        return MemoryError(text)
    return _say_damaged(picture, _DAMAGE)


def _say_damaged(picture: Picture, what: str) -> Refused:
    reason = f"the file begins like {picture.content_type} but {what}"
    return Refused("damaged", reason, hint="send it whole and undamaged", content_type=picture.content_type)
