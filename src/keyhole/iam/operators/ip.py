"""IP address operators: addresses and CIDR ranges of versions 4 and 6.

AWS: "IAM JSON policy elements: Condition operators", IP address condition operators.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from keyhole.iam.match import Parts, join_parts
from keyhole.iam.operators.operator import Operator


@lru_cache(maxsize=4096)
def parse_range(text: str) -> IPv4Network | IPv6Network | None:
    """The range that the text names, or None; an address alone is a range of one."""
    _, slash, prefix = text.partition("/")
    if "%" in text or (slash and not (prefix.isascii() and prefix.isdigit())):
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that the text is, or None."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def within(wanted: Parts, given: str) -> bool | None:
    """Hold iff the address lies in the range; one of version 4 never lies in a range of version 6."""
    address, block = parse_address(given), parse_range(join_parts(wanted))
    if address is None or block is None:
        return None
    return address.version == block.version and address in block


def cut_addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    """Where a range begins, and the address behind its end: between two of these nothing changes."""
    samples = ["203.0.113.7", "198.51.100.9", "0.0.0.0", "2001:db8::7", "::"]  # noqa: S104 - compared, not bound
    for block in [block for value in values if (block := parse_range(value)) is not None]:
        samples.append(str(block.network_address))
        if int(block.broadcast_address) < 2**block.max_prefixlen - 1:
            samples.append(str(block.broadcast_address + 1))
    return tuple(samples)


OPERATORS = (
    Operator("IpAddress", within, cut=cut_addresses),
    Operator("NotIpAddress", within, negated=True, cut=cut_addresses),
)
