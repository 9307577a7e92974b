"""Credentials of a role for those that its trust policy let through: AssumeRole and AssumeRoleWithWebIdentity.

AWS: STS API Reference, AssumeRole and AssumeRoleWithWebIdentity.
"""

from __future__ import annotations

from keyhole.iam.model import PrincipalKind
from keyhole.local.backend import Backend, Role
from keyhole.local.call import ApiCall, Caller, Fault
from keyhole.local.role_trust import read_session_request, role_by_arn
from keyhole.local.session_policies import measure_packed, read_session_policies
from keyhole.local.sessions import SessionStore, assumed_role_principal
from keyhole.local.sts_answers import Element, credentials_of, packed_size
from keyhole.local.sts_parameters import merge_session_tags, read_arn

_CHAINED_MAX_S = 3600
_DEFAULT_S = 3600


def assume_role(call: ApiCall, caller: Caller, backend: Backend, sessions: SessionStore) -> dict[str, Element]:
    """Give credentials of the role, and who they act as. Raises: Fault."""
    role = _find_role(call, caller, backend)
    wanted = read_session_request(call, caller)
    tags, transitive_tag_keys = merge_session_tags(wanted.tags, wanted.transitive_tag_keys, caller.session)
    policies = read_session_policies(call, role.account, backend)
    percent = measure_packed(call, tags)
    session_name, identity = str(call.params["RoleSessionName"]), caller.web_identity
    session = sessions.issue(
        assumed_role_principal(role.arn, session_name),
        duration_s=_duration_s(call, caller, role),
        role_id=role.role_id,
        session_name=session_name,
        session_policies=policies,
        tags=tags,
        transitive_tag_keys=transitive_tag_keys,
        source_identity=wanted.source_identity,
        context=identity.session_context() if identity else {},
    )
    answer: dict[str, Element] = {
        "Credentials": credentials_of(session),
        "AssumedRoleUser": {"AssumedRoleId": f"{role.role_id}:{session_name}", "Arn": session.principal.arn},
        **packed_size(percent),
    }
    if identity:
        answer |= {"SubjectFromWebIdentityToken": identity.subject, "Provider": identity.provider_arn}
        answer["Audience"] = ",".join(identity.audience)
    if wanted.source_identity:
        answer["SourceIdentity"] = wanted.source_identity
    return answer


def _find_role(call: ApiCall, caller: Caller, backend: Backend) -> Role:
    role_arn = str(call.params["RoleArn"])
    read_arn(role_arn, "role")
    role = role_by_arn(role_arn, backend)
    if role is None:
        # A role that is not there is denied like one that does not trust the caller: names are not told.
        if caller.web_identity:
            raise Fault("AccessDenied", f"Not authorized to perform sts:{call.operation}", 403)
        sentence = f"User: {caller.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        raise Fault("AccessDenied", sentence, 403)
    return role


def _duration_s(call: ApiCall, caller: Caller, role: Role) -> int:
    """Give the session's length.

    AWS: IAM User Guide, "Methods to assume a role", maximum session duration and role chaining.
    """
    duration_s = int(call.params.get("DurationSeconds", _DEFAULT_S))
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
