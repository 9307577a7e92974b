"""ACLs: answered here, for buckets and objects; a bucket that enforces its owner's ownership takes none, and Block
Public Access refuses public ones.

AWS: S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket"; S3 API Reference,
PutBucketAcl, PutObjectAcl, PutBucketOwnershipControls.
"""

from __future__ import annotations

from dataclasses import replace

from keyhole.local.acl_policy import ENFORCED, bucket_acl, object_acl
from keyhole.local.acl_requests import asks_for_acl, grants_others, is_public, private_acl, requested_acl, write_acl
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.s3_xml import document
from keyhole.local.stored_objects import ANONYMOUS_OWNER, Acl, Stamp

_BUCKET_OWNER = "bucket-owner-full-control"


def check_new_acl(call: ApiCall, caller: Caller, bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse the ACL of a new object where the bucket does not take it. Raises: Fault."""
    if bucket is not None and asks_for_acl(call):
        _check(call, caller, bucket, requested_acl(call, caller.account or ANONYMOUS_OWNER, bucket.account))
    return None


def answer_bucket_acl(call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """GetBucketAcl and PutBucketAcl. Raises: Fault."""
    if bucket is None:
        return None
    if call.operation == "GetBucketAcl":
        return document("AccessControlPolicy", write_acl(bucket_acl(bucket)))
    if not asks_for_acl(call):
        raise Fault("MissingSecurityHeader", "Your request was missing a required header", 400)
    acl = requested_acl(call, bucket.account)
    _check(call, caller, bucket, acl)
    backend.set_bucket_acl(bucket.name, acl)
    return Response(200)


def answer_object_acl(call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """GetObjectAcl and PutObjectAcl, of an object that is there. Raises: Fault."""
    key, version_id = str(call.params["Key"]), str(call.params.get("VersionId") or "")
    stored = backend.find_object(str(call.params["Bucket"]), key, version_id)
    if bucket is None or stored is None:
        return None
    present = object_acl(bucket, stored)
    headers = (("x-amz-version-id", stored.version_id),) if stored.version_id != "null" else ()
    if call.operation == "GetObjectAcl":
        return document("AccessControlPolicy", write_acl(present), headers=headers)
    if not asks_for_acl(call):
        raise Fault("MissingSecurityHeader", "Your request was missing a required header", 400)
    acl = requested_acl(call, present.owner, bucket.account)
    _check(call, caller, bucket, acl)
    stamp = replace(stored.stamp, acl=acl) if stored.stamp else Stamp(acl)
    backend.restamp(bucket.name, key, stored.version_id, stamp)
    return Response(200, headers)


def check_ownership(call: ApiCall, _caller: Caller, bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse to disable ACLs while the bucket's own grants something to others. Raises: Fault."""
    rules = (call.params.get("OwnershipControls") or {}).get("Rules") or ()
    enforces = any(rule.get("ObjectOwnership") == ENFORCED for rule in rules)
    if bucket and bucket.acl and enforces and grants_others(bucket.acl, bucket.account):
        raise _with_ownership()
    return None


def check_creation(call: ApiCall) -> None:
    """Hold iff a bucket can be made with the ACL that is asked for: a new one takes neither most ACLs nor public ones.

    AWS: S3 User Guide, "Default settings for new S3 buckets FAQ". Raises: Fault.
    """
    ownership = call.params.get("ObjectOwnership") or ENFORCED
    canned_only = not any(name.startswith("Grant") and call.params[name] for name in call.params)
    is_private = canned_only and call.params.get("ACL") in (None, "", "private")
    if ownership == ENFORCED and not is_private:
        raise _with_ownership()
    if is_public(requested_acl(call, "")):
        message = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"
        raise Fault("InvalidBucketAclWithBlockPublicAccessError", message, 400)


def _check(call: ApiCall, caller: Caller, bucket: Bucket, acl: Acl) -> None:
    if bucket.ownership == ENFORCED and not _is_bucket_owners(call, bucket, acl):
        raise Fault("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)
    if bucket.public_access_block.block_public_acls and is_public(acl):
        raise Fault("AccessDenied", _blocked(call, caller, bucket), 403)


def _blocked(call: ApiCall, caller: Caller, bucket: Bucket) -> str:
    if caller.account != bucket.account:
        return "Access Denied"
    action = f"s3:{call.operation}" if call.operation.endswith("Acl") else "s3:PutObject"
    resource = "/".join(str(call.params[name]) for name in ("Bucket", "Key") if name in call.params)
    return (
        f'User: {caller.principal.arn} is not authorized to perform: {action} on resource: "arn:aws:s3:::{resource}" '
        "because public access control lists (ACLs) are blocked by the BlockPublicAcls block public access setting"
    )


def _is_bucket_owners(call: ApiCall, bucket: Bucket, acl: Acl) -> bool:
    """Hold iff the ACL is the one that a bucket without ACLs takes: full control of its owner, said as such."""
    if call.params.get("ACL"):
        return bool(call.params["ACL"] == _BUCKET_OWNER)
    return acl == private_acl(bucket.account)


def _with_ownership() -> Fault:
    message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
    return Fault("InvalidBucketAclWithObjectOwnership", message, 400)
