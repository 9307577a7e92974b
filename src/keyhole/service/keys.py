"""Object keys: made by the server, newest first in S3's own order; a user's file name is metadata only."""

from __future__ import annotations

import re
import secrets
import time
import unicodedata
from urllib.parse import quote, unquote

EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/avif": ".avif",
}
THUMBNAILS = "thumbnails/"
MARKERS = ".idempotency/"
"""Folders under an upload's prefix that are not images: of smaller ones, and of what has been asked for already."""
_TYPES = {extension: content_type for content_type, extension in EXTENSIONS.items()}

# Crockford's base 32: its digits sort as their values do, and none is mistaken for another.
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_DIGITS = 9
_RANDOM_DIGITS = 16
RANDOM_BITS = 5 * _RANDOM_DIGITS
_LAST_MS = 32**_TIME_DIGITS - 1  # in the year 3084

# AWS: Amazon S3 User Guide, "Naming Amazon S3 objects" (1,024 bytes) and "Working with object metadata" (2 KB in all).
_MAX_KEY_BYTES = 1024
_MAX_NAME_BYTES = 1024
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)*\Z")


def make_name(*, now_ms: int | None = None, random_bits: int | None = None) -> str:
    """Give a new name, without an ending, that sorts before every older one and cannot be guessed.

    S3 lists keys in the order of their bytes, so the time is counted down: the first page is the newest, whatever
    the bucket holds. 80 random bits follow.
    """
    moment = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    chance = secrets.randbits(RANDOM_BITS) if random_bits is None else random_bits
    return _encode(_LAST_MS - moment, _TIME_DIGITS) + _encode(chance, _RANDOM_DIGITS)


def is_name(name: str) -> bool:
    """Hold iff `make_name` could have made it."""
    return len(name) == _TIME_DIGITS + _RANDOM_DIGITS and set(name) <= set(_DIGITS)


def make_key(prefix: str, content_type: str, *, name: str = "") -> str:
    """Give the key of an image of this type under the prefix; a new one if it has no name yet."""
    return f"{prefix}{name or make_name()}{EXTENSIONS[content_type]}"


def thumbnail_key(key: str, size: int) -> str:
    """Give the key of an image's thumbnail: in a folder beside it, so that lists do not show it."""
    folder, slash, name = key.rpartition("/")
    return f"{folder}{slash}{THUMBNAILS}{size}/{name.rpartition('.')[0] or name}.webp"


def _encode(number: int, digits: int) -> str:
    return "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(digits)))


def guess_type(key: str) -> str | None:
    """Give the content type that the key's ending stands for; keys made here always have one."""
    return _TYPES.get("." + key.rpartition(".")[2])


def key_mistake(key: str, prefix: str) -> str:
    """Say why the key is not one of an object under the prefix; "" if it is."""
    if not key.startswith(prefix) or key == prefix:
        return f"the key is not under `{prefix}`"
    if "/." not in key and _PLAIN_KEY.match(key) and len(key) <= _MAX_KEY_BYTES:
        return ""
    if f"/{MARKERS}" in f"/{key}":
        return "the key is not one of an image"
    if any(part in {"", ".", ".."} for part in key.split("/")):
        return "the key has an empty, `.` or `..` part"
    if any(unicodedata.category(character) == "Cc" for character in key):
        return "the key has a control character in it"
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        return "the key is not valid UTF-8"
    if len(encoded) > _MAX_KEY_BYTES:
        return f"the key is longer than {_MAX_KEY_BYTES} bytes"
    return ""


def quote_key(key: str) -> str:
    """Give the key percent-encoded for a URL; slashes stay."""
    return quote(key, safe="/-._~")


def encode_name(name: str) -> str:
    """Give a user's file name as ASCII that is safe in a header: no path, no control character, percent-encoded.

    Unicode's format characters go too: a right-to-left override makes `gpj.exe` look like `exe.jpg`.
    """
    base = re.split(r"[/\\]", name)[-1]
    kept = "".join(c for c in unicodedata.normalize("NFC", base) if unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    encoded = ""
    for character in kept.strip():
        piece = quote(character, safe="-._~")
        if len(encoded) + len(piece) > _MAX_NAME_BYTES:
            break
        encoded += piece
    return encoded


def decode_name(encoded: str) -> str:
    """Give back what `encode_name` kept."""
    return unquote(encoded)
