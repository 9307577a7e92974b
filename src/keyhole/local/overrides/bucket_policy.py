"""Bucket policies are checked when they are put: their language, their resources, their principals, and whether the
bucket takes public ones.

AWS: S3 User Guide, "Policies and permissions in Amazon S3" and "Blocking public access to your Amazon S3 storage".
"""

from __future__ import annotations

from keyhole.errors import PolicyError
from keyhole.iam import parse_policy, public
from keyhole.iam.model import PolicyKind
from keyhole.iam.quotas import BUCKET, check_quota
from keyhole.local.backend import Backend, Bucket, Document
from keyhole.local.bucket_policy_rules import INVALID_PRINCIPAL, find_conflict
from keyhole.local.bucket_policy_text import find_defect
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.overrides.principals import unknown_principal
from keyhole.local.policies import parse_stored


def check_policy(call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend) -> None:
    """Refuse a policy that AWS refuses. Raises: Fault (MalformedPolicy, AccessDenied)."""
    text = str(call.params.get("Policy", ""))
    name = str(call.params["Bucket"])
    if check_quota(text, BUCKET):
        raise _malformed(BUCKET.refusal)
    if defect := find_defect(text):
        raise _malformed(defect)
    try:
        policy = parse_policy(text, PolicyKind.RESOURCE, name)
    except PolicyError as error:
        raise _malformed(_sentence(error)) from error
    if conflict := find_conflict(policy, name):
        raise _malformed(conflict)
    if unknown_principal(policy, backend):
        raise _malformed(INVALID_PRINCIPAL)
    if bucket and bucket.public_access_block.block_public_policy and public.is_public(policy):
        message = (
            f"User: {caller.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"arn:aws:s3:::{name}" because public policies are blocked by the BlockPublicPolicy block public access '
            "setting."
        )
        raise Fault("AccessDenied", message, 403)


def answer_without_body(_call: ApiCall, _caller: Caller, _backend: Backend, _response: Response) -> Response:
    """PutBucketPolicy answers 204 with nothing in it."""
    return Response(204)


def answer_status(_call: ApiCall, _caller: Caller, bucket: Bucket | None, _backend: Backend) -> Response | None:
    """GetBucketPolicyStatus, by the same definition of public that is enforced."""
    if bucket is None or bucket.policy is None:
        return None
    policy = parse_stored(Document(bucket.name, bucket.policy), PolicyKind.RESOURCE)
    flag = "true" if public.is_public(policy) else "false"
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<PolicyStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<IsPublic>{flag}</IsPublic></PolicyStatus>"
    )
    return Response(200, (("Content-Type", "application/xml"),), body.encode())


def _sentence(error: PolicyError) -> str:
    """Give what S3 says to what only the language's grammar forbids."""
    return INVALID_PRINCIPAL if "rincipal" in error.where else "Invalid policy syntax."


def _malformed(message: str) -> Fault:
    return Fault("MalformedPolicy", message, 400)
