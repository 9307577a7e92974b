"""What a new object is born with: whose it is, its ACL, and its customer key.

AWS: S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".
"""

from __future__ import annotations

from dataclasses import replace

from keyhole.local import sse_customer
from keyhole.local.acl_policy import ENFORCED
from keyhole.local.acl_requests import private_acl, requested_acl
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller
from keyhole.local.stored_objects import ANONYMOUS_OWNER, Acl, Stamp

_BIRTHS = frozenset({"PutObject", "CopyObject", "CreateMultipartUpload"})
_PREFERRED = "BucketOwnerPreferred"


def new_stamp(call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend) -> Stamp | None:
    """Give the stamp of what the call makes, None where it makes no object. Raises: Fault."""
    if call.service != "s3" or bucket is None:
        return None
    if call.operation == "CompleteMultipartUpload":
        upload = backend.find_upload(bucket.name, str(call.params["UploadId"]))
        stamp = upload.stamp if upload else None
        is_theirs = bool(stamp) and bucket.ownership == ENFORCED
        return replace(stamp, acl=private_acl(bucket.account)) if stamp and is_theirs else stamp
    if call.operation not in _BIRTHS:
        return None
    return Stamp(_acl(call, caller, bucket), sse_customer.new_customer_key(call))


def _acl(call: ApiCall, caller: Caller, bucket: Bucket) -> Acl:
    if bucket.ownership == ENFORCED:
        return private_acl(bucket.account)
    owner = caller.account or ANONYMOUS_OWNER
    if bucket.ownership == _PREFERRED and call.params.get("ACL") == "bucket-owner-full-control":
        return private_acl(bucket.account)
    return requested_acl(call, owner, bucket.account)
