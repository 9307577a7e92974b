"""Pages of keys: what a prefix, a delimiter, a marker and a limit make of a sorted list.

AWS: S3 User Guide, "Organizing objects using prefixes" and "Listing object keys programmatically"; S3 API Reference,
ListObjectsV2.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from keyhole.local.call import ApiCall, Fault

_MOST = 1000
_MAX_NUMBER = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a page: a key, or a common prefix that stands for several."""

    name: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries in order; `is_truncated` where there are more after the last."""

    entries: tuple[Entry, ...]
    is_truncated: bool

    @property
    def last(self) -> str:
        return self.entries[-1].name if self.entries else ""


def list_page(keys: Iterable[str], *, prefix: str, delimiter: str, after: str, most: int) -> Page:
    """Give the first `most` entries after `after` of sorted keys.

    A common prefix counts as one entry; `after` may be one, and then what it stands for is over.
    """
    entries: list[Entry] = []
    limit = after.encode()
    # Only a common prefix stands for what begins with it; a key that ends in the delimiter may be the prefix itself.
    is_prefix = after.startswith(prefix) and _entry(after, prefix, delimiter) == Entry(after, is_prefix=True)
    skipped = after if is_prefix else ""
    for key in keys:
        if not key.startswith(prefix) or key.encode() <= limit or (skipped and key.startswith(skipped)):
            continue
        entry = _entry(key, prefix, delimiter)
        if entries and entry.is_prefix and entries[-1] == entry:
            continue
        if len(entries) >= most:
            return Page(tuple(entries), is_truncated=most > 0)
        entries.append(entry)
    return Page(tuple(entries), is_truncated=False)


def read_limit(call: ApiCall, member: str, name: str, most: int = _MOST) -> int:
    """Give how many entries a page may have, at most 1,000. Raises: Fault (InvalidArgument)."""
    return min(read_number(call, member, name, most), most)


def read_number(call: ApiCall, member: str, name: str, default: int = 0) -> int:
    """Give a number of the query. Raises: Fault (InvalidArgument) where it is below 0 or beyond 32 bits."""
    value = call.params.get(member, default)
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number <= _MAX_NUMBER:
        message = f"Argument {name} must be an integer between 0 and {_MAX_NUMBER}"
        raise Fault("InvalidArgument", message, 400, extra=(("ArgumentName", name), ("ArgumentValue", str(value))))
    return number


def read_encoding(call: ApiCall) -> bool:
    """Hold iff keys are to be percent-encoded in the answer. Raises: Fault (InvalidArgument)."""
    given = call.params.get("EncodingType")
    if given not in (None, "url"):
        extra = (("ArgumentName", "encoding-type"), ("ArgumentValue", str(given)))
        raise Fault("InvalidArgument", "Invalid Encoding Method specified in Request", 400, extra=extra)
    return given == "url"


def encode(text: str, *, is_encoded: bool) -> str:
    """Give a key as the answer has it."""
    return quote(text, safe="/*") if is_encoded else text


def write_token(key: str) -> str:
    """Give the continuation token that goes on after a key."""
    return base64.urlsafe_b64encode(b"1" + key.encode()).decode()


def read_token(token: str) -> str:
    """Give the key that a continuation token goes on after. Raises: Fault (InvalidArgument)."""
    try:
        data = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        if data[:1] != b"1":
            raise ValueError
        return data[1:].decode()
    except (ValueError, binascii.Error) as error:
        extra = (("ArgumentName", "continuation-token"), ("ArgumentValue", token))
        raise Fault("InvalidArgument", "The continuation token provided is incorrect", 400, extra=extra) from error


def write_moment(moment: datetime) -> str:
    """Give a moment as listings have it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def _entry(key: str, prefix: str, delimiter: str) -> Entry:
    if not delimiter:
        return Entry(key)
    end = key.find(delimiter, len(prefix))
    return Entry(key) if end < 0 else Entry(key[: end + len(delimiter)], is_prefix=True)
