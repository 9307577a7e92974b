"""The items of an AVIF file: pictures, and what is said about them. ISO/IEC 23008-12 and 14496-12, 8.11.

Some can be kept alone. What is then said of them is the same, and not longer than before.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from keyhole.service.images.formats.boxes import Reader, make_box, split_boxes
from keyhole.service.images.formats.layout import MalformedError

_IN_FILE, _IN_DESCRIPTION = 0, 1


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes of an item: in the file, or in the description's own data."""

    item: int
    is_in_file: bool
    start: int
    end: int


def list_items(iinf: bytes) -> dict[int, bytes]:
    """Give the kinds of the items by their numbers. Raises: MalformedError."""
    _, entries = _split_items(iinf)
    items = dict(_read_item(entry) for entry in entries)
    if len(items) != len(entries):
        raise MalformedError("has two items of one number")
    return items


def keep_items(iinf: bytes, only: AbstractSet[int]) -> bytes:
    """Give the list of these items only. Raises: MalformedError."""
    count_size, entries = _split_items(iinf)
    kept = [entry for entry in entries if _read_item(entry)[0] in only]
    count = len(kept).to_bytes(count_size, "big")
    return iinf[:4] + count + b"".join(make_box(b"infe", entry) for entry in kept)


def _split_items(iinf: bytes) -> tuple[int, list[bytes]]:
    count_size = 4 if iinf[:1] != b"\x00" else 2
    boxes = split_boxes(iinf[4 + count_size :])
    return count_size, [content for kind, content in boxes if kind == b"infe"]


def _read_item(entry: bytes) -> tuple[int, bytes]:
    if entry[:1] not in {b"\x02", b"\x03"}:
        raise MalformedError("has an item of no known kind")
    reader = Reader(entry, 4)
    number = reader.number(2 if entry[0] == 2 else 4)
    return number, entry[reader.at + 2 : reader.at + 6]


def list_extents(iloc: bytes) -> list[Extent]:
    """Give where the items are. Raises: MalformedError."""
    return [extent for entry in _read_places(iloc)[1] for extent in entry[2]]


def keep_places(iloc: bytes, only: AbstractSet[int]) -> bytes:
    """Give the list of places of these items only. Raises: MalformedError."""
    count_size, places = _read_places(iloc)
    kept = [raw for number, raw, _ in places if number in only]
    return iloc[:6] + len(kept).to_bytes(count_size, "big") + b"".join(kept)


def _read_places(iloc: bytes) -> tuple[int, list[tuple[int, bytes, list[Extent]]]]:
    """Give for each item its number, its bytes in the list, and its extents."""
    reader = Reader(iloc)
    version, _, sizes = reader.number(1), reader.number(3), reader.number(2)
    offset_size, length_size, base_size, index_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    wide = 4 if version == 2 else 2
    places = []
    for _ in range(reader.number(wide)):
        start = reader.at
        item = reader.number(wide)
        method = reader.number(2) & 15 if version else _IN_FILE
        if reader.number(2) or method not in {_IN_FILE, _IN_DESCRIPTION}:
            raise MalformedError("has data that are not in the file")
        base = reader.number(base_size)
        extents = []
        for _ in range(reader.number(2)):
            if version:
                reader.number(index_size)
            at = base + reader.number(offset_size)
            extents.append(Extent(item, method == _IN_FILE, at, at + reader.number(length_size)))
        places.append((item, iloc[start : reader.at], extents))
    return wide, places


def keep_references(iref: bytes, only: AbstractSet[int]) -> bytes:
    """Give the references among these items only. Raises: MalformedError."""
    wide = 2 if iref[:1] == b"\x00" else 4
    kept = []
    for kind, content in split_boxes(iref[4:]):
        reader = Reader(content)
        source = reader.number(wide)
        targets = [reader.number(wide) for _ in range(reader.number(2))]
        left = [target for target in targets if target in only]
        if source in only and left:
            numbers = b"".join(target.to_bytes(wide, "big") for target in left)
            kept.append(make_box(kind, source.to_bytes(wide, "big") + len(left).to_bytes(2, "big") + numbers))
    return iref[:4] + b"".join(kept)


def keep_properties(iprp: bytes, only: AbstractSet[int]) -> bytes:
    """Give the properties, said of these items only. Raises: MalformedError."""
    boxes = split_boxes(iprp)
    return b"".join(make_box(kind, _keep_said(data, only) if kind == b"ipma" else data) for kind, data in boxes)


def _keep_said(ipma: bytes, only: AbstractSet[int]) -> bytes:
    reader = Reader(ipma)
    wide = 4 if reader.number(1) else 2
    each = 2 if reader.number(3) & 1 else 1
    kept = []
    for _ in range(reader.number(4)):
        start = reader.at
        item = reader.number(wide)
        for _ in range(reader.number(1)):
            reader.number(each)
        if item in only:
            kept.append(ipma[start : reader.at])
    return ipma[:4] + len(kept).to_bytes(4, "big") + b"".join(kept)
