"""Metadata are taken out of an AVIF file without moving anything: also where boxes have their rarer shapes."""

from __future__ import annotations

import struct

import pytest

from keyhole.service.images.checked import Refused
from keyhole.service.images.formats.boxes import list_boxes, make_box, split_boxes
from keyhole.service.images.formats.items import list_extents, list_items
from keyhole.service.images.formats.layout import Data
from keyhole.service.images.sniff import scan

_PICTURE, _EXIF, _XMP, _ALPHA = 1, 2, 3, 4
_FTYP = make_box(b"ftyp", b"avif\x00\x00\x00\x00mif1avif")
_SECRET = b"secret!!"


def _full(kind: bytes, version: int, content: bytes, flags: int = 0) -> bytes:
    return make_box(kind, bytes([version]) + flags.to_bytes(3, "big") + content)


def _item(number: int, kind: bytes, more: bytes = b"") -> bytes:
    return _full(b"infe", 3, struct.pack(">IH", number, 0) + kind + b"\x00" + more)


def _place(number: int, method: int, *extents: tuple[int, int]) -> bytes:
    places = b"".join(struct.pack(">II", *extent) for extent in extents)
    return struct.pack(">IHHH", number, method, 0, len(extents)) + places


def _make(*, meta_more: bytes = b"", gap: bytes = b"\x00\x00", tail: bytes = b"") -> bytes:
    """Give an AVIF whose alpha and EXIF are in the description and whose picture and XMP are in the file."""
    items = _item(_PICTURE, b"av01") + _item(_EXIF, b"Exif") + _item(_XMP, b"mime", b"x/y\x00") + _item(_ALPHA, b"av01")

    def describe(start: int) -> bytes:
        places = (
            _place(_PICTURE, 0, (start, 4), (start + 6, 2)),
            _place(_EXIF, 1, (4, 8)),
            _place(_XMP, 0, (start + 8, 8)),
            _place(_ALPHA, 1, (0, 4)),
        )
        references = struct.pack(">IHI", _EXIF, 1, _PICTURE)
        shared = struct.pack(">IHII", _ALPHA, 2, _PICTURE, _XMP)
        size = _full(b"ispe", 0, struct.pack(">II", 8, 6))
        said = b"".join(struct.pack(">IBH", number, 1, 1) for number in (_PICTURE, _EXIF, _ALPHA))
        properties = make_box(b"ipco", size + make_box(b"av1C", b"\x81\x00\x0c\x00"))
        return _full(
            b"meta",
            0,
            _full(b"pitm", 0, b"\x00\x01")
            + _full(b"iloc", 2, b"\x44\x00" + struct.pack(">I", 4) + b"".join(places))
            + _full(b"iinf", 1, struct.pack(">I", 4) + items)
            + _full(b"iref", 1, make_box(b"cdsc", references) + make_box(b"auxl", shared))
            + make_box(b"iprp", properties + _full(b"ipma", 1, struct.pack(">I", 3) + said, flags=1))
            + make_box(b"idat", b"ALPH" + _SECRET)
            + meta_more,
        )

    start = len(_FTYP) + len(describe(0)) + 8
    return _FTYP + describe(start) + make_box(b"mdat", b"AV1!" + gap + b"mo" + _SECRET) + tail


def _write(data: bytes) -> bytes:
    pieces = scan(data, "image/avif").kept
    return b"".join(piece if isinstance(piece, bytes) else data[slice(*piece)] for piece in pieces)


def _read(data: Data) -> dict[bytes, bytes]:
    (meta,) = (box for box in list_boxes(data) if box.kind == b"meta")
    return dict(split_boxes(bytes(data[meta.content + 4 : meta.end])))


def test_metadata_go_from_every_place() -> None:
    """The items, their bytes, and what is said of them are gone; the pictures are where they were."""
    data = _make()
    kept = _write(data)
    assert len(kept) == len(data)
    assert _SECRET in data
    assert _SECRET not in kept
    boxes = _read(kept)
    assert list_items(boxes[b"iinf"]) == {_PICTURE: b"av01", _ALPHA: b"av01"}
    places = {(at.item, at.is_in_file, at.start, at.end) for at in list_extents(boxes[b"iloc"])}
    before = list_extents(_read(data)[b"iloc"])
    assert places == {(at.item, at.is_in_file, at.start, at.end) for at in before if at.item in {_PICTURE, _ALPHA}}
    assert boxes[b"idat"] == b"ALPH" + bytes(8)
    (shared,) = split_boxes(boxes[b"iref"][4:])
    assert shared == (b"auxl", struct.pack(">IHI", _ALPHA, 1, _PICTURE))
    said = dict(split_boxes(boxes[b"iprp"]))[b"ipma"]
    assert said[4:] == struct.pack(">I", 2) + b"".join(struct.pack(">IBH", at, 1, 1) for at in (_PICTURE, _ALPHA))
    assert kept[-20:] == b"\x00\x00\x00\x18mdat"[4:] + b"AV1!\x00\x00mo" + bytes(8)
    assert _write(kept) == kept


def test_what_no_item_names_goes_too() -> None:
    """Bytes between pictures, boxes of a maker's own and free space are zeros afterwards."""
    own = make_box(b"uuid", bytes(16) + _SECRET)
    data = _make(meta_more=own, gap=b"ab", tail=own + make_box(b"free", _SECRET) + make_box(b"jumb", _SECRET))
    kept = _write(data)
    assert len(kept) == len(data)
    assert _SECRET not in kept
    assert b"AV1!\x00\x00mo" in kept
    assert [box.kind for box in list_boxes(kept)] == [b"ftyp", b"meta", b"mdat", b"free", b"free", b"free"]


def test_what_is_not_listed_is_no_picture() -> None:
    """Bytes of an item that has a place but no kind are zeros afterwards; two items of one number are refused."""
    data = _make()
    listed = _item(_XMP, b"mime", b"x/y\x00")
    assert listed in data
    unlisted = data.replace(listed, _item(9, b"mime", b"x/y\x00"))
    kept = _write(unlisted)
    assert _SECRET not in kept
    assert {at.item for at in list_extents(_read(kept)[b"iloc"])} == {_PICTURE, _ALPHA}
    with pytest.raises(Refused, match="two items"):
        scan(data.replace(listed, _item(_PICTURE, b"mime", b"x/y\x00")), "image/avif")


def test_long_boxes_are_read() -> None:
    """A length of 64 bits, and one that means "to the end", are lengths."""
    data = _make()
    at = data.index(b"mdat") - 4
    to_the_end = data[:at] + b"\x00\x00\x00\x00" + data[at + 4 :]
    assert _SECRET not in _write(to_the_end)
    wide = data + struct.pack(">I4sQ", 1, b"free", 24) + _SECRET
    assert _SECRET not in _write(wide)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"meta", b"atem", "no description"),
        (b"iloc", b"clio", "description is damaged"),
        (b"idat", b"pitm", "says things twice"),
        (b"ispe", b"epsi", "how large it is"),
        (b"infe\x03", b"infe\x01", "no known kind"),
        (b"\x00\x04\x00\x01\x00\x00\x00\x01", b"\x00\x04\x00\x02\x00\x00\x00\x01", "not in the file"),
    ],
)
def test_damaged_descriptions_are_refused(old: bytes, new: bytes, reason: str) -> None:
    """What does not say where the picture is, or how large, is refused."""
    data = _make()
    assert old in data
    with pytest.raises(Refused, match=reason):
        scan(data.replace(old, new), "image/avif")
