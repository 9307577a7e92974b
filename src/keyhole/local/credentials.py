"""Whose key it is: account roots, IAM users and sessions, each looked up by the access key id."""

from __future__ import annotations

from dataclasses import dataclass, field

from keyhole.iam.model import Principal, PrincipalKind
from keyhole.local.backend import Backend, Tags
from keyhole.local.call import Caller
from keyhole.local.root_keys import root_account, root_credentials
from keyhole.local.sessions import Session, SessionStore


@dataclass(frozen=True, slots=True)
class Found:
    """A key that exists, and who holds it. `session` is None for a long-term key."""

    caller: Caller
    secret_access_key: str = field(repr=False)
    session: Session | None = None


def root_principal(account: str) -> Principal:
    """Give the principal that an account's root user is."""
    return Principal(PrincipalKind.ROOT, f"arn:aws:iam::{account}:root", account)


def merge_tags(role: Tags, session: Tags) -> Tags:
    """Give a role session's tags: those of the session replace the role's, in whatever case their keys are.

    AWS: IAM User Guide, "Pass session tags in AWS STS".
    """
    keys = {key.lower() for key, _ in session}
    return (*((key, value) for key, value in role if key.lower() not in keys), *session)


class CredentialStore:
    """Every key that this local AWS accepts at this moment."""

    def __init__(self, master: bytes, backend: Backend, sessions: SessionStore) -> None:
        self._master = master
        self._backend = backend
        self._sessions = sessions

    def find(self, access_key_id: str, auth: str) -> Found | None:
        """Give the holder of a key; None where it does not exist, is inactive, or its role or user is gone.

        `auth` is how it was presented, for s3:authType. An expired session is found: what it says is another error.
        """
        if account := root_account(access_key_id):
            secret = root_credentials(self._master, account).secret_access_key
            return Found(Caller(root_principal(account), access_key_id, user_id=account, auth=auth), secret)
        session = self._sessions.find(access_key_id)
        if session:
            caller = self._session_caller(session, auth)
            return Found(caller, session.secret_access_key, session) if caller else None
        key = self._backend.find_access_key(access_key_id)
        if key is None or not key.is_active:
            return None
        caller = self._user_caller(key.account, key.user_name, access_key_id, None, auth)
        return Found(caller, key.secret_access_key) if caller else None

    def _user_caller(
        self, account: str, name: str, access_key_id: str, session: Session | None, auth: str
    ) -> Caller | None:
        user = self._backend.find_user(account, name)
        if user is None:
            return None
        principal = Principal(PrincipalKind.USER, user.arn, account)
        return Caller(principal, access_key_id, user.user_id, user.name, user.tags, session, auth)

    def _session_caller(self, session: Session, auth: str) -> Caller | None:
        principal = session.principal
        if principal.kind is PrincipalKind.USER:
            name = principal.arn.rsplit("/", 1)[-1]
            caller = self._user_caller(principal.account, name, session.access_key_id, session, auth)
            # So is a user.
            return caller if caller and caller.user_id == session.user_id else None
        if principal.kind is PrincipalKind.ROOT:
            return Caller(principal, session.access_key_id, principal.account, session=session, auth=auth)
        if principal.kind is PrincipalKind.ROLE_SESSION:
            role = self._backend.find_role(principal.account, principal.role_arn.rsplit("/", 1)[-1])
            # A role that was deleted and made again has another id: sessions of the old one are void.
            if role is None or role.role_id != session.role_id:
                return None
            tags = merge_tags(role.tags, session.tags)
            user_id = f"{session.role_id}:{session.session_name}"
            return Caller(principal, session.access_key_id, user_id, "", tags, session, auth)
        return self._federated_caller(session, auth)

    def _federated_caller(self, session: Session, auth: str) -> Caller | None:
        """Give the federated user, None where the user who federated it is gone.

        AWS: STS API Reference, GetFederationToken, Tags: session tags take precedence over the user's.
        """
        principal, tags = session.principal, session.tags
        if principal.role_arn:
            user = self._backend.find_user(principal.account, principal.role_arn.rsplit("/", 1)[-1])
            if user is None or user.user_id != session.user_id:
                return None
            tags = merge_tags(user.tags, session.tags)
        user_id = f"{principal.account}:{session.session_name}"
        return Caller(principal, session.access_key_id, user_id, "", tags, session, auth)
