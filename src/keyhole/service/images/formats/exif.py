"""EXIF, of which one thing is read and kept: which way up the image is shown.

JEITA CP-3451, "Exchangeable image file format for digital still cameras: Exif", 4.6.2 and 4.6.4.
"""

from __future__ import annotations

import struct

UPRIGHT = 1
_ORIENTATION = 0x0112
_SHORT = 3
_MAX_ENTRIES = 1000


def find_orientation(tiff: bytes) -> int:
    """Give the orientation of an EXIF block, 1 to 8; 1 where it does not say, or says what nobody understands."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return UPRIGHT
    (at,) = struct.unpack_from(f"{order}I", tiff, 4)
    if at + 2 > len(tiff):
        return UPRIGHT
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    for entry in range(at + 2, at + 2 + 12 * min(count, _MAX_ENTRIES), 12):
        if entry + 12 > len(tiff):
            break
        tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if tag == _ORIENTATION:
            return value if kind == _SHORT and values == 1 and 1 <= value <= 8 else UPRIGHT
    return UPRIGHT


def make_exif(orientation: int) -> bytes:
    """Give an EXIF block that says the orientation and nothing else."""
    header = b"MM\x00*" + struct.pack(">I", 8)
    return header + struct.pack(">HHHIHHI", 1, _ORIENTATION, _SHORT, 1, orientation, 0, 0)


def shown_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Give width and height as shown: orientations from 5 lie on their side."""
    return (height, width) if orientation >= 5 else (width, height)
