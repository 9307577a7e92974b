"""Good images pass with what they are; what is stored has the same pixels and none of the metadata."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import pyvips
from good_images import GOOD, make_good
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service_images import SECRET, draw, make_jpeg

from keyhole.service.images.check import Checked, ImageChecker, ImageRule, Refused

_ALL = ("image/avif", "image/gif", "image/jpeg", "image/png", "image/webp")
_RULE = ImageRule(_ALL)


@pytest.fixture(scope="module")
def checker() -> Iterator[ImageChecker]:
    with ImageChecker(workers=1) as checker:
        yield checker


def _load(data: bytes) -> pyvips.Image:
    is_animated = data[:3] == b"GIF" or data[8:12] == b"WEBP"
    return pyvips.Image.new_from_buffer(data, "", **({"n": -1} if is_animated else {}))


def _get(image: pyvips.Image, field: str, otherwise: object) -> object:
    return image.get(field) if image.get_typeof(field) else otherwise


def _check(checker: ImageChecker, folder: Path, data: bytes, rule: ImageRule = _RULE) -> Checked:
    path = folder / "sent"
    path.write_bytes(data)
    return checker.check_now(path, rule)


@pytest.mark.parametrize("name", GOOD)
def test_good_images_pass(checker: ImageChecker, tmp_path: Path, name: str) -> None:
    """Type, size as shown, frames and checksum are those of the file that is to be stored."""
    good = GOOD[name]
    with _check(checker, tmp_path, make_good(name)) as checked:
        found = (checked.content_type, checked.width, checked.height, checked.frames)
        assert found == (good.content_type, good.width, good.height, good.frames)
        stored = checked.path.read_bytes()
        assert checked.sha256 == hashlib.sha256(stored).hexdigest()
        assert checked.size_bytes == len(stored)
        assert (checked.path == tmp_path / "sent") == (not good.has_metadata)


@pytest.mark.parametrize("name", GOOD)
def test_pixels_stay_as_they_are(checker: ImageChecker, tmp_path: Path, name: str) -> None:
    """What is stored decodes to the same pixels, in the same colours, the same way up."""
    sent = make_good(name)
    with _check(checker, tmp_path, sent) as checked:
        before, after = _load(sent), _load(checked.path.read_bytes())
        assert (before.width, before.height, before.bands) == (after.width, after.height, after.bands)
        assert (before - after).abs().max() == 0
        for field, otherwise in (("icc-profile-data", b""), ("orientation", 1), ("delay", []), ("loop", 1)):
            assert _get(before, field, otherwise) == _get(after, field, otherwise), field


@pytest.mark.parametrize("name", [name for name, good in GOOD.items() if good.has_metadata])
def test_metadata_are_gone(checker: ImageChecker, tmp_path: Path, name: str) -> None:
    """No place, no name, no comment is left, in whichever of the formats they came."""
    sent = make_good(name)
    assert SECRET[:12] in sent or b"tIME" in sent
    with _check(checker, tmp_path, sent) as checked:
        stored = checked.path.read_bytes()
        assert SECRET[:12] not in stored
        assert b"xmpmeta" not in stored
        assert b"tIME" not in stored
        fields = _load(stored).get_fields()
        assert not [field for field in fields if "GPS" in field or field in {"xmp-data", "iptc-data"}]


@pytest.mark.parametrize("name", [name for name in GOOD if "tail" not in name])
def test_metadata_stay_where_they_are_wanted(checker: ImageChecker, tmp_path: Path, name: str) -> None:
    """Without `strip_metadata` the file is stored as it was sent."""
    with _check(checker, tmp_path, make_good(name), ImageRule(_ALL, strip_metadata=False)) as checked:
        assert checked.path == tmp_path / "sent"


def test_what_follows_the_end_goes_in_any_case(checker: ImageChecker, tmp_path: Path) -> None:
    """The stored file ends where the image ends, although its metadata are to stay."""
    sent = make_good("jpeg, a phone's tail")
    with _check(checker, tmp_path, sent, ImageRule(_ALL, strip_metadata=False)) as checked:
        assert checked.path.read_bytes() == make_jpeg(64, 48)


@pytest.mark.parametrize("name", GOOD)
def test_thumbnails_are_small_upright_and_bare(checker: ImageChecker, tmp_path: Path, name: str) -> None:
    """Each is a WebP with the longest side that was asked for, or the image's own, upright, of one frame, and bare."""
    good = GOOD[name]
    with _check(checker, tmp_path, make_good(name), ImageRule(_ALL, thumbnails=(10, 5000))) as checked:
        for side, path in checked.thumbnails.items():
            thumbnail = pyvips.Image.webpload(str(path), n=-1)
            factor = min(1.0, side / max(good.width, good.height))
            assert thumbnail.width == max(1, round(good.width * factor))
            assert thumbnail.height == max(1, round(good.height * factor))
            assert SECRET not in path.read_bytes()
            assert not {"exif-data", "xmp-data", "icc-profile-data"} & set(thumbnail.get_fields())
            assert thumbnail.hasalpha() == ("transparent" in name)


def test_thumbnails_show_what_the_image_shows(checker: ImageChecker, tmp_path: Path) -> None:
    """An image that lies on its side is turned by the right way: what was left is then above."""
    with _check(checker, tmp_path, make_good("jpeg, turned"), ImageRule(_ALL, thumbnails=(32,))) as checked:
        thumbnail = pyvips.Image.webpload(str(checked.thumbnails[32]))
        assert thumbnail(12, 3)[0] > 200 > 60 > thumbnail(12, 3)[2]
        assert thumbnail(12, 28)[2] > 200 > 60 > thumbnail(12, 28)[0]


def test_colours_of_thumbnails_are_srgb(checker: ImageChecker, tmp_path: Path) -> None:
    """A wide profile, and inks, are converted: red stays about as red."""
    wide = draw(64, 48).icc_transform("p3", input_profile="srgb").jpegsave_buffer(keep="icc")
    for data in (wide, make_good("jpeg, cmyk"), make_good("png, 16 bits")):
        with _check(checker, tmp_path, bytes(data), ImageRule(_ALL, thumbnails=(32,))) as checked:
            red, _, blue = pyvips.Image.webpload(str(checked.thumbnails[32]))(3, 2)
            assert red > 180
            assert blue < 90


def test_only_listed_types_are_taken(checker: ImageChecker, tmp_path: Path) -> None:
    """A type that the rule does not have is refused by its name, and told what is taken."""
    with pytest.raises(Refused) as caught:
        _check(checker, tmp_path, make_jpeg(), ImageRule(("image/png",)))
    assert caught.value.kind == "wrong-type"
    assert caught.value.content_type == "image/jpeg"
    assert "image/png" in caught.value.hint


_SAVES: dict[str, dict[str, list[object]]] = {
    "jpegsave_buffer": {"interlace": [False, True], "subsample_mode": ["on", "off"]},
    "pngsave_buffer": {"interlace": [False, True], "palette": [False, True]},
    "webpsave_buffer": {"lossless": [False, True]},
    "gifsave_buffer": {"interlace": [False, True]},
    "heifsave_buffer": {"compression": ["av1"], "effort": [0], "subsample_mode": ["on", "off"]},
}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    save=st.sampled_from(sorted(_SAVES)),
    side=st.integers(1, 300),
    data=st.data(),
)
def test_every_size_passes(
    checker: ImageChecker, tmp_path: Path, width: int, height: int, save: str, side: int, data: st.DataObject
) -> None:
    """Whole images pass whatever their sides and those of the thumbnail: odd ones, single lines, either way up."""
    options = {name: data.draw(st.sampled_from(values)) for name, values in _SAVES[save].items()}
    sent = bytes(getattr(draw(width, height), save)(**options))
    with _check(checker, tmp_path, sent, ImageRule(_ALL, thumbnails=(side,))) as checked:
        assert (checked.width, checked.height) == (width, height)
        thumbnail = pyvips.Image.webpload(str(checked.thumbnails[side]))
        assert max(thumbnail.width, thumbnail.height) == min(side, max(width, height))
