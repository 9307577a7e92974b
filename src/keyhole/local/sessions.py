"""Temporary credentials: issued here, found by their key id, and over when their time is.

AWS: IAM User Guide, "Temporary security credentials in IAM" and "IAM identifiers" (unique ID prefixes).
"""

from __future__ import annotations

import base64
import heapq
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from keyhole.iam.model import Policy, Principal, PrincipalKind

# An expired key is answered with ExpiredToken for this long, and is an unknown key after it.
_KEEP_EXPIRED = timedelta(days=1)

# AWS's tokens are some hundred bytes of base64 with `+`, `/` and `=`: clients must be able to carry just that.
_TOKEN_PREFIX = "FwoGZXIvYXdz"
_TOKEN_BYTES = 240


def now() -> datetime:
    """Give the present moment, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Session:
    """One set of temporary credentials and what goes with them.

    `principal` is who they act as: a role session, a federated user, or the user or root that asked for a session
    token. `session_policies` is None where none were passed. `role_id` is the role's AROA… id, so that a role that was
    deleted and made again under its name does not inherit sessions, and `user_id` a user's AIDA… id likewise.
    `context` are condition keys that every request made with them has: the identity provider's, an instance's.
    Times are aware UTC.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    principal: Principal
    issued_at: datetime
    expires_at: datetime
    session_policies: tuple[Policy, ...] | None
    role_id: str
    session_name: str
    tags: tuple[tuple[str, str], ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    user_id: str = ""
    source_identity: str = ""
    context: tuple[tuple[str, str | tuple[str, ...]], ...] = ()

    def is_expired(self, at: datetime) -> bool:
        """Hold iff the credentials are over at that moment."""
        return at >= self.expires_at


class SessionStore:
    """Every session that was issued, until a day after it expired; may be shared between threads."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._by_expiry: list[tuple[datetime, str]] = []

    def issue(
        self,
        principal: Principal,
        *,
        duration_s: int,
        role_id: str = "",
        session_name: str = "",
        session_policies: tuple[Policy, ...] | None = None,
        tags: Sequence[tuple[str, str]] = (),
        transitive_tag_keys: Sequence[str] = (),
        user_id: str = "",
        source_identity: str = "",
        context: Mapping[str, str | tuple[str, ...]] = MappingProxyType({}),
    ) -> Session:
        """Make new credentials that act as `principal` for `duration_s` seconds from now."""
        # Whole seconds: the expiry that the client is told is the one that is enforced.
        issued_at = self.clock().replace(microsecond=0)
        session = Session(
            access_key_id=_random_key_id(),
            secret_access_key=base64.b64encode(secrets.token_bytes(30)).decode(),
            session_token=_TOKEN_PREFIX + base64.b64encode(secrets.token_bytes(_TOKEN_BYTES)).decode(),
            principal=principal,
            issued_at=issued_at,
            expires_at=issued_at + timedelta(seconds=duration_s),
            session_policies=session_policies,
            role_id=role_id,
            session_name=session_name,
            tags=tuple(tags),
            transitive_tag_keys=tuple(transitive_tag_keys),
            user_id=user_id,
            source_identity=source_identity,
            context=tuple(context.items()),
        )
        with self._lock:
            self._forget_old()
            self._sessions[session.access_key_id] = session
            heapq.heappush(self._by_expiry, (session.expires_at, session.access_key_id))
        return session

    def find(self, access_key_id: str) -> Session | None:
        """Give the session of that key id, also one that has expired within the last day."""
        with self._lock:
            self._forget_old()
            return self._sessions.get(access_key_id)

    def forget_all(self) -> None:
        """Make every credential issued so far unknown."""
        with self._lock:
            self._sessions.clear()
            self._by_expiry.clear()

    def _forget_old(self) -> None:
        limit = self.clock() - _KEEP_EXPIRED
        while self._by_expiry and self._by_expiry[0][0] < limit:
            _, access_key_id = heapq.heappop(self._by_expiry)
            self._sessions.pop(access_key_id, None)


def assumed_role_principal(role_arn: str, session_name: str) -> Principal:
    """Give the principal of a role's session: its own ARN has no path, `role_arn` keeps it.

    AWS: IAM User Guide, "AWS JSON policy elements: Principal", role session principals.
    """
    _, partition, _, _, account, resource = role_arn.split(":", 5)
    role_name = resource.rsplit("/", 1)[-1]
    return Principal(
        kind=PrincipalKind.ROLE_SESSION,
        arn=f"arn:{partition}:sts::{account}:assumed-role/{role_name}/{session_name}",
        account=account,
        role_arn=role_arn,
    )


def federated_user_principal(caller: Principal, name: str) -> Principal:
    """Give the principal that a user, or root, makes of `name` by GetFederationToken; `role_arn` is that user's ARN.

    AWS: IAM User Guide, "AWS JSON policy elements: Principal", AWS STS federated user principals.
    """
    return Principal(
        kind=PrincipalKind.FEDERATED_USER,
        arn=f"arn:aws:sts::{caller.account}:federated-user/{name}",
        account=caller.account,
        role_arn=caller.arn if caller.kind is PrincipalKind.USER else "",
    )


def _random_key_id() -> str:
    return "ASIA" + base64.b32encode(secrets.token_bytes(10)).decode()
