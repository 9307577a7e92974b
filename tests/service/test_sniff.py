"""The type of a file comes from its bytes, and a walk through it ends with a layout or a refusal."""

from __future__ import annotations

import pytest
from good_images import GOOD, make_good
from hypothesis import given, settings
from hypothesis import strategies as st
from service_images import make_avif, make_png, png_chunk

from keyhole.service.images.checked import Refused
from keyhole.service.images.formats.exif import find_orientation, make_exif
from keyhole.service.images.hidden import find_in_file, find_in_part
from keyhole.service.images.sniff import name_other, scan, sniff


@pytest.mark.parametrize("name", GOOD)
def test_an_image_is_recognised_with_its_size(name: str) -> None:
    """Each format gives its content type, and its layout width, height and frames."""
    good, data = GOOD[name], make_good(name)
    assert sniff(data) == good.content_type
    layout = scan(data, good.content_type)
    assert {layout.width, layout.height} == {good.width, good.height}
    assert layout.frames == good.frames
    assert layout.pixels == good.width * good.height * good.frames


@pytest.mark.parametrize("name", GOOD)
def test_what_is_kept_is_a_fixed_point(name: str) -> None:
    """The file without metadata has none: walking through it again changes nothing."""
    data = make_good(name)
    kept = _write(data, name)
    assert _write(kept, name) == kept
    assert (kept != data) == GOOD[name].has_metadata


def _write(data: bytes, name: str) -> bytes:
    pieces = scan(data, GOOD[name].content_type).kept
    return b"".join(piece if isinstance(piece, bytes) else data[slice(*piece)] for piece in pieces)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\x03\x04rest", "application/zip"),
        (b"BM\x00\x00", "image/bmp"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        (b"<!-- made by hand --><svg/>", "image/svg+xml"),
        (b"<svg onload=alert(1)>", "image/svg+xml"),
        (b"<!DOCTYPE html><p>", "text/html"),
        (make_avif()[:40].replace(b"avif", b"heic"), "image/heic"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00", "video/mp4"),
        (b"hello", ""),
        (b"", ""),
    ],
)
def test_other_files_are_named(data: bytes, content_type: str) -> None:
    """What is no image that the service knows is called what it is."""
    assert sniff(data) == ""
    assert name_other(data) == content_type


@settings(max_examples=500)
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_no_damage_makes_it_fail(name: str, data: st.DataObject) -> None:
    """Whatever bytes are changed, a walk ends with a layout of at least one pixel, or with a refusal."""
    damaged = bytearray(make_good(name))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        layout = scan(bytes(damaged), GOOD[name].content_type)
    except Refused:
        return
    assert min(layout.width, layout.height, layout.frames) >= 1
    assert layout.end <= len(damaged)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_survives_alone(orientation: int) -> None:
    """What is written is read back, in either byte order."""
    exif = make_exif(orientation)
    assert find_orientation(exif) == orientation
    little = b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" + bytes([orientation, 0, 0, 0])
    assert find_orientation(little) == orientation


@given(st.binary(max_size=64))
def test_a_broken_orientation_is_upright(tail: bytes) -> None:
    """No EXIF block makes reading it fail, or gives an orientation that does not exist."""
    for head in (b"", b"II*\x00", b"MM\x00*", b"MM\x00*\x00\x00\x00\x08\x00\x02"):
        assert 1 <= find_orientation(head + tail) <= 8


def test_frames_of_an_animated_png_count() -> None:
    """Each frame counts, and so does an image before the animation; one beyond the canvas is refused."""
    png = make_png(3, 2)
    frame = png_chunk(b"fcTL", bytes(7) + b"\x03" + b"\x00\x00\x00\x02" + bytes(8) + b"\x00\x01\x00\x0a\x00\x00")
    animated = png[:-12] + frame * 3 + png[-12:]
    assert scan(animated, "image/png").frames == 4
    wide = frame.replace(b"\x00\x00\x00\x03", b"\x00\x00\x00\x04")
    with pytest.raises(Refused, match="larger than the image"):
        scan(png[:-12] + wide + png[-12:], "image/png")


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"just a comment, 100 % harmless; see PK or MZ",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF/></x:xmpmeta>",
        b"\x00\x00\x00\x18ftypmp42" + bytes(300),
    ],
)
def test_harmless_parts_are_let_alone(part: bytes) -> None:
    """Comments, XMP and the films that phones append are nothing that runs or opens elsewhere."""
    assert find_in_part(part) == ""


def test_an_end_record_without_a_directory_is_no_archive() -> None:
    """Four bytes that look like an archive's end are not enough: they happen in compressed pixels."""
    assert find_in_file(b"\xff\xd8\xff" + bytes(100) + b"PK\x05\x06" + b"\x01" * 40) == ""
