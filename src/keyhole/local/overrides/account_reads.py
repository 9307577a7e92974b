"""Reads of an account that moto answers wrongly or not at all: the root user, and who has a managed policy.

AWS: IAM API Reference, GetUser, ListAccessKeys and ListEntitiesForPolicy; IAM User Guide, "AWS account root user".
"""

from __future__ import annotations

from datetime import UTC, datetime

from keyhole.iam.model import PrincipalKind
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.iam_backend import Entity
from keyhole.local.overrides.pages import take_page
from keyhole.local.query_answers import write_answer

# Accounts are there as long as the local AWS is.
_OPENED = datetime.now(UTC).replace(microsecond=0)
# What a call of the root user without a user's name is about.
OF_ROOT = (
    *("GetUser", "ListAccessKeys", "CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey", "CreateLoginProfile"),
    *("ListMFADevices", "ListSigningCertificates", "ListSSHPublicKeys", "ListServiceSpecificCredentials"),
    *("GetLoginProfile", "UpdateLoginProfile", "DeleteLoginProfile"),
)
_KINDS = {"User": "user", "Role": "role", "Group": "group"}


def answer_root(call: ApiCall, caller: Caller, _bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Answer a call of the root user that is about itself. Raises: Fault where its own keys would change."""
    if "UserName" in call.params or caller.principal.kind is not PrincipalKind.ROOT:
        return None
    account = caller.account
    if call.operation == "GetUser":
        user = {"UserId": account, "Arn": caller.principal.arn, "CreateDate": _OPENED}
        return write_answer(call, {"User": user})
    if call.operation == "ListAccessKeys":
        key = {"AccessKeyId": caller.access_key_id, "Status": "Active", "CreateDate": _OPENED}
        return write_answer(call, {"AccessKeyMetadata": [key], "IsTruncated": False})
    if call.operation.startswith("List"):
        return None
    message = f"The root user's own credentials are given by Keyhole's local AWS: it has no {call.operation} for them"
    raise Fault("AccessDenied", message, 403)


def list_entities(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Answer who has the policy, as permissions or as a boundary."""
    arn = str(call.params.get("PolicyArn", ""))
    chosen, usage = str(call.params.get("EntityFilter") or ""), str(call.params.get("PolicyUsageFilter") or "")
    if (chosen == "LocalManagedPolicy" and ":iam::aws:" in arn) or (
        chosen == "AWSManagedPolicy" and ":iam::aws:" not in arn
    ):
        kinds = []
    else:
        kinds = [chosen] if chosen in _KINDS else list(_KINDS)
    prefix = str(call.params.get("PathPrefix") or "/")
    found = [
        (kind, entity)
        for kind in kinds
        for entity in sorted(backend.list_entities(caller.account, _KINDS[kind]), key=lambda item: item.name)
        if entity.path.startswith(prefix) and _has(entity, arn, usage)
    ]
    page, more = take_page(call, found)
    lists = {
        f"Policy{kind}s": [
            {f"{kind}Name": entity.name, f"{kind}Id": entity.unique_id} for other, entity in page if other == kind
        ]
        for kind in _KINDS
    }
    return write_answer(call, {**lists, **more})


def _has(entity: Entity, arn: str, usage: str) -> bool:
    is_attached = arn in entity.attached and usage != "PermissionsBoundary"
    return is_attached or (arn == entity.boundary_arn and usage != "PermissionsPolicy")
