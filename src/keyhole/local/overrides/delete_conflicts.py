"""What still hangs on a user, role, group, policy or instance profile keeps it from being deleted.

AWS: IAM API Reference, error DeleteConflict of DeleteUser, DeleteRole, DeleteGroup, DeletePolicy, DeletePolicyVersion
and DeleteInstanceProfile; IAM User Guide, "Remove or deactivate an IAM user".
"""

from __future__ import annotations

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.iam_backend import Entity
from keyhole.local.overrides.iam_entities import holder_of

OPERATIONS = ("DeleteUser", "DeleteRole", "DeleteGroup", "DeletePolicy", "DeletePolicyVersion", "DeleteInstanceProfile")
_PREFIX = "Cannot delete entity, must "


def check_deletion(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse to delete what something hangs on. Raises: Fault (DeleteConflict)."""
    account, operation = caller.account, call.operation
    if operation == "DeleteInstanceProfile":
        profile = backend.find_profile(account, str(call.params.get("InstanceProfileName", "")))
        if profile and profile.role_arns:
            raise _conflict(f"{_PREFIX}remove roles from instance profile first.")
    elif operation in ("DeletePolicy", "DeletePolicyVersion"):
        _check_policy(call, account, backend)
    elif (entity := holder_of(call, account, backend)) and (why := _find_reason(entity)):
        raise _conflict(f"{_PREFIX}{why}")
    return None


def is_used(arn: str, account: str, backend: Backend) -> bool:
    """Hold iff a user, role or group of the account has the managed policy, be it as a boundary."""
    return any(
        arn in entity.attached or arn == entity.boundary_arn
        for kind in ("user", "role", "group")
        for entity in backend.list_entities(account, kind)
    )


def _check_policy(call: ApiCall, account: str, backend: Backend) -> None:
    arn = str(call.params.get("PolicyArn", ""))
    policy = backend.find_managed_policy(account, arn)
    if policy is None:
        return
    if call.operation == "DeletePolicyVersion":
        if call.params.get("VersionId") == policy.default_version:
            raise _conflict("Cannot delete the default version of a policy.")
        return
    if is_used(arn, account, backend):
        raise _conflict("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise _conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )


def _find_reason(entity: Entity) -> str:
    """Give what must be done first, "" where nothing must."""
    if entity.profiles:
        return "remove roles from instance profile first."
    if entity.members:
        return "remove users from group first."
    if entity.groups:
        return "remove users from group first."
    if entity.access_key_ids:
        return "delete access keys first."
    if entity.has_password:
        return "delete login profile first."
    if entity.mfa_devices:
        return "delete MFA device first."
    if entity.has_certificates:
        return "delete certificates first."
    if entity.attached:
        return "detach all policies first."
    if entity.inline:
        return "delete policies first."
    return "remove referenced objects first." if entity.has_ssh_keys else ""


def _conflict(message: str) -> Fault:
    return Fault("DeleteConflict", message, 409)
