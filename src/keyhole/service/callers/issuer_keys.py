"""An issuer's public keys: found by its discovery document, kept for an hour, asked for anew by an unknown key id.

OpenID Connect Discovery 1.0, "4. Obtaining OpenID Provider Configuration Information"; RFC 7517, "5. JWK Set Format".
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc import jwk
from joserfc.errors import JoseError

from keyhole.spec.uploads import OidcCallers

log = logging.getLogger("keyhole.service")

Jwk = dict[str, Any]
Clock = Callable[[], float]
OpenClient = Callable[[], httpx.AsyncClient]

FRESH_S = 3600.0
# Where the issuer cannot be reached, what it said before still holds for a day.
STALE_S = 24 * 3600.0
# Tokens with made-up key ids must not make this service knock at the issuer's all day.
LEAST_WAIT_S = 30.0
_MOST_BYTES = 1024 * 1024
_MOST_KEYS = 100
_TIMEOUT_S = 5.0
# By key type, so that no public key is ever taken for a shared secret; `none` is in no row.
ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_LEAST_RSA_BYTES = 256
_PUBLIC = ("kty", "n", "e", "crv", "x", "y")


class IssuerUnreachableError(Exception):
    """The issuer's keys cannot be had: its tokens are neither good nor bad."""


class IssuerKeys:
    """The keys of one issuer, for one event loop."""

    def __init__(self, callers: OidcCallers, open_client: OpenClient, clock: Clock = time.monotonic) -> None:
        self._issuer = callers.issuer
        self._jwks_uri = callers.jwks_uri
        self._open_client = open_client
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: tuple[tuple[Jwk, Any], ...] = ()
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    async def suitable(self, algorithm: str, key_id: str) -> tuple[Any, ...]:
        """Give the keys that may have made a signature of this kind. Raises: IssuerUnreachableError."""
        found = self._find(algorithm, key_id)
        if found and self._clock() - self._fetched_at < FRESH_S:
            return found
        async with self._lock:
            found = self._find(algorithm, key_id)
            age = self._clock() - self._fetched_at
            if not (found and age < FRESH_S) and self._clock() - self._tried_at >= LEAST_WAIT_S:
                await self._refresh()
                found, age = self._find(algorithm, key_id), self._clock() - self._fetched_at
        if age >= STALE_S:
            raise IssuerUnreachableError(self._issuer)
        return found

    def _find(self, algorithm: str, key_id: str) -> tuple[Any, ...]:
        return tuple(
            imported
            for key, imported in self._keys
            if (not key_id or key.get("kid", key_id) == key_id) and _suits(key, algorithm)
        )

    async def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            async with self._open_client() as client:
                jwks_uri = self._jwks_uri or await self._discover(client)
                keys = (await _fetch(client, jwks_uri)).get("keys")
            if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
                raise ValueError(f"`{jwks_uri}` has no list of keys, or too many")
            self._keys = tuple(_import_keys(keys))
            self._fetched_at = self._clock()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            log.warning("the keys of %s cannot be fetched: %s", self._issuer, str(error) or type(error).__name__)

    async def _discover(self, client: httpx.AsyncClient) -> str:
        document = await _fetch(client, self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != self._issuer:
            raise ValueError("its discovery document is another issuer's")
        uri = document.get("jwks_uri")
        if not isinstance(uri, str) or urlsplit(uri).scheme not in {"https", urlsplit(self._issuer).scheme}:
            raise ValueError("its discovery document names no https address for its keys")
        return uri


async def _fetch(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Give the JSON object at this address itself: no redirect is followed, and no flood read."""
    body = bytearray()
    async with client.stream("GET", url, timeout=_TIMEOUT_S, follow_redirects=False) as response:
        if response.status_code != 200:
            raise ValueError(f"`{url}` answers {response.status_code}")
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise ValueError(f"`{url}` answers with more than {_MOST_BYTES} bytes")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError(f"`{url}` answers with no JSON object")
    return found


def _import_keys(keys: list[Any]) -> Iterator[tuple[Jwk, Any]]:
    """Give the keys that can be used, and pass over those that are weak, or of kinds that are not known here."""
    for key in keys:
        if not isinstance(key, dict) or key.get("kty") not in ALGORITHMS or not _is_strong(key):
            continue
        with suppress(JoseError, ValueError, TypeError, KeyError):
            yield key, jwk.import_key({name: value for name, value in key.items() if name in _PUBLIC})


def _suits(key: Jwk, algorithm: str) -> bool:
    """Hold iff the key is for signatures of that algorithm."""
    kind = key.get("kty")
    if not isinstance(kind, str) or algorithm not in ALGORITHMS.get(kind, ()):
        return False
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        return False
    return kind != "EC" or key.get("crv") == _CURVES[algorithm]


def _is_strong(key: Jwk) -> bool:
    """Hold iff what the key has signed means something. NIST SP 800-131A: RSA from 2048 bits on."""
    modulus = key.get("n", "")
    return key["kty"] != "RSA" or (isinstance(modulus, str) and len(modulus) * 3 // 4 >= _LEAST_RSA_BYTES)
