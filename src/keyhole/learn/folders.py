"""The fewest folders that hold what was touched, none wider than need be.

A folder is a prefix that ends with a slash; "" is the whole bucket. Where objects lie in several folders, each is kept
apart, unless their names look like data (numbers, dates, ids) or are many: then the next run touches others of the
kind, and the folder above is meant. What is granted today is never widened: below a granted prefix the search begins
there, and elsewhere at the top.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_MANY = 5
# 2024, 2024-05-31, 12_30; year=2024; a mail address; 8 and more hex digits, UUIDs; 16 and more letters with digits.
_DATA = re.compile(
    r"\d[\d._:T-]*Z?|.*[=@].*|(?=\D*\d)[0-9a-f]{8}[0-9a-f-]*|(?=\D*\d)[A-Za-z0-9_-]{16,}", re.IGNORECASE | re.ASCII
)
# What the spec takes as a part of a prefix: see spec.fields.
_NO_PREFIX = re.compile(r"[*?\x00-\x1f\x7f]|\$\{")


def cover_folders(folders: Iterable[str], granted: Iterable[str] = ()) -> tuple[str, ...]:
    """Give prefixes that begin every one of the folders, sorted; `granted` are the prefixes of today."""
    below: dict[str, set[str]] = {}
    known = sorted(granted, key=len, reverse=True)
    for folder in folders:
        top = next((prefix for prefix in known if folder.startswith(prefix)), "")
        below.setdefault(top, set()).add(folder)
    found = {prefix for top, group in below.items() for prefix in _narrow(top, group)}
    return tuple(sorted(prefix for prefix in found if not _is_covered(prefix, found)))


def _narrow(top: str, folders: set[str]) -> set[str]:
    parts: dict[str, set[str]] = {}
    for folder in folders:
        part, slash, _ = folder[len(top) :].partition("/")
        if not slash or not _can_be_prefix(part) or _DATA.fullmatch(part):
            return {top}
        parts.setdefault(part, set()).add(folder)
    if len(parts) > _MANY:
        return {top}
    return {prefix for part, group in parts.items() for prefix in _narrow(f"{top}{part}/", group)}


def _can_be_prefix(part: str) -> bool:
    return part not in ("", ".", "..") and not _NO_PREFIX.search(part)


def _is_covered(prefix: str, found: set[str]) -> bool:
    return any(prefix != other and prefix.startswith(other) for other in found)
