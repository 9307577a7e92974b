"""JSON Web Tokens of an OpenID Connect issuer: nothing in one is believed before its signature is verified.

RFC 7519, "JSON Web Token"; RFC 8725, "JSON Web Token Best Current Practices".
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError

from keyhole.service.callers.caller import Caller, CallerKind
from keyhole.service.callers.issuer_keys import ALGORITHMS, IssuerKeys, OpenClient
from keyhole.spec.uploads import OidcCallers

LEEWAY_S = 60
_MOST_CHARACTERS = 16 * 1024
_MOST_NAME = 255
_KINDS = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_TAKEN = frozenset(algorithm for algorithms in ALGORITHMS.values() for algorithm in algorithms)


class BadTokenError(Exception):
    """A token that is not taken; the message says why, and has nothing of the token in it."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The caller whom a token proves, until it expires (in seconds since 1970)."""

    caller: Caller
    expires_at: int


class OidcVerifier:
    """Verifies the tokens of all the issuers that the file names."""

    def __init__(
        self,
        groups: Mapping[str, OidcCallers],
        open_client: OpenClient = httpx.AsyncClient,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._groups = dict(groups)
        self._keys = {group: IssuerKeys(callers, open_client) for group, callers in groups.items()}
        self._clock = clock

    async def verify(self, text: str) -> Verified:
        """Give the caller whom the token proves. Raises: BadTokenError, IssuerUnreachableError."""
        if len(text) > _MOST_CHARACTERS:
            raise BadTokenError("the token is too long")
        parts = text.split(".")
        if len(parts) != 3:
            raise BadTokenError("the token is no JWT")
        header, said = _read_part(parts[0]), _read_part(parts[1])
        # What the token says of itself only chooses which keys must have signed it.
        group = self._choose(said)
        await self._check_signature(group, text, header)
        callers = self._groups[group]
        expires_at = _check_times(said, self._clock())
        subject = said.get(callers.subject_claim)
        if not isinstance(subject, str) or not 0 < len(subject) <= _MOST_NAME or not subject.isprintable():
            raise BadTokenError(f"the token has no usable `{callers.subject_claim}`")
        return Verified(Caller(CallerKind.OIDC, group, subject), expires_at)

    def _choose(self, said: Mapping[str, Any]) -> str:
        of_issuer = [group for group, callers in self._groups.items() if callers.issuer == said.get("iss")]
        if not of_issuer:
            raise BadTokenError("the token is of an issuer that is not taken here")
        audience = said.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        for group in of_issuer:
            if self._groups[group].audience in audiences:
                return group
        raise BadTokenError("the token is not for this service: its `aud` is another")

    async def _check_signature(self, group: str, text: str, header: Mapping[str, Any]) -> None:
        algorithm, key_id, kind = header.get("alg"), header.get("kid", ""), header.get("typ", "JWT")
        if not isinstance(algorithm, str) or algorithm not in _TAKEN or not isinstance(key_id, str):
            raise BadTokenError("the token is signed in a way that is not taken")
        if "crit" in header or not isinstance(kind, str) or kind.lower() not in _KINDS:
            raise BadTokenError("the token is of a kind that is not taken")
        for key in await self._keys[group].suitable(algorithm, key_id):
            try:
                jwt.decode(text, key, algorithms=[algorithm])
            except (JoseError, ValueError):
                continue
            return
        raise BadTokenError("none of the issuer's keys made the token's signature")


def _read_part(part: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadTokenError("the token is no JWT") from None
    if not isinstance(found, dict):
        raise BadTokenError("the token is no JWT")
    return found


def _check_times(said: Mapping[str, Any], now: float) -> int:
    """Give when it expires. Raises: BadTokenError."""
    expires = _read_time(said, "exp")
    if expires is None:
        raise BadTokenError("the token has no `exp`")
    if now >= expires + LEEWAY_S:
        raise BadTokenError("the token has expired")
    for claim in ("nbf", "iat"):
        begins = _read_time(said, claim)
        if begins is not None and begins > now + LEEWAY_S:
            raise BadTokenError(f"the token is not valid yet: its `{claim}` is in the future")
    return int(expires)


def _read_time(said: Mapping[str, Any], claim: str) -> float | None:
    if claim not in said:
        return None
    value = said[claim]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise BadTokenError(f"the token's `{claim}` is no time")
    return value
