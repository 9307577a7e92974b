"""AVIF. AOM, "AV1 Image File Format (AVIF)": https://aomediacodec.github.io/av1-avif/

Its boxes are those of ISO/IEC 14496-12, its image properties those of ISO/IEC 23008-12.
"""

from __future__ import annotations

from keyhole.service.images.formats.boxes import Box, list_boxes, make_box, split_boxes
from keyhole.service.images.formats.exif import UPRIGHT
from keyhole.service.images.formats.items import (
    keep_items,
    keep_places,
    keep_properties,
    keep_references,
    list_extents,
    list_items,
)
from keyhole.service.images.formats.layout import Data, Layout, MalformedError, Pieces, check_pixels

_MAX_DESCRIPTION = 4 * 1024 * 1024
# Pictures, and how pictures are put together; what else an item can be is said about them.
_PICTURES = frozenset({b"av01", b"grid", b"iovl", b"iden", b"tmap"})
_HEADER = 4  # version and flags of a FullBox


def scan_avif(data: Data) -> Layout:
    """Give the layout of an AVIF with one AV1 image whose data are all there. Raises: MalformedError.

    Its width and height are those of the largest picture in it. Metadata become zeros in the same place: nothing moves,
    so that no offset has to be written anew.
    """
    boxes = list_boxes(data)
    end = boxes[-1].end if boxes else 0
    if any(box.kind in {b"moov", b"moof"} for box in boxes):
        raise MalformedError("is an animation, of which only WebP, GIF and PNG are taken")
    descriptions = [box for box in boxes if box.kind == b"meta"]
    if len(descriptions) != 1 or descriptions[0].end - descriptions[0].content > _MAX_DESCRIPTION:
        raise MalformedError("has no description of an image, or more than one")
    description = _Description(bytes(data[descriptions[0].content : descriptions[0].end]))
    width, height = description.find_size()
    used = description.find_used(end)
    pieces, metadata = Pieces(), []
    for box in boxes:
        match box.kind:
            case b"ftyp":
                pieces.keep(box.start, box.end)
            case b"mdat":
                pieces.keep(box.start, box.content)
                metadata += _keep_used(data, pieces, box, used)
            case b"meta":
                pieces.keep(box.start, box.content)
                _keep_or_write(data, pieces, box.content, box.end, description.without_metadata())
            case _:
                metadata.append((box.content, box.end))
                pieces.keep(box.start, box.start + 4)
                _keep_or_write(data, pieces, box.start + 4, box.content, b"free" + data[box.start + 8 : box.content])
                _keep_or_write(data, pieces, box.content, box.end, bytes(box.end - box.content))
    return Layout(width, height, 1, end, UPRIGHT, tuple(metadata), tuple(pieces.kept))


def _keep_used(data: Data, pieces: Pieces, box: Box, used: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Keep what pictures are made of, and zeros for the rest, which is given."""
    at = box.content
    unused = []
    for start, end in [*used, (box.end, box.end)]:
        if start > at:
            gap = min(start, box.end)
            unused.append((at, gap))
            _keep_or_write(data, pieces, at, gap, bytes(gap - at))
            at = gap
        if min(end, box.end) > at:
            pieces.keep(at, min(end, box.end))
            at = min(end, box.end)
    return unused


def _keep_or_write(data: Data, pieces: Pieces, start: int, end: int, content: bytes) -> None:
    if data[start:end] == content:
        pieces.keep(start, end)
    else:
        pieces.add(content)


class _Description:
    """The content of the `meta` box, a FullBox."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.boxes = split_boxes(content[_HEADER:])
        self.by_kind: dict[bytes, bytes] = {}
        for kind, data in self.boxes:
            if kind in self.by_kind and kind != b"free":
                raise MalformedError("its description says things twice")
            self.by_kind[kind] = data
        items = list_items(self._find(b"iinf"))
        self.pictures = {number for number, kind in items.items() if kind in _PICTURES}
        self.extents = list_extents(self._find(b"iloc"))
        if b"av01" not in items.values():
            raise MalformedError("its image is not AV1")

    def _find(self, kind: bytes) -> bytes:
        if kind not in self.by_kind:
            raise MalformedError("its description is damaged")
        return self.by_kind[kind]

    def find_size(self) -> tuple[int, int]:
        """Give the largest picture's width and height."""
        properties = split_boxes(dict(split_boxes(self._find(b"iprp"))).get(b"ipco", b""))
        if b"av1C" not in dict(properties):
            raise MalformedError("its image is not AV1")
        sizes = [
            (int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big"))
            for kind, data in properties
            if kind == b"ispe" and len(data) == 12
        ]
        if not sizes:
            raise MalformedError("does not say how large it is")
        return check_pixels(*max(sizes, key=lambda size: size[0] * size[1]))

    def find_used(self, limit: int) -> list[tuple[int, int]]:
        """Give the parts of the file that pictures are made of, in order; all are before `limit`."""
        used = [(at.start, at.end) for at in self.extents if at.is_in_file and at.item in self.pictures]
        if any(end > limit or end == start for start, end in used):
            raise MalformedError("ends in the middle of its image data")
        if not used and not self.by_kind.get(b"idat"):
            raise MalformedError("has no image data")
        return sorted(used)

    def without_metadata(self) -> bytes:
        """Give a description of the same length that says nothing but how the picture is made."""
        boxes = b"".join(make_box(kind, self._rewrite(kind, data)) for kind, data in self.boxes)
        missing = len(self.content) - _HEADER - len(boxes)
        if 0 < missing < 8:
            raise MalformedError("its description is damaged")
        return self.content[:_HEADER] + boxes + (make_box(b"free", bytes(missing - 8)) if missing else b"")

    def _rewrite(self, kind: bytes, data: bytes) -> bytes:
        match kind:
            case b"iinf":
                return keep_items(data, self.pictures)
            case b"iloc":
                return keep_places(data, self.pictures)
            case b"iref":
                return keep_references(data, self.pictures)
            case b"iprp":
                return keep_properties(data, self.pictures)
            case b"idat":
                return self._blank(data)
            case b"free" | b"skip" | b"uuid" | b"udta":
                return bytes(len(data))
            case _:
                return data

    def _blank(self, idat: bytes) -> bytes:
        """Put zeros where no picture is."""
        kept = bytearray(len(idat))
        for at in self.extents:
            if not at.is_in_file and at.item in self.pictures:
                kept[at.start : at.end] = idat[at.start : at.end]
        return bytes(kept)
