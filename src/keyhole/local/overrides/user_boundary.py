"""Permissions boundaries: a policy of the account's own or of AWS's, kept for users too, whose boundaries moto forgets.

AWS: IAM API Reference, CreateUser, CreateRole, PutUserPermissionsBoundary, DeleteUserPermissionsBoundary; IAM User
Guide, "Permissions boundaries for IAM entities".
"""

from __future__ import annotations

from dataclasses import replace
from xml.sax.saxutils import escape

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Response
from keyhole.local.overrides.iam_entities import no_such
from keyhole.local.query_answers import write_answer

_OF_USERS = ("PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary")
OPERATIONS = ("CreateUser", "CreateRole", "PutRolePermissionsBoundary", *_OF_USERS)


def answer_boundary(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Set or remove a user's boundary; for other calls, only check that the policy is one that can be attached."""
    arn = str(call.params.get("PermissionsBoundary", ""))
    if arn and (arn.split(":")[4:5] not in ([caller.account], ["aws"]) or backend.find_policy(arn) is None):
        raise no_such(f"Scope ARN: {arn} does not exist or is not attachable.")
    if call.operation not in _OF_USERS:
        return None
    backend.set_user_boundary(caller.account, str(call.params.get("UserName", "")), arn)
    return write_answer(call)


def keep_boundary(call: ApiCall, caller: Caller, backend: Backend, response: Response) -> Response:
    """Keep the boundary that the user was created with."""
    arn = str(call.params.get("PermissionsBoundary", ""))
    if not arn:
        return response
    backend.set_user_boundary(caller.account, str(call.params["UserName"]), arn)
    boundary = (
        "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>"
        f"<PermissionsBoundaryArn>{escape(arn)}</PermissionsBoundaryArn></PermissionsBoundary></User>"
    )
    return replace(response, body=response.body.replace(b"</User>", boundary.encode()))
