"""Service-linked roles are made once, and nobody but their service changes them.

AWS: IAM User Guide, "Create a service-linked role"; IAM API Reference, CreateServiceLinkedRole, DeleteServiceLinkedRole
and error UnmodifiableEntity.
"""

from __future__ import annotations

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.linked_roles import is_service, linked_role_name, protected_role
from keyhole.local.overrides.iam_entities import no_such

_CHANGES = frozenset(
    {
        *("AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "DeleteRole"),
        *("UpdateAssumeRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"),
        "AddRoleToInstanceProfile",
    }
)
_RESERVED = "/aws-service-role/"


def check_role(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse to change a linked role, or to make one that is no service's. Raises: Fault."""
    if call.operation == "CreateServiceLinkedRole":
        _check_new(call, caller, backend)
        return None
    if call.operation == "CreateRole" and str(call.params.get("Path") or "").startswith(_RESERVED):
        raise Fault("InvalidInput", f"The path {call.params['Path']} is reserved for service-linked roles.", 400)
    name = str(call.params.get("RoleName") or "")
    role = backend.find_entity(caller.account, "role", name) if name else None
    is_linked = role is not None and role.is_service_linked
    if call.operation == "DeleteServiceLinkedRole" and not is_linked:
        raise no_such(f"The role with name {name} cannot be found.")
    is_change = call.operation in _CHANGES or (
        call.operation == "UpdateRole" and "MaxSessionDuration" in call.params  # its description may be changed
    )
    if is_linked and is_change:
        raise protected_role(name)
    return None


def _check_new(call: ApiCall, caller: Caller, backend: Backend) -> None:
    service = str(call.params.get("AWSServiceName") or "")
    if not is_service(service):
        raise Fault("InvalidInput", f"Invalid service name: {service}", 400)
    name = linked_role_name(service, str(call.params.get("CustomSuffix") or ""))
    if backend.find_entity(caller.account, "role", name):
        message = f"Service role name {name} has been taken in this account, please try a different suffix."
        raise Fault("InvalidInput", message, 400)
