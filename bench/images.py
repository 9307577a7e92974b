"""A photo of 24 megapixels: looked at, stripped and made into three thumbnails, beside Pillow making the thumbnails.

Pillow is measured twice: as its own documentation writes it, the file opened anew for each size, and at its best,
with one scaled decode whose largest thumbnail gives the smaller ones.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pyvips
from timing import Rows, repeat

from keyhole.service.images.check import ImageChecker, ImageRule

SIZES = (1280, 640, 320)
_QUALITY = 80
_TIMES_PILLOW = 3
_NO_PILLOW = "Pillow is not installed (`pip install pillow`): libvips alone is the baseline"


def measure(samples: int) -> Rows:
    """Measure one photo through a warm worker, with thumbnails and without."""
    with tempfile.TemporaryDirectory(prefix="keyhole-bench-") as folder, ImageChecker(workers=1) as checker:
        path = Path(folder) / "photo.jpg"
        make_photo(path)
        with_thumbnails = ImageRule(("image/jpeg",), thumbnails=SIZES)
        without = ImageRule(("image/jpeg",))
        checker.check_now(path, with_thumbnails).discard()
        decode = pyvips.Image.jpegload
        alone, decoding = alternate(
            lambda: checker.check_now(path, without).discard(),
            lambda: decode(str(path), access="sequential").avg(),
            samples,
        )
        rows: Rows = [("24 MP JPEG: checked, no thumbnails", alone, "decoded by libvips, nothing else", decoding, None)]
        for name, baseline in find_baselines(path, Path(folder)):
            ours, theirs = alternate(lambda: checker.check_now(path, with_thumbnails).discard(), baseline, samples)
            target_s = statistics.median(theirs) / _TIMES_PILLOW if "Pillow" in name else None
            rows.append(("24 MP JPEG: checked, stripped, three thumbnails", ours, name, theirs, target_s))
        return rows


def alternate(
    ours: Callable[[], object], theirs: Callable[[], object], samples: int
) -> tuple[list[float], list[float]]:
    """Take turns, so that what else the machine does is in both."""
    pairs = [(repeat(ours, 1, 1)[0], repeat(theirs, 1, 1)[0]) for _ in range(samples)]
    return [first for first, _ in pairs], [second for _, second in pairs]


def make_photo(path: Path) -> None:
    """Write a JPEG with a camera's noise, 6000 × 4000, of some 6 MB."""
    noise = pyvips.Image.gaussnoise(6000, 4000, sigma=18, mean=0)
    clouds = pyvips.Image.perlin(6000, 4000, cell_size=512)
    leaves = pyvips.Image.perlin(6000, 4000, cell_size=24)
    red = (clouds + 1) * 80 + leaves * 30 + noise
    image = red.bandjoin([(clouds + 1) * 70 + leaves * 20 + noise, (1 - clouds) * 90 + noise])
    image = image.cast("uchar").copy(interpretation="srgb").gaussblur(0.7)
    image.jpegsave(str(path), Q=88)


def find_baselines(path: Path, folder: Path) -> list[tuple[str, Callable[[], None]]]:
    """Give what the thumbnails are compared with."""
    if find_spec("PIL") is None:
        print(_NO_PILLOW, file=sys.stderr)
        return [("libvips, the file anew for each size", lambda: shrink_by_libvips(path, folder))]
    return [
        ("Pillow, the file anew for each size", lambda: shrink_by_pillow(path, folder)),
        ("Pillow, one scaled decode", lambda: shrink_by_pillow_once(path, folder)),
    ]


def shrink_by_libvips(path: Path, folder: Path) -> None:
    """Make each thumbnail from the file."""
    for size in SIZES:
        small = pyvips.Image.thumbnail(str(path), size, height=size, size="down")
        small.webpsave(str(folder / f"{size}.webp"), Q=_QUALITY, keep="none")


def shrink_by_pillow(path: Path, folder: Path) -> None:
    """Make each thumbnail from the file, upright."""
    from PIL import Image, ImageOps

    for size in SIZES:
        with Image.open(path) as image:
            image.thumbnail((size, size))
            ImageOps.exif_transpose(image).save(folder / f"{size}.webp", quality=_QUALITY)


def shrink_by_pillow_once(path: Path, folder: Path) -> None:
    """Make the largest thumbnail from the file, and the smaller ones from that."""
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        image.thumbnail((SIZES[0], SIZES[0]))
        upright = ImageOps.exif_transpose(image)
        for size in SIZES:
            upright.thumbnail((size, size))
            upright.save(folder / f"{size}.webp", quality=_QUALITY)


if __name__ == "__main__":
    for what, ours, baseline, theirs, _ in measure(9):
        mine, other = statistics.median(ours), statistics.median(theirs)
        print(f"{what}: {mine * 1e3:.0f} ms; {baseline}: {other * 1e3:.0f} ms; {other / mine:.1f} times as fast")
