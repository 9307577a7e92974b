"""The condition keys that come from who calls: its ARN, its tags, its session.

Of an organization there is none, so aws:PrincipalOrgID is absent; aws:AssumedRoot too, for no root is assumed here.
AWS: IAM User Guide, "AWS global condition context keys", properties of the principal and of a role session.
"""

from __future__ import annotations

from keyhole.iam.model import PrincipalKind
from keyhole.local.call import Caller

Values = dict[str, str | tuple[str, ...]]

_PRINCIPAL_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE_SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.ANONYMOUS: "Anonymous",
}


def principal_context(caller: Caller) -> Values:
    """Give the keys that say who calls."""
    kind = caller.principal.kind
    values: Values = {
        "aws:PrincipalType": _PRINCIPAL_TYPES.get(kind, "Anonymous"),
        "aws:PrincipalIsAWSService": "false",
    }
    if kind is PrincipalKind.ANONYMOUS:
        return {**values, "aws:userid": "anonymous"}
    if identity := caller.web_identity:
        # No principal of AWS's yet: of it there is only what the token says.
        del values["aws:PrincipalType"]
        return {**values, "aws:userid": caller.user_id, **identity.trust_context()}
    is_role = kind is PrincipalKind.ROLE_SESSION
    values["aws:PrincipalArn"] = (caller.principal.role_arn if is_role else "") or caller.principal.arn
    values["aws:PrincipalAccount"] = caller.principal.account
    values["aws:userid"] = caller.user_id
    if caller.user_name:
        values["aws:username"] = caller.user_name
    for key, value in caller.tags:
        values[f"aws:PrincipalTag/{key}"] = value
    if caller.session:
        values["aws:TokenIssueTime"] = f"{caller.session.issued_at:%Y-%m-%dT%H:%M:%SZ}"
        # Sessions here are never made with MFA, so there is no aws:MultiFactorAuthAge; long-term keys have neither.
        values["aws:MultiFactorAuthPresent"] = "false"
        if caller.session.source_identity:
            values["aws:SourceIdentity"] = caller.session.source_identity
        values |= dict(caller.session.context)
    return values
