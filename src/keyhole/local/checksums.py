"""The checksums that S3 clients send: CRC32, CRC32C, CRC64NVME, SHA-1 and SHA-256, each as base64.

AWS: S3 User Guide, "Checking object integrity in Amazon S3".
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable
from functools import cache

_CRC32C_POLYNOMIAL = 0x82F63B78
_CRC64NVME_POLYNOMIAL = 0x9A6C9329AC4BC9B5


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ polynomial if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


def _crc(data: bytes, polynomial: int, bits: int) -> bytes:
    table = _table(polynomial)
    value = mask = (1 << bits) - 1
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ value >> 8
    return (value ^ mask).to_bytes(bits // 8, "big")


ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "crc32c": lambda data: _crc(data, _CRC32C_POLYNOMIAL, 32),
    "crc64nvme": lambda data: _crc(data, _CRC64NVME_POLYNOMIAL, 64),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
}


def compute(algorithm: str, data: bytes) -> str:
    """Give the checksum of `data` as the header's value. Raises: KeyError for an algorithm that is not known."""
    return base64.b64encode(ALGORITHMS[algorithm](data)).decode()
