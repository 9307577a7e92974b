"""Thumbnails are made side by side: all of them, in every order, and no failure of one is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
import pyvips

from keyhole.service.images.beside import start_thread
from keyhole.service.images.thumbnails import write_thumbnails


def _image(width: int = 400, height: int = 300) -> pyvips.Image:
    return pyvips.Image.black(width, height, bands=3).copy(interpretation="srgb")


@pytest.mark.parametrize("sides", [(300,), (300, 200, 100), (100, 300, 200), (500, 400), (200, 200)])
def test_all_sizes_are_written_in_whatever_order(tmp_path: Path, sides: tuple[int, ...]) -> None:
    """Each has its side as the longer one, and none is larger than the image."""
    start_thread()
    wanted = [(side, tmp_path / f"{at}-{side}.webp") for at, side in enumerate(sides)]
    write_thumbnails(_image(), wanted)
    for side, path in wanted:
        found = pyvips.Image.new_from_file(str(path))
        assert (found.width, found.height) == (min(side, 400), min(side, 400) * 3 // 4)


@pytest.mark.parametrize("lost", [300, 100])
def test_a_failure_of_any_size_is_told(tmp_path: Path, lost: int) -> None:
    """Whether the largest or a smaller one cannot be written, the caller hears of it, and the next image is made."""
    wanted = [(side, tmp_path / ("nowhere" if side == lost else "") / f"{side}.webp") for side in (300, 100)]
    with pytest.raises(FileNotFoundError):
        write_thumbnails(_image(), wanted)
    write_thumbnails(_image(), [(300, tmp_path / "a"), (100, tmp_path / "b")])
    assert (tmp_path / "a").exists()
    assert (tmp_path / "b").exists()


def test_nothing_goes_on_after_the_largest_failed(tmp_path: Path) -> None:
    """The smaller ones are finished before the failure is told: what follows has the folder to itself."""
    wanted = [(300, tmp_path / "nowhere" / "a"), *((side, tmp_path / str(side)) for side in range(100, 200, 10))]
    with pytest.raises(FileNotFoundError):
        write_thumbnails(_image(), wanted)
    assert len(list(tmp_path.iterdir())) == 10
