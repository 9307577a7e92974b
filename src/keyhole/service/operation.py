"""How the service is run, as opposed to what it does: for one process, and for the group that it is one of."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from keyhole.aws.client import Credentials
from keyhole.errors import KeyholeError

LogFormat = Literal["text", "json"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK_NETWORKS = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class Operation:
    """What who runs the service has chosen. It is the same for all workers, and goes to them as a whole.

    `hosts`: the names by which the service may be called, empty for any. `proxies`: the networks whose
    X-Forwarded-For, X-Forwarded-Proto and X-Request-ID are believed. `metrics_from`: those that may read the metrics.
    `drain_delay_s`: how long a service that was told to end goes on taking requests, and says that it is not ready.
    `credentials` is None for the ordinary AWS chain. `picture`: who can do what, as `keyhole.verify.picture` has it,
    None where there is no IAM; `probes_file`: where `keyhole verify` keeps what it found last.
    """

    workers: int = 1
    log_format: LogFormat = "text"
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    metrics_from: tuple[str, ...] = LOOPBACK_NETWORKS
    max_in_flight: int = 256
    drain_delay_s: float = 0.0
    drain_s: float = 20.0
    tokens_file: Path | None = None
    profile: str = ""
    session_key: str = field(default="", repr=False)
    credentials: Credentials | None = field(default=None, repr=False)
    picture: Mapping[str, Any] | None = field(default=None, repr=False)
    probes_file: Path | None = None

    @property
    def checks_at_once(self) -> int:
        """How many images one process looks at at a time: all workers together one for each core."""
        return max(1, (os.cpu_count() or 1) // self.workers)


def read_networks(texts: tuple[str, ...], option: str) -> tuple[Network, ...]:
    """Give addresses and networks as networks. Raises: KeyholeError."""
    networks = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text.strip()))
        except ValueError:
            raise KeyholeError(
                f"`{text[:80]}` is no address or network", hint=f"write it like `{option} 10.0.0.0/8`"
            ) from None
    return tuple(networks)


def is_within(address: str, networks: tuple[Network, ...]) -> bool:
    """Hold iff it is an address in one of these networks. IPv4 addresses within IPv6 count as what they are."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks if network.version == found.version)
