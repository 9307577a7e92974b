"""Checksums that a client says: how they are read, and that what arrived is held against each of them."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from pathlib import Path

import anyio
import pytest

from keyhole.service.checksums import Said, check_received, read_checksums
from keyhole.service.form import ReceivedFile
from keyhole.service.problems import Problem

_DATA = b"123456789"
_SHA256 = hashlib.sha256(_DATA).hexdigest()
# What the catalogues of CRCs say that these nine characters have, and SHA-1.
_VALUES = {
    "crc32": "cbf43926",
    "crc32c": "e3069283",
    "crc64nvme": "ae8b14860a799888",
    "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
}
_HEADERS = {
    f"x-amz-checksum-{name}": base64.b64encode(bytes.fromhex(value)).decode() for name, value in _VALUES.items()
}


def _check(said: Said, data: bytes = _DATA) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        digest = hashlib.sha256(data).hexdigest()
        anyio.run(check_received, said, ReceivedFile(Path(file.name), "a.png", len(data), digest, file))


@pytest.mark.parametrize("header", _HEADERS)
def test_a_true_checksum_passes_and_another_does_not(header: str) -> None:
    """The value is S3's; of a file with one changed bit it is another, and the true one is told."""
    said = read_checksums({header: _HEADERS[header], "content-length": "9"})
    _check(said)
    with pytest.raises(Problem):
        _check(said, b"123456788")
    name = header.rpartition("-")[2]
    wrong = base64.b64encode(bytes(len(_VALUES[name]) // 2)).decode()
    with pytest.raises(Problem) as refused:
        _check(read_checksums({header: wrong}))
    assert (refused.value.status, refused.value.kind) == (422, "wrong-checksum")
    assert refused.value.extra == {name: _HEADERS[header]}


def test_a_large_file_is_taken_piece_by_piece() -> None:
    """A file that is read in several pieces has the checksum of the whole."""
    data = bytes(range(256)) * 4_000
    _check(Said(kind="sha1", value=base64.b64encode(hashlib.sha1(data).digest()).decode()), data)


def test_all_that_is_said_is_checked() -> None:
    """A true SHA-256 does not make up for a wrong CRC, nor the other way around."""
    header = "x-amz-checksum-crc64nvme"
    said = read_checksums({"x-checksum-sha256": _SHA256, header: _HEADERS[header]})
    assert said == Said(_SHA256, "crc64nvme", _HEADERS[header])
    _check(said)
    with pytest.raises(Problem, match="CRC64NVME"):
        _check(read_checksums({"x-checksum-sha256": _SHA256, header: "A" * 11 + "="}))
    with pytest.raises(Problem, match="SHA-256"):
        _check(read_checksums({"x-checksum-sha256": "ab" * 32, header: _HEADERS[header]}))


@pytest.mark.parametrize("other", ["x-amz-checksum-crc32", "x-amz-checksum-sha256"])
def test_one_of_amazons_headers_is_enough(other: str) -> None:
    """S3 takes no two of them, and nobody pays here for computing all."""
    digest = base64.b64encode(hashlib.sha256(_DATA).digest()).decode()
    values = {**_HEADERS, "x-amz-checksum-sha256": digest}
    with pytest.raises(Problem, match="more than one") as refused:
        read_checksums({name: values[name] for name in (other, "x-amz-checksum-crc64nvme")})
    assert refused.value.status == 400


def test_where_nothing_is_said_the_file_is_not_read() -> None:
    """There may be no file at all."""
    said = read_checksums({"content-type": "x"})
    assert said == Said()
    with tempfile.NamedTemporaryFile() as file:
        anyio.run(check_received, said, ReceivedFile(Path("/nowhere"), "", 1, _SHA256, file))


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-amz-checksum-crc32", "AAAA"),
        ("x-amz-checksum-crc32", "cbf43926"),
        ("x-amz-checksum-crc32", ""),
        ("x-amz-checksum-crc32", "*"),
        ("x-amz-checksum-crc32c", "ÄAAA"),
        ("x-amz-checksum-crc64nvme", "y/Q5Jg=="),
        ("x-amz-checksum-sha1", "AAAA"),
        ("x-amz-checksum-sha512", "AAAA"),
        ("x-amz-checksum-type", "FULL_OBJECT"),
        ("x-amz-checksum-", "AAAA"),
    ],
)
def test_what_is_no_checksum_is_refused(header: str, value: str) -> None:
    """Another length, another spelling, another kind: 400, and the rest of the request is not read."""
    with pytest.raises(Problem) as refused:
        read_checksums({header: value})
    assert (refused.value.status, refused.value.kind) == (400, "bad-checksum")
    assert f"`{header}`" in refused.value.detail
    assert refused.value.headers == {"Connection": "close"}
