"""The checksums that S3 clients send: CRC32, CRC32C, CRC64NVME, SHA-1 and SHA-256, each as base64.

AWS: S3 User Guide, "Checking object integrity in Amazon S3".
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Protocol

_CRC32C_POLYNOMIAL = 0x82F63B78
_CRC64NVME_POLYNOMIAL = 0x9A6C9329AC4BC9B5
# Below this many bits a table is as quick as folding.
_FOLDED_BITS = 1024
_BLOCK_BYTES = 256 * 1024


class Checksum(Protocol):
    """A checksum in the making, as hashlib's are."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """Give the checksum of what was taken."""


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ polynomial if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


@cache
def _powers(polynomial: int, bits: int, exponent: int) -> tuple[int, ...]:
    """Give the exponents of x in x^(2^exponent) modulo the polynomial."""
    value = 1 << (bits - 2)
    for _ in range(exponent):
        value = _square(value, polynomial, bits)
    return tuple(power for power in range(bits) if value >> (bits - 1 - power) & 1)


def _square(value: int, polynomial: int, bits: int) -> int:
    product, shifted = 0, value
    for place in range(bits - 1, -1, -1):
        if value >> place & 1:
            product ^= shifted
        shifted = shifted >> 1 ^ polynomial if shifted & 1 else shifted >> 1
    return product


class _Crc:
    """A reflected CRC, by folding: whole blocks are one long number, whose front half is multiplied onto its back half.

    Python's long numbers are shifted and added at memory speed, ten times as fast as a table is looked up.
    """

    def __init__(self, polynomial: int, bits: int) -> None:
        self._polynomial = polynomial
        self._bits = bits
        self._mask = (1 << bits) - 1
        self._value = self._mask

    def update(self, data: bytes) -> None:
        for start in range(0, len(data), _BLOCK_BYTES):
            self._value = self._fold(data[start : start + _BLOCK_BYTES], self._value)

    def digest(self) -> bytes:
        return (self._value ^ self._mask).to_bytes(self._bits // 8, "big")

    def _fold(self, data: bytes, value: int) -> int:
        length = 8 * len(data)
        if length > _FOLDED_BITS:
            # The lowest bit is the first one, and stands for the highest power of x.
            number, value = int.from_bytes(data, "little") ^ value, 0
            while length > _FOLDED_BITS:
                exponent = (length - 1).bit_length() - 1
                distance = 1 << exponent
                width = min(length - distance, distance - self._bits)
                front = number & ((1 << width) - 1)
                product = 0
                for power in _powers(self._polynomial, self._bits, exponent):
                    product ^= front << (self._bits - 1 - power)
                number = number >> width ^ product << (distance - width - self._bits + 1)
                length -= width
            data = number.to_bytes(length // 8, "little")
        table = _table(self._polynomial)
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ value >> 8
        return value


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


ALGORITHMS: dict[str, Callable[[], Checksum]] = {
    "crc32": _Crc32,
    "crc32c": lambda: _Crc(_CRC32C_POLYNOMIAL, 32),
    "crc64nvme": lambda: _Crc(_CRC64NVME_POLYNOMIAL, 64),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}
SIZES = {name: len(make().digest()) for name, make in ALGORITHMS.items()}


def encode(checksum: Checksum) -> str:
    """Give a checksum as its header has it."""
    return base64.b64encode(checksum.digest()).decode()


def compute(algorithm: str, data: bytes | Iterable[bytes]) -> str:
    """Give the checksum of `data` as the header's value. Raises: KeyError for an algorithm that is not known."""
    found = ALGORITHMS[algorithm]()
    for block in (data,) if isinstance(data, bytes) else data:
        found.update(block)
    return encode(found)
