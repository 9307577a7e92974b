"""What a client says that its file's checksum is, held against what arrived."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

from keyhole.service.problems import Problem

PLAIN = "x-checksum-sha256"
AMAZON = "x-amz-checksum-sha256"
_PREFIX = "x-amz-checksum-"
_SHA256_BYTES = 32


def read_checksum(headers: Mapping[str, str]) -> str:
    """Give the SHA-256, hexadecimal, that the client says; "" if it says none.

    Checksums of other kinds are not passed over in silence: they are refused. Raises: Problem (400).
    """
    others = [name for name in headers if name.startswith(_PREFIX) and name != AMAZON]
    if others:
        raise _unreadable(f"`{others[0][:60]}` is not checked here")
    said = {_decode(value) for name in (PLAIN, AMAZON) if (value := headers.get(name)) is not None}
    if len(said) > 1:
        raise _unreadable(f"`{PLAIN}` and `{AMAZON}` differ")
    return next(iter(said), "")


def check_checksum(said: str, sha256: str) -> None:
    """Return if the client said nothing, or what is true. Raises: Problem (422)."""
    if said and not hmac.compare_digest(said, sha256):
        raise Problem(
            422,
            "wrong-checksum",
            "the file that arrived is not the one that was sent: its SHA-256 is another",
            hint="send it again; if it happens again, look at what is between: a proxy, or the checksum itself",
            extra={"sha256": sha256},
        )


def _decode(value: str) -> str:
    """Give the digest that stands there in hexadecimal, or in base 64 as Amazon writes it."""
    try:
        digest = bytes.fromhex(value) if len(value) == 2 * _SHA256_BYTES else base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _SHA256_BYTES:
        raise _unreadable("the checksum is no SHA-256")
    return digest.hex()


def _unreadable(detail: str) -> Problem:
    hint = f"send `{PLAIN}` in hexadecimal, or `{AMAZON}` in base 64"
    return Problem(400, "bad-checksum", detail, hint=hint, headers={"Connection": "close"})
