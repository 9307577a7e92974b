"""The public keys of identity providers: found by OpenID Connect discovery, kept for a while, or this process's own.

AWS: IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM": the configuration document under
`/.well-known/openid-configuration` names the `jwks_uri`. OpenID Connect Discovery 1.0, section 4.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from keyhole.local.issuer_documents import DocumentError, fetch_document, is_loopback_url

Jwk = Mapping[str, object]
Jwks = tuple[Jwk, ...]

_KEEP_S = 300.0
# A key that is not among those kept may be new; but a flood of such tokens must not become one to the provider.
_ASK_AGAIN_S = 10.0
_MAX_ISSUERS = 64
_MAX_KEYS = 100


@dataclass(frozen=True, slots=True)
class _Kept:
    keys: Jwks
    at: float


class IssuerKeys:
    """Gives the keys of an issuer; thread-safe. `own` are the issuers that are here: nobody else is asked for them."""

    def __init__(
        self,
        own: Mapping[str, Callable[[], Jwks]] = MappingProxyType({}),
        fetch: Callable[[str], dict[str, object]] = fetch_document,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = dict(own)
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def find(self, issuer: str, key_id: str) -> Jwks:
        """Give the keys that may have signed: those of that id, or all where a token names none.

        Raises: DocumentError where the issuer's documents cannot be had, or are not its own.
        """
        own = self._own.get(issuer)
        if own is not None:
            return _of_id(own(), key_id)
        at = self._clock()
        with self._lock:
            kept = self._kept.get(issuer)
        if kept is not None and at - kept.at < _KEEP_S:
            found = _of_id(kept.keys, key_id)
            if found or at - kept.at < _ASK_AGAIN_S:
                return found
        keys = self._discover(issuer)
        with self._lock:
            if len(self._kept) >= _MAX_ISSUERS:
                self._kept.clear()
            self._kept[issuer] = _Kept(keys, at)
        return _of_id(keys, key_id)

    def forget_all(self) -> None:
        """Ask every issuer anew."""
        with self._lock:
            self._kept.clear()

    def _discover(self, issuer: str) -> Jwks:
        configuration = self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if configuration.get("issuer") != issuer:
            raise DocumentError("is of another issuer")
        uri = configuration.get("jwks_uri")
        if not isinstance(uri, str):
            raise DocumentError("names no `jwks_uri`")
        if is_loopback_url(uri) and not is_loopback_url(issuer):
            # A stranger does not get to say what on this machine is asked.
            raise DocumentError("names keys on this machine")
        keys = self._fetch(uri).get("keys")
        if not isinstance(keys, list):
            raise DocumentError("has no `keys`")
        return tuple(key for key in keys[:_MAX_KEYS] if isinstance(key, dict))


def _of_id(keys: Jwks, key_id: str) -> Jwks:
    return tuple(key for key in keys if not key_id or key.get("kid") == key_id)
