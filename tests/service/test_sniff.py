"""The type of a file comes from its bytes, and a header that does not hold together is refused."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from service_images import (
    make_avif,
    make_extended_webp,
    make_gif,
    make_jpeg,
    make_lossless_webp,
    make_png,
    make_webp,
)

from keyhole.service.sniff import Image, NoImage, sniff

_GOOD = {
    "png": (make_png(3, 2), Image("image/png", 3, 2)),
    "jpeg": (make_jpeg(640, 480), Image("image/jpeg", 640, 480)),
    "gif": (make_gif(7, 5), Image("image/gif", 7, 5)),
    "webp": (make_webp(320, 200), Image("image/webp", 320, 200)),
    "lossless webp": (make_lossless_webp(33, 17), Image("image/webp", 33, 17)),
    "extended webp": (make_extended_webp(500, 400), Image("image/webp", 500, 400)),
    "avif": (make_avif(800, 600), Image("image/avif", 800, 600)),
}


@pytest.mark.parametrize("name", _GOOD)
def test_an_image_is_recognised_with_its_size(name: str) -> None:
    """Each format gives its content type, width and height, and the file is rewound."""
    data, expected = _GOOD[name]
    body = io.BytesIO(data)
    assert sniff(body) == expected
    assert body.tell() == 0


@pytest.mark.parametrize("name", _GOOD)
def test_a_truncated_header_is_refused(name: str) -> None:
    """No cut that falls before the image's data passes as an image."""
    data, _ = _GOOD[name]
    limit = {"png": data.find(b"IDAT") + 4, "gif": len(data) - 4, "jpeg": len(data) - 4}.get(name, len(data) - 1)
    for cut in range(limit):
        assert isinstance(sniff(io.BytesIO(data[:cut])), NoImage), cut


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (make_png().replace(b"IHDR\x00\x00\x00\x03", b"IHDR\x00\x00\x00\x04"), "header chunk is damaged"),
        (make_png(0, 2), "0 × 2 pixels"),
        (make_png()[:33] + b"\x00\x00\x00\x00IEND\xaeB`\x82", "no image data"),
        (make_jpeg(with_frame=False), "no frame header"),
        (make_jpeg(0, 10), "0 × 10 pixels"),
        (make_jpeg()[:2] + b"\x00" + make_jpeg()[2:], "not an image"),
        (make_jpeg()[:20] + b"\x00" + make_jpeg()[21:], "something else where a segment should begin"),
        (make_gif(0, 1), "0 × 1 pixels"),
        (make_gif()[:19] + b";", "no image in it"),
        (make_webp(0, 1), "0 × 1 pixels"),
        (make_webp().replace(b"\x9d\x01\x2a", b"\x9d\x01\x2b"), "frame header is damaged"),
        (make_extended_webp(with_image=False), "ends in the middle"),
        (make_avif(codec=b"hvcC"), "not AV1"),
        (make_avif(0, 9), "0 × 9 pixels"),
    ],
)
def test_a_damaged_header_is_refused(data: bytes, reason: str) -> None:
    """The reason names what is wrong with it."""
    answer = sniff(io.BytesIO(data))
    assert isinstance(answer, NoImage)
    assert reason in answer.reason


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\x03\x04rest", "application/zip"),
        (b"BM\x00\x00", "image/bmp"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        (b"<svg onload=alert(1)>", "image/svg+xml"),
        (b"<!DOCTYPE html><p>", "text/html"),
        (make_avif(brand=b"heic"), "image/heic"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00", "video/mp4"),
        (b"hello", ""),
        (b"", ""),
    ],
)
def test_other_files_are_named(data: bytes, content_type: str) -> None:
    """What is no image that the service knows is refused, and called what it is."""
    answer = sniff(io.BytesIO(data))
    assert isinstance(answer, NoImage)
    assert answer.content_type == content_type


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(_GOOD)), st.data())
def test_no_damage_makes_it_fail(name: str, data: st.DataObject) -> None:
    """Whatever bytes are changed, the answer is a size of at least one pixel, or a refusal; never an exception."""
    original = bytearray(_GOOD[name][0])
    for _ in range(data.draw(st.integers(1, 6))):
        original[data.draw(st.integers(0, len(original) - 1))] = data.draw(st.integers(0, 255))
    answer = sniff(io.BytesIO(bytes(original)))
    assert isinstance(answer, NoImage) or min(answer.width, answer.height) >= 1
