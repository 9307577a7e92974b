"""Users and groups are renamed to free names only, and a user goes only without its keys.

AWS: IAM API Reference, UpdateUser, UpdateGroup (EntityAlreadyExists) and DeleteUser (DeleteConflict).
"""

from __future__ import annotations

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response

OPERATIONS = ("UpdateUser", "UpdateGroup", "DeleteUser")


def check_user(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse what would take another's place, or leave keys without a user. Raises: Fault."""
    params, account = call.params, caller.account
    if call.operation == "DeleteUser":
        user = backend.find_user(account, str(params.get("UserName", "")))
        if user and user.access_key_ids:
            raise Fault("DeleteConflict", "Cannot delete entity, must delete access keys first.", 409)
        return None
    kind = call.operation.removeprefix("Update")
    old, new = str(params.get(f"{kind}Name", "")), str(params.get(f"New{kind}Name") or "")
    is_taken = backend.find_user(account, new) is not None if kind == "User" else backend.group_arn(account, new) != ""
    if new and new != old and is_taken:
        raise Fault("EntityAlreadyExists", f"{kind} with name {new} already exists.", 409)
    return None
