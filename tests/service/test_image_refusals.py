"""Hostile files are refused with the reason, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from good_images import GOOD, make_good
from hostile_images import HOSTILE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyhole.service.images.check import ImageChecker, ImageRule, Refused

_ALL = ("image/avif", "image/gif", "image/jpeg", "image/png", "image/webp")
_RULE = ImageRule(_ALL, thumbnails=(16, 8))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def checker(scratch: Path) -> Iterator[ImageChecker]:
    with ImageChecker(workers=1, directory=scratch) as checker:
        yield checker


def _list_left(scratch: Path) -> list[Path]:
    return [path for path in scratch.glob("*/*") if path.name != "lock"]


@pytest.mark.parametrize("strip_metadata", [True, False])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(
    checker: ImageChecker, scratch: Path, tmp_path: Path, name: str, strip_metadata: bool
) -> None:
    """Kind and reason say what is wrong, the worker lives on, and no file of it is left."""
    hostile = HOSTILE[name]
    path = tmp_path / "sent"
    path.write_bytes(hostile.make())
    pids = checker.worker_pids
    with (
        pytest.raises(Refused) as caught,
        checker.check_now(path, ImageRule(_ALL, thumbnails=(16, 8), strip_metadata=strip_metadata)),
    ):
        pass
    assert caught.value.kind == hostile.kind, caught.value.reason
    assert hostile.reason in caught.value.reason
    assert _list_left(scratch) == []
    assert checker.worker_pids == pids


@pytest.mark.parametrize("name", ["png", "jpeg", "gif, animated", "webp, animated", "avif", "png, interlaced"])
def test_no_cut_passes(checker: ImageChecker, tmp_path: Path, name: str) -> None:
    """Wherever a file is cut off, it is refused."""
    whole = make_good(name)
    path = tmp_path / "sent"
    for cut in {*range(1, len(whole), max(1, len(whole) // 60)), *range(len(whole) - 20, len(whole))}:
        path.write_bytes(whole[:cut])
        with pytest.raises(Refused):
            checker.check_now(path, _RULE)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(GOOD)), data=st.data())
def test_no_damage_makes_it_fail(checker: ImageChecker, scratch: Path, name: str, data: st.DataObject) -> None:
    """Whatever bytes are changed, cut out or doubled, the answer is an image of the rule's size or a refusal."""
    damaged = bytearray(make_good(name))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        match data.draw(st.sampled_from(("change", "cut", "double"))):
            case "change":
                damaged[at] = data.draw(st.integers(0, 255))
            case "cut":
                del damaged[at : min(at + data.draw(st.integers(1, 40)), len(damaged) - 1)]
            case "double":
                damaged[at:at] = damaged[at : at + data.draw(st.integers(1, 40))]
    path = scratch / "sent"
    path.write_bytes(damaged)
    try:
        with checker.check_now(path, _RULE) as checked:
            assert 0 < checked.width * checked.height * checked.frames <= _RULE.max_pixels
    except Refused:
        pass
    finally:
        path.unlink()
    assert _list_left(scratch) == []
