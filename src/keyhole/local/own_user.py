"""IAM calls that name no user mean the caller's own: it is named before the call is authorized.

AWS: IAM API Reference, CreateAccessKey, GetUser: "if you do not specify a user name, IAM determines it from the access
key that signs the request". The store would take it from the key that the call is about.
"""

from __future__ import annotations

from dataclasses import replace

from keyhole.iam.model import PrincipalKind
from keyhole.local.call import ApiCall, Caller, Fault
from keyhole.local.service_models import find_operation


def name_caller(call: ApiCall, caller: Caller) -> ApiCall:
    """Give the call with its user named. Raises: Fault (ValidationError) where the caller is no user, and not root."""
    if call.service != "iam" or call.params.get("UserName"):
        return call
    operation = find_operation(call.service, call.operation)
    shape = operation.input_shape if operation else None
    if shape is None or "UserName" not in shape.members or "UserName" in shape.required_members:
        return call
    if caller.user_name:
        return replace(call, params={**call.params, "UserName": caller.user_name})
    if caller.principal.kind is PrincipalKind.ROOT:
        return call
    raise Fault("ValidationError", "Must specify userName when calling with non-User credentials", 400)
