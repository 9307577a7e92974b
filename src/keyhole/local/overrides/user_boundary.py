"""Permissions boundaries of users, which moto forgets.

AWS: IAM API Reference, CreateUser, PutUserPermissionsBoundary, DeleteUserPermissionsBoundary.
"""

from __future__ import annotations

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response

OPERATIONS = ("CreateUser", "PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary")
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def answer_boundary(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Set or remove a user's boundary; for CreateUser, only check that the policy exists."""
    arn = str(call.params.get("PermissionsBoundary", ""))
    if arn and backend.find_policy(arn) is None:
        raise Fault("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    if call.operation == "CreateUser":
        return None
    name = str(call.params.get("UserName", ""))
    if backend.find_user(caller.account, name) is None:
        raise Fault("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
    backend.set_user_boundary(caller.account, name, arn)
    body = f'<{call.operation}Response xmlns="{_NAMESPACE}"><ResponseMetadata/></{call.operation}Response>'
    return Response(200, (("Content-Type", "text/xml"),), body.encode())


def keep_boundary(call: ApiCall, caller: Caller, backend: Backend, response: Response) -> Response:
    """Keep the boundary that the user was created with."""
    arn = str(call.params.get("PermissionsBoundary", ""))
    if arn:
        backend.set_user_boundary(caller.account, str(call.params["UserName"]), arn)
    return response
