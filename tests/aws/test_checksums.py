"""Checksums of long bodies: computed block by block, and by folding instead of a table."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhole.aws import checksums

_POLYNOMIALS = {"crc32c": (0x82F63B78, 32), "crc64nvme": (0x9A6C9329AC4BC9B5, 64)}


def by_bits(name: str, data: bytes) -> bytes:
    """A CRC as its definition has it, one bit after the other."""
    polynomial, bits = _POLYNOMIALS[name]
    value = mask = (1 << bits) - 1
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
    return (value ^ mask).to_bytes(bits // 8, "big")


@pytest.mark.parametrize("name", sorted(_POLYNOMIALS))
@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 136, 255, 256, 257, 4095, 4096, 4097, 20_000])
def test_folding_is_the_crc(name: str, size: int) -> None:
    """Around every size where the way of computing changes, the checksum is that of the definition."""
    data = random.Random(size).randbytes(size)
    assert base64.b64decode(checksums.compute(name, data)) == by_bits(name, data)


@given(data=st.binary(max_size=3000), cut=st.integers(0, 3000), name=st.sampled_from(sorted(checksums.ALGORITHMS)))
def test_pieces_make_the_checksum_of_the_whole(data: bytes, cut: int, name: str) -> None:
    """It does not matter in which pieces a body comes."""
    assert checksums.compute(name, iter((data[:cut], data[cut:]))) == checksums.compute(name, data)
