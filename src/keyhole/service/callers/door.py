"""The door: who makes a request, by its Authorization or its cookie; whoever is not known is not let in."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from keyhole.errors import KeyholeError
from keyhole.service.callers.caller import ANYONE, Caller, CallerKind
from keyhole.service.callers.issuer_keys import IssuerUnreachableError
from keyhole.service.callers.oidc import BadTokenError, OidcVerifier
from keyhole.service.callers.session import SESSION_S, Seal, Session, cookie_name, make_secret, read_cookie
from keyhole.service.callers.tokens import FILE_NAME, Tokens
from keyhole.service.problems import RETRY_AFTER_S, Problem
from keyhole.service.settings import Service
from keyhole.spec.uploads import OidcCallers, TokenCallers

log = logging.getLogger("keyhole.service")

_CHALLENGE = 'Bearer realm="keyhole"'
_HINT = "send `Authorization: Bearer …`, with a token of those who run the service"


class Door:
    """Knows callers. An open one lets everyone in, and knows nobody."""

    def __init__(
        self, service: Service, seal: Seal, tokens: Tokens | None = None, verifier: OidcVerifier | None = None
    ) -> None:
        self._callers = service.callers
        self._seal = seal
        self._tokens = tokens
        self._verifier = verifier

    @property
    def is_open(self) -> bool:
        """Hold iff the file has no callers."""
        return not self._callers

    async def identify(self, headers: Mapping[str, str], *, is_https: bool) -> Caller:
        """Give the caller of a request with these headers. Raises: Problem (401; 503 where nobody can be known)."""
        if self.is_open:
            return ANYONE
        authorization = headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer" or not token.strip():
                raise refuse("the Authorization is no bearer token", error="invalid_request")
            return (await self.admit(token.strip())).caller
        session = self.find_session(headers, is_https=is_https)
        if session is None:
            raise refuse("the service takes known callers only")
        return session.caller

    async def admit(self, token: str) -> Session:
        """Give the session that this token opens. Raises: Problem."""
        try:
            if token.startswith("kh_"):
                return self._admit_token(token)
            if self._verifier is None:
                raise refuse("the token is not one of this service", error="invalid_token")
            verified = await self._verifier.verify(token)
        except BadTokenError as error:
            raise refuse(str(error), error="invalid_token") from error
        except IssuerUnreachableError as error:
            raise _unknowable("the issuer of tokens cannot be reached now") from error
        return Session(verified.caller, min(verified.expires_at, int(time.time()) + SESSION_S))

    def find_session(self, headers: Mapping[str, str], *, is_https: bool) -> Session | None:
        """Give the session of the cookie, None where there is none that still holds. Raises: Problem (503)."""
        value = read_cookie(headers.get("cookie", ""), cookie_name(is_https=is_https))
        session = self._seal.open(value) if value else None
        if session is None or session.caller.group not in self._callers:
            return None
        if session.caller.kind is not CallerKind.TOKEN:
            return session
        try:
            # A token that was revoked takes the sessions with it that it opened.
            entry = self._tokens.get(session.token_id) if self._tokens else None
        except KeyholeError as error:
            raise _unreadable(error) from error
        return session if entry is not None else None

    def seal(self, session: Session) -> str:
        """Give the session as a cookie's value."""
        return self._seal.close(session)

    def _admit_token(self, token: str) -> Session:
        try:
            entry = self._tokens.find(token) if self._tokens else None
        except KeyholeError as error:
            raise _unreadable(error) from error
        if entry is None or not isinstance(self._callers.get(entry.group), TokenCallers):
            raise refuse("the token is unknown, has expired or was revoked", error="invalid_token")
        expires_at = int(time.time()) + SESSION_S
        if entry.expires is not None:
            expires_at = min(expires_at, int(entry.expires.timestamp()))
        return Session(Caller(CallerKind.TOKEN, entry.group, entry.name), expires_at, entry.token_id)


def open_door(service: Service, *, tokens_file: Path | None = None, session_key: str = "") -> Door:
    """Give the door of the service that runs. Raises: KeyholeError where tokens or session key are unusable.

    Without a session key it makes one, which other processes do not have.
    """
    seal = Seal(session_key or make_secret(), service.app)
    tokens: Tokens | None = None
    if any(isinstance(callers, TokenCallers) for callers in service.callers.values()):
        tokens = Tokens(tokens_file or Path(FILE_NAME))
        tokens.check()
    issuers = {name: callers for name, callers in service.callers.items() if isinstance(callers, OidcCallers)}
    return Door(service, seal, tokens, OidcVerifier(issuers) if issuers else None)


def refuse(detail: str, *, error: str = "") -> Problem:
    """Say that the caller is not known, and what would make it known.

    RFC 6750, "3. The WWW-Authenticate Response Header Field": no error is named where no credentials were sent.
    """
    challenge = f'{_CHALLENGE}, error="{error}"' if error else _CHALLENGE
    return Problem(401, "unknown-caller", detail, hint=_HINT, headers={"WWW-Authenticate": challenge})


def _unreadable(error: KeyholeError) -> Problem:
    log.error("%s", error)
    return _unknowable("the service cannot read its tokens")


def _unknowable(detail: str) -> Problem:
    return Problem(
        503,
        "callers-unavailable",
        detail,
        hint="nothing is wrong with the request: try again in a moment",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
