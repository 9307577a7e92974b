"""STS as the local AWS answers it: who a caller is, and temporary credentials for those that were let through.

`check_call` is asked before the policies: what no policy can allow. Operations that are not known here are refused,
never answered with credentials.
AWS: Security Token Service API Reference; IAM User Guide, "Compare AWS STS credentials".
"""

from __future__ import annotations

from keyhole.iam.model import PrincipalKind
from keyhole.local.backend import Backend
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.root_keys import root_account
from keyhole.local.sessions import SessionStore
from keyhole.local.sts_answers import Element, render_answer
from keyhole.local.sts_parameters import check_parameters
from keyhole.local.sts_roles import assume_role
from keyhole.local.sts_users import get_federation_token, get_session_token

OFFERED = frozenset(
    {
        *("AssumeRole", "AssumeRoleWithWebIdentity", "DecodeAuthorizationMessage", "GetAccessKeyInfo"),
        *("GetCallerIdentity", "GetFederationToken", "GetSessionToken"),
    }
)
_LONG_TERM_ONLY = frozenset({"GetFederationToken", "GetSessionToken"})
# Users with a session token, made without MFA, may call nothing else of STS.
_OF_SESSION_TOKENS = frozenset({"AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"})


def check_call(call: ApiCall, caller: Caller) -> None:
    """Return where the call is one that this caller's kind of credentials can make. Raises: Fault."""
    if call.operation not in OFFERED:
        raise Fault("NotImplemented", f"sts:{call.operation} is not available in Keyhole's local AWS", 501)
    is_anonymous = caller.principal.kind is PrincipalKind.ANONYMOUS
    if is_anonymous:
        raise Fault("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    check_parameters(call)
    if "SerialNumber" in call.params or "TokenCode" in call.params:
        # No device here is registered for MFA with STS, so no code can be right.
        raise Fault(
            "AccessDenied",
            "MultiFactorAuthentication failed, unable to validate MFA code. "
            "Please verify your MFA serial number is valid and associated with this user.",
            403,
        )
    if "ProvidedContexts" in call.params:
        raise Fault("NotImplemented", "ProvidedContexts of sts:AssumeRole is not available in Keyhole's local AWS", 501)
    if call.operation == "AssumeRole" and caller.principal.kind is PrincipalKind.ROOT:
        # AWS: STS API Reference, AssumeRole: "You cannot use … root user credentials to call AssumeRole".
        raise Fault("AccessDenied", "Roles may not be assumed by root accounts.", 403)
    _check_session(call, caller)


def _check_session(call: ApiCall, caller: Caller) -> None:
    """Raises: Fault where temporary credentials of the caller's kind cannot make the call."""
    if caller.session is None or caller.principal.kind is PrincipalKind.WEB_IDENTITY:
        return
    is_token = caller.principal.kind in (PrincipalKind.USER, PrincipalKind.ROOT)
    if call.operation in _LONG_TERM_ONLY or (is_token and call.operation not in _OF_SESSION_TOKENS):
        raise Fault("AccessDenied", f"Cannot call {call.operation} with session credentials", 403)


def answer(call: ApiCall, caller: Caller, backend: Backend, sessions: SessionStore) -> Response | None:
    """Answer an STS call that was checked and authorized; None for a call of another service. Raises: Fault."""
    if call.service != "sts":
        return None
    return render_answer(call.operation, _answer(call, caller, backend, sessions))


def _answer(call: ApiCall, caller: Caller, backend: Backend, sessions: SessionStore) -> dict[str, Element]:
    match call.operation:
        case "GetCallerIdentity":
            return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.principal.arn}
        case "AssumeRole" | "AssumeRoleWithWebIdentity":
            return assume_role(call, caller, backend, sessions)
        case "GetSessionToken":
            return get_session_token(call, caller, sessions)
        case "GetFederationToken":
            return get_federation_token(call, caller, backend, sessions)
        case "GetAccessKeyInfo":
            return {"Account": _account_of_key(str(call.params["AccessKeyId"]), backend, sessions)}
        case _:
            # Denials here carry no encoded message, so there is none to decode.
            message = "Message is invalid or has expired: Keyhole's local AWS hands out none"
            raise Fault("InvalidAuthorizationMessageException", message, 400)


def _account_of_key(access_key_id: str, backend: Backend, sessions: SessionStore) -> str:
    if account := root_account(access_key_id):
        return account
    if session := sessions.find(access_key_id):
        return session.principal.account
    key = backend.find_access_key(access_key_id)
    if key is None:
        raise Fault("InvalidClientTokenId", "The access key ID does not exist in Keyhole's local AWS", 403)
    return key.account
