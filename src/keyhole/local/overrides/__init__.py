"""What moto gets wrong, answered in front of it: rules that run before a call, and repairs that run after it.

A rule that runs before returns None to let the call go on, a Response to answer it, or raises the Fault that AWS gives.
"""

from __future__ import annotations

from collections.abc import Callable

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Response
from keyhole.local.overrides import acls, bucket_creation, bucket_policy, iam_documents, user_boundary, users

Before = Callable[[ApiCall, Caller, Bucket | None, Backend], Response | None]
After = Callable[[ApiCall, Caller, Backend, Response], Response]

_BEFORE: dict[tuple[str, str], Before] = {
    ("s3", "CreateBucket"): bucket_creation.refuse_taken_name,
    ("s3", "PutBucketPolicy"): bucket_policy.check_policy,
    ("s3", "GetBucketPolicyStatus"): bucket_policy.answer_status,
    **{("s3", operation): acls.check_acl for operation in acls.OPERATIONS},
    **{("iam", operation): iam_documents.check_document for operation in iam_documents.OPERATIONS},
    **{("iam", operation): users.check_user for operation in users.OPERATIONS},
    **{("iam", operation): user_boundary.answer_boundary for operation in user_boundary.OPERATIONS},
}
_AFTER: dict[tuple[str, str], After] = {
    ("s3", "CreateBucket"): bucket_creation.secure_bucket,
    ("s3", "PutBucketPolicy"): bucket_policy.answer_without_body,
    ("iam", "CreateUser"): user_boundary.keep_boundary,
}


def answer_before(call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """Give the answer to a call that must not reach the backend, None for one that must. Raises: Fault."""
    rule = _BEFORE.get((call.service, call.operation))
    return rule(call, caller, bucket, backend) if rule else None


def repair_after(call: ApiCall, caller: Caller, backend: Backend, response: Response) -> Response:
    """Give what the client is to get for a call that the backend answered."""
    rule = _AFTER.get((call.service, call.operation))
    return rule(call, caller, backend, response) if rule and response.status < 300 else response
