"""Temporary credentials of users: GetSessionToken, which acts as the user, and GetFederationToken, which is less.

AWS: STS API Reference, GetSessionToken and GetFederationToken; IAM User Guide, "Permissions for GetFederationToken".
"""

from __future__ import annotations

from keyhole.iam.model import PrincipalKind
from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall, Caller
from keyhole.local.session_policies import measure_packed, read_session_policies
from keyhole.local.sessions import SessionStore, federated_user_principal
from keyhole.local.sts_answers import Element, credentials_of, packed_size
from keyhole.local.sts_parameters import merge_session_tags, read_session_tags

_DEFAULT_S = 43200
_ROOT_MAX_S = 3600


def get_session_token(call: ApiCall, caller: Caller, sessions: SessionStore) -> dict[str, Element]:
    """Give credentials that act as the user, or root."""
    session = sessions.issue(caller.principal, duration_s=_duration_s(call, caller), user_id=caller.user_id)
    return {"Credentials": credentials_of(session)}


def get_federation_token(call: ApiCall, caller: Caller, backend: Backend, sessions: SessionStore) -> dict[str, Element]:
    """Give credentials of a federated user: what its session policies and the user's own both allow. Raises: Fault.

    Without a session policy there is nothing but what resources grant to that federated user by name.
    """
    name = str(call.params["Name"])
    tags, transitive_tag_keys = merge_session_tags(*read_session_tags(call), None)
    percent = measure_packed(call, tags)
    session = sessions.issue(
        federated_user_principal(caller.principal, name),
        duration_s=_duration_s(call, caller),
        session_name=name,
        session_policies=read_session_policies(call, caller.account, backend),
        tags=tags,
        transitive_tag_keys=transitive_tag_keys,
        user_id=caller.user_id,
    )
    user: Element = {"FederatedUserId": f"{caller.account}:{name}", "Arn": session.principal.arn}
    return {"Credentials": credentials_of(session), "FederatedUser": user, **packed_size(percent)}


def _duration_s(call: ApiCall, caller: Caller) -> int:
    """Give the session's length: for root an hour at most, whatever was asked."""
    duration_s = int(call.params.get("DurationSeconds", _DEFAULT_S))
    return min(duration_s, _ROOT_MAX_S) if caller.principal.kind is PrincipalKind.ROOT else duration_s
