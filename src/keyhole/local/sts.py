"""STS as the local AWS answers it: who a caller is, and temporary credentials for those that were let through.

The gate has decided sts:AssumeRole (trust policy and identity policies) before it asks here; what is left is
what AWS checks of the parameters. Operations that are not known here are refused, never answered with credentials.
AWS: Security Token Service API Reference.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from xml.sax.saxutils import escape

from keyhole.errors import PolicyError
from keyhole.iam import parse_policy
from keyhole.iam.model import Policy, PolicyKind, PrincipalKind
from keyhole.local.backend import Backend, Role
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.sessions import Session, SessionStore, assumed_role_principal
from keyhole.local.sts_parameters import check_parameters, merge_session_tags

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_CHAINED_MAX_S = 3600
_ROOT_TOKEN_MAX_S = 3600
_DEFAULT_ROLE_S = 3600
_DEFAULT_TOKEN_S = 43200

# Members that would change what a session may do, or who may have it, if they were heeded: refused, not skipped.
_UNAVAILABLE_MEMBERS = ("SourceIdentity", "ProvidedContexts")

Element = str | Mapping[str, "Element"]


def answer(call: ApiCall, caller: Caller, backend: Backend, sessions: SessionStore) -> Response | None:
    """Answer an STS call that was authorized; None for a call of another service.

    Raises: Fault where AWS would refuse it, and for what the local AWS does not offer.
    """
    if call.service != "sts":
        return None
    operations = {
        "GetCallerIdentity": lambda: _identify_caller(caller),
        "AssumeRole": lambda: _assume_role(call, caller, backend, sessions),
        "GetSessionToken": lambda: _get_session_token(call, caller, sessions),
    }
    if call.operation not in operations:
        raise Fault("NotImplemented", f"sts:{call.operation} is not available in the local AWS yet", 501)
    if not caller.account:
        raise Fault("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    return _render(call.operation, operations[call.operation]())


def _identify_caller(caller: Caller) -> dict[str, Element]:
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.principal.arn}


def _assume_role(call: ApiCall, caller: Caller, backend: Backend, sessions: SessionStore) -> dict[str, Element]:
    check_parameters(call)
    _refuse_unavailable(call)
    if caller.principal.kind is PrincipalKind.ROOT:
        # AWS: STS API Reference, AssumeRole: "You cannot use … root user credentials to call AssumeRole".
        raise Fault("AccessDenied", "Roles may not be assumed by root accounts.", 403)
    role = _find_role(str(call.params["RoleArn"]), caller, backend)
    session_name = str(call.params["RoleSessionName"])
    tags, transitive_tag_keys = merge_session_tags(call, caller.session)
    session = sessions.issue(
        assumed_role_principal(role.arn, session_name),
        duration_s=_role_duration_s(call, caller, role),
        role_id=role.role_id,
        session_name=session_name,
        session_policies=_session_policies(call, role, backend),
        tags=tags,
        transitive_tag_keys=transitive_tag_keys,
    )
    return {
        "Credentials": _credentials(session),
        "AssumedRoleUser": {"AssumedRoleId": f"{role.role_id}:{session_name}", "Arn": session.principal.arn},
    }


def _get_session_token(call: ApiCall, caller: Caller, sessions: SessionStore) -> dict[str, Element]:
    check_parameters(call)
    if caller.session is not None:
        raise Fault("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    _refuse_unavailable(call)
    duration_s = int(call.params.get("DurationSeconds", _DEFAULT_TOKEN_S))
    if caller.principal.kind is PrincipalKind.ROOT:
        # AWS: STS API Reference, GetSessionToken: longer sessions of a root user default to one hour.
        duration_s = min(duration_s, _ROOT_TOKEN_MAX_S)
    session = sessions.issue(caller.principal, duration_s=duration_s, user_id=caller.user_id)
    return {"Credentials": _credentials(session)}


def _refuse_unavailable(call: ApiCall) -> None:
    if "SerialNumber" in call.params or "TokenCode" in call.params:
        # There are no MFA devices here, so no code can be right.
        raise Fault(
            "AccessDenied",
            "MultiFactorAuthentication failed, unable to validate MFA code. "
            "Please verify your MFA serial number is valid and associated with this user.",
            403,
        )
    for member in _UNAVAILABLE_MEMBERS:
        if member in call.params:
            raise Fault(
                "NotImplemented", f"{member} of sts:{call.operation} is not available in the local AWS yet", 501
            )


def _find_role(role_arn: str, caller: Caller, backend: Backend) -> Role:
    fields = role_arn.split(":", 5)
    if len(fields) != 6 or fields[0] != "arn" or fields[2] != "iam" or not fields[5].startswith("role/"):
        raise Fault("ValidationError", f"{role_arn} is invalid")
    role = backend.find_role(fields[4], role_arn.rsplit("/", 1)[-1])
    if role is None or role.arn != role_arn:
        # A role that is not there is denied like one that does not trust the caller: names are not told.
        sentence = f"User: {caller.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        raise Fault("AccessDenied", sentence, 403)
    return role


def _role_duration_s(call: ApiCall, caller: Caller, role: Role) -> int:
    """Give the session's length.

    AWS: IAM User Guide, "Methods to assume a role", maximum session duration and role chaining.
    """
    duration_s = int(call.params.get("DurationSeconds", _DEFAULT_ROLE_S))
    is_chained = caller.session is not None and caller.principal.kind is PrincipalKind.ROLE_SESSION
    if is_chained and duration_s > _CHAINED_MAX_S:
        raise Fault(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        )
    if duration_s > role.max_session_s:
        raise Fault(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return duration_s


def _session_policies(call: ApiCall, role: Role, backend: Backend) -> tuple[Policy, ...] | None:
    """Give the inline and managed session policies, None where none are passed.

    AWS: IAM User Guide, "Policies and permissions in AWS Identity and Access Management", session policies.
    """
    policies: list[Policy] = []
    if "Policy" in call.params:
        policies.append(_parse(str(call.params["Policy"]), "session policy"))
    for descriptor in call.params.get("PolicyArns", ()):
        arn = str(descriptor.get("arn", ""))
        document = backend.find_policy(arn) if _is_policy_of(arn, role.account) else None
        if document is None:
            raise Fault("ValidationError", f"Policy {arn} does not exist or is not attachable.")
        policies.append(_parse(document.text, document.name))
    return tuple(policies) or None


def _is_policy_of(arn: str, account: str) -> bool:
    fields = arn.split(":", 5)
    return len(fields) == 6 and fields[2] == "iam" and fields[4] in {account, "aws"} and fields[5].startswith("policy/")


def _parse(text: str, name: str) -> Policy:
    try:
        return parse_policy(text, kind=PolicyKind.SESSION, name=name)
    except PolicyError as error:
        raise Fault("MalformedPolicyDocument", str(error)) from error


def _credentials(session: Session) -> dict[str, Element]:
    return {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": _render_time(session.expires_at),
    }


def _render_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _render(operation: str, result: Mapping[str, Element]) -> Response:
    """Give the answer as the query protocol writes it."""
    request_id = str(uuid.uuid4())
    inner = _render_element(f"{operation}Result", result)
    metadata = _render_element("ResponseMetadata", {"RequestId": request_id})
    text = f'<{operation}Response xmlns="{_NAMESPACE}">{inner}{metadata}</{operation}Response>'
    return Response(200, (("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)), text.encode())


def _render_element(name: str, value: Element) -> str:
    content = escape(value) if isinstance(value, str) else "".join(_render_element(*item) for item in value.items())
    return f"<{name}>{content}</{name}>"
