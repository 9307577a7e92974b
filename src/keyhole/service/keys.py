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
_TYPES = {extension: content_type for content_type, extension in EXTENSIONS.items()}

# Crockford's base 32: its digits sort as their values do, and none is mistaken for another.
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_DIGITS = 9
_RANDOM_DIGITS = 16
_LAST_MS = 32**_TIME_DIGITS - 1  # in the year 3084

# AWS: Amazon S3 User Guide, "Naming Amazon S3 objects" (1,024 bytes) and "Working with object metadata" (2 KB in all).
_MAX_KEY_BYTES = 1024
_MAX_NAME_BYTES = 1024


def make_key(prefix: str, content_type: str, *, now_ms: int | None = None) -> str:
    """Give a new key under the prefix that sorts before every older one and cannot be guessed.

    S3 lists keys in the order of their bytes, so the time is counted down: the first page is the newest, whatever
    the bucket holds. 80 random bits follow.
    """
    moment = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    countdown = _encode(_LAST_MS - moment, _TIME_DIGITS)
    return (
        f"{prefix}{countdown}{_encode(secrets.randbits(5 * _RANDOM_DIGITS), _RANDOM_DIGITS)}{EXTENSIONS[content_type]}"
    )


def _encode(number: int, digits: int) -> str:
    return "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(digits)))


def guess_type(key: str) -> str | None:
    """Give the content type that the key's ending stands for; keys made here always have one."""
    return _TYPES.get("." + key.rpartition(".")[2])


def key_mistake(key: str, prefix: str) -> str:
    """Say why the key is not one of an object under the prefix; "" if it is."""
    if not key.startswith(prefix) or key == prefix:
        return f"the key is not under `{prefix}`"
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
