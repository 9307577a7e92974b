"""What a proxy says about a request is believed of proxies that were named, and of nobody else."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

from keyhole.service.operation import Network, is_within

# Long enough to tell requests apart, and nothing that could begin a line or a field of a log.
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=:-]{7,63}\Z")
_FORWARDING = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from. `address` is "" where it cannot be known."""

    address: str
    request_id: str
    is_certain: bool
    """Whether it does not come through a proxy that is unknown: then the address is the proxy's."""


def find_origin(scope: Scope, proxies: tuple[Network, ...]) -> Origin:
    """Say where the request comes from, and correct the scope's client and scheme if a known proxy says so."""
    client = scope.get("client")
    address = str(client[0]) if client else ""
    if not proxies or not is_within(address, proxies):
        is_forwarded = any(name in _FORWARDING for name, _ in scope["headers"])
        return Origin(address, make_request_id(), not is_forwarded)
    headers = Headers(scope=scope)
    forwarded = [part.strip() for line in headers.getlist("x-forwarded-for") for part in line.split(",")]
    # Each proxy adds whom it heard from at the end: the last one that is no proxy of ours is the client.
    for said in reversed(forwarded):
        address = _strip_port(said)
        if not is_within(address, proxies):
            break
    if not _is_address(address):
        address = ""
    scope["client"] = (address, 0)
    if headers.get("x-forwarded-proto") in {"http", "https"}:
        scope["scheme"] = headers["x-forwarded-proto"]
    given = headers.get("x-request-id", "")
    return Origin(address, given if _REQUEST_ID.match(given) else make_request_id(), bool(address))


def make_request_id() -> str:
    """Give an id that no other request has."""
    return secrets.token_hex(8)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _strip_port(text: str) -> str:
    """Give the address of `192.0.2.1:80` or `[2001:db8::1]:80`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
