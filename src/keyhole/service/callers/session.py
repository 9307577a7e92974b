"""The page's session: who the visitor is, encrypted in a cookie. No token is in it, and no server remembers it.

Every worker has the same key, so that any of them knows a session that another began.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken

from keyhole.errors import KeyholeError
from keyhole.service.callers.caller import Caller, CallerKind

SESSION_S = 12 * 3600
_LEAST_SECRET = 32


@dataclass(frozen=True, slots=True)
class Session:
    """A caller who came in by a token. `token_id`: the API token, "" for a JWT. `expires_at` in seconds since 1970."""

    caller: Caller
    expires_at: int
    token_id: str = ""


def make_secret() -> str:
    """Give a new secret, for a group of workers whose sessions need not outlive them."""
    return secrets.token_urlsafe(32)


class Seal:
    """Seals sessions and opens what it sealed. Its key comes from a secret, and is good for one app alone."""

    def __init__(self, secret: str, app: str) -> None:
        """Raises: KeyholeError where the secret could be guessed."""
        if len(secret) < _LEAST_SECRET:
            raise KeyholeError(
                f"the session key is shorter than {_LEAST_SECRET} characters",
                hint='make one: `python3 -c "import secrets; print(secrets.token_urlsafe(32))"`',
            )
        key = hashlib.sha256(f"keyhole session\n{app}\n{secret}".encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def __repr__(self) -> str:
        return "Seal()"

    def close(self, session: Session) -> str:
        """Give the session as a cookie's value."""
        caller = session.caller
        fields = [caller.kind.value, caller.group, caller.name, session.token_id, session.expires_at]
        return self._fernet.encrypt(json.dumps(fields).encode()).decode()

    def open(self, value: str) -> Session | None:
        """Give the session, None if the value was not sealed here, or has expired."""
        try:
            # Fernet takes times in whole seconds, and refuses values from the future itself.
            kind, group, name, token_id, expires_at = json.loads(self._fernet.decrypt(value.encode(), ttl=SESSION_S))
            session = Session(Caller(CallerKind(kind), group, name), expires_at, token_id)
        except (InvalidToken, ValueError, TypeError):
            return None
        return session if time.time() < session.expires_at else None


def cookie_name(*, is_https: bool) -> str:
    """Give the cookie's name: over https one that no other host and no plain page can set.

    RFC 6265bis, "Cookie Name Prefixes". Over http, as on this machine, browsers refuse that prefix.
    """
    return "__Host-keyhole" if is_https else "keyhole_session"


def read_cookie(header: str, name: str) -> str:
    """Give a cookie's value out of the header; "" where it is missing, or is there twice with different values."""
    values = {
        value.strip()
        for pair in header.split(";")
        for found, has_value, value in [pair.partition("=")]
        if has_value and found.strip() == name
    }
    return values.pop() if len(values) == 1 else ""
