"""What a client says that its file's checksums are, held against what arrived.

AWS: Amazon S3 User Guide, "Checking object integrity for data uploads in Amazon S3".
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from anyio import to_thread

from keyhole.aws.checksums import ALGORITHMS, SIZES, compute
from keyhole.service.form import ReceivedFile
from keyhole.service.problems import Problem

PLAIN = "x-checksum-sha256"
AMAZON = "x-amz-checksum-sha256"
_PREFIX = "x-amz-checksum-"
_SHA256_BYTES = 32
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Said:
    """What a client says of its file: the SHA-256 in hexadecimal, and one of S3's other checksums in base 64.

    "" for none. `kind` is that other's name, as S3's header ends with it.
    """

    sha256: str = ""
    kind: str = ""
    value: str = ""


def read_checksums(headers: Mapping[str, str]) -> Said:
    """Give what the client says.

    What is not checked is not passed over in silence: it is refused. So are several of S3's headers, as by S3 itself.
    Raises: Problem (400).
    """
    said = {_decode_sha256(value) for name in (PLAIN, AMAZON) if (value := headers.get(name)) is not None}
    kinds = [name.removeprefix(_PREFIX) for name in headers if name.startswith(_PREFIX)]
    for kind in kinds:
        if kind not in ALGORITHMS:
            raise _unreadable(f"`{_PREFIX}{kind[:40]}` is not checked here")
    if len(kinds) > 1:
        raise _unreadable(f"there is more than one `{_PREFIX}…`")
    if len(said) > 1:
        raise _unreadable(f"`{PLAIN}` and `{AMAZON}` differ")
    sha256 = next(iter(said), "")
    if not kinds or kinds == ["sha256"]:
        return Said(sha256)
    (kind,) = kinds
    value = headers[_PREFIX + kind]
    if len(_decode_base64(value)) != SIZES[kind]:
        raise _unreadable(f"`{_PREFIX}{kind}` is not {SIZES[kind]} bytes in base 64")
    return Said(sha256, kind, value)


async def check_received(said: Said, received: ReceivedFile) -> None:
    """Return if all that the client said of the file is true, or it said nothing. Raises: Problem (422)."""
    check_sha256(said.sha256, received.sha256)
    if said.kind:
        await to_thread.run_sync(check_file, said, received.path)


def check_sha256(said: str, sha256: str) -> None:
    """Return if the client said nothing, or what is true. Raises: Problem (422)."""
    if said and not hmac.compare_digest(said, sha256):
        raise _wrong("SHA-256", {"sha256": sha256})


def check_file(said: Said, path: Path) -> None:
    """Return if the file has the other checksum that the client said: it is read anew. Raises: Problem (422)."""
    with path.open("rb") as file:
        found = compute(said.kind, iter(partial(file.read, _PIECE_BYTES), b""))
    if _decode_base64(said.value) != base64.b64decode(found):
        raise _wrong(said.kind.upper(), {said.kind: found})


def encode_sha256(sha256: str) -> str:
    """Give a hexadecimal digest as Amazon's header has it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _decode_sha256(value: str) -> str:
    """Give the digest that stands there in hexadecimal, or in base 64 as Amazon writes it."""
    try:
        digest = bytes.fromhex(value) if len(value) == 2 * _SHA256_BYTES else _decode_base64(value)
    except ValueError:
        digest = b""
    if len(digest) != _SHA256_BYTES:
        raise _unreadable("the checksum is no SHA-256")
    return digest.hex()


def _decode_base64(value: str) -> bytes:
    """Give the bytes, none if it is no base 64."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _wrong(name: str, extra: Mapping[str, str]) -> Problem:
    return Problem(
        422,
        "wrong-checksum",
        f"the file that arrived is not the one that was sent: its {name} is another",
        hint="send it again; if it happens again, look at what is between: a proxy, or the checksum itself",
        extra=extra,
    )


def _unreadable(detail: str) -> Problem:
    kinds = ", ".join(sorted(name for name in ALGORITHMS if name != "sha256"))
    hint = f"send `{PLAIN}` in hexadecimal, or `{AMAZON}` in base 64; of S3's others {kinds} are checked too"
    return Problem(400, "bad-checksum", detail, hint=hint, headers={"Connection": "close"})
