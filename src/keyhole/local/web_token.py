"""JSON Web Tokens: taken apart, and verified against an issuer's keys before anything in them is believed.

RFC 7515, RFC 7518 and RFC 7519. AWS: IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM":
signatures are RS256, RS384, RS512, ES256, ES384 or ES512; STS API Reference, AssumeRoleWithWebIdentity, errors.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from keyhole.local.call import Fault
from keyhole.local.issuer_keys import Jwk, Jwks

# By key type, so that no public key is ever taken for a shared secret; `none` is in no row.
_ALGORITHMS = {"RSA": ("RS256", "RS384", "RS512"), "EC": ("ES256", "ES384", "ES512")}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_MIN_RSA_BYTES = 256
_SKEW_S = 60
_MALFORMED = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
_NO_KEY = (
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
    "documentation for requirements"
)


@dataclass(frozen=True, slots=True)
class WebToken:
    """A token that was taken apart, and nothing more: its claims are what somebody says."""

    text: str = field(repr=False)
    algorithm: str
    key_id: str
    claims: Mapping[str, Any] = field(repr=False)

    def require(self, claim: str) -> str:
        """Give a claim that is a text. Raises: Fault where it is missing."""
        value = self.claims.get(claim)
        if not isinstance(value, str) or not value:
            raise refuse(f"Missing a required claim: {claim}")
        return value


def refuse(message: str) -> Fault:
    """Give AWS's error for a token that is not taken."""
    return Fault("InvalidIdentityToken", message, 400)


def no_key() -> Fault:
    """Give AWS's error where the issuer's keys cannot be had, or are not those of the token."""
    return refuse(_NO_KEY)


def read_token(text: str) -> WebToken:
    """Take a token apart. Raises: Fault."""
    parts = text.split(".")
    if len(parts) != 3:
        raise refuse(_MALFORMED)
    header, claims = _read_part(parts[0]), _read_part(parts[1])
    algorithm, key_id = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str) or not isinstance(key_id, str):
        raise refuse(_MALFORMED)
    return WebToken(text, algorithm, key_id, claims)


def verify_signature(token: WebToken, keys: Jwks) -> None:
    """Return where one of the keys made the signature. Raises: Fault."""
    if not any(token.algorithm in names for names in _ALGORITHMS.values()):
        raise refuse("Token signature algorithm is not supported")
    suitable = [key for key in keys if _is_suitable(key, token.algorithm)]
    if not suitable:
        raise no_key()
    if not any(_is_signed_by(token, key) for key in suitable):
        raise refuse("Token signature is invalid")


def check_times(token: WebToken, at: datetime) -> None:
    """Return where the token is valid at that moment. Raises: Fault."""
    moment = int(at.timestamp())
    expires = _read_time(token, "exp")
    if expires is None:
        raise refuse("Missing a required claim: exp")
    if moment >= expires:
        message = f"Token expired: current date/time {moment} must be before the expiration date/time {int(expires)}"
        raise Fault("ExpiredTokenException", message, 400)
    for claim in ("nbf", "iat"):
        begins = _read_time(token, claim)
        if begins is not None and begins > moment + _SKEW_S:
            raise refuse(f"Token not yet valid: its {claim} is in the future")


def _read_part(part: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise refuse(_MALFORMED) from error
    if not isinstance(found, dict):
        raise refuse(_MALFORMED)
    return found


def _read_time(token: WebToken, claim: str) -> float | None:
    if claim not in token.claims:
        return None
    value = token.claims[claim]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise refuse(f"Invalid claim: {claim}")
    return value


def _is_suitable(key: Jwk, algorithm: str) -> bool:
    """Hold iff the key is for signatures of that algorithm, and strong enough to mean something."""
    kind = key.get("kty")
    if not isinstance(kind, str) or algorithm not in _ALGORITHMS.get(kind, ()):
        return False
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        return False
    if kind == "EC":
        return key.get("crv") == _CURVES[algorithm]
    modulus = key.get("n")
    return isinstance(modulus, str) and len(modulus) * 3 // 4 >= _MIN_RSA_BYTES


def _is_signed_by(token: WebToken, key: Jwk) -> bool:
    # joserfc takes time and memory to import: most starts never see a token.
    from joserfc import jwk, jwt
    from joserfc.errors import JoseError

    public = {name: value for name, value in key.items() if name in ("kty", "n", "e", "crv", "x", "y")}
    try:
        jwt.decode(token.text, jwk.import_key(public), algorithms=[token.algorithm])  # type: ignore[arg-type]
    except (JoseError, ValueError):
        return False
    return True
