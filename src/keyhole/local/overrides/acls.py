"""ACLs: a bucket that enforces its owner's ownership takes none; Block Public Access refuses public ones.

AWS: S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".
"""

from __future__ import annotations

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response

OPERATIONS = ("PutObject", "CopyObject", "CreateMultipartUpload", "PutObjectAcl", "PutBucketAcl")
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
_PUBLIC = frozenset({"public-read", "public-read-write", "authenticated-read"})
_EVERYONE = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)


def check_acl(call: ApiCall, _caller: Caller, bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse an ACL that the bucket's settings do not take. Raises: Fault."""
    if bucket is None:
        return None
    canned = call.params.get("ACL")
    grants = [str(call.params[name]) for name in _GRANTS if call.params.get(name)]
    document = call.params.get("AccessControlPolicy")
    sets_acl = bool(grants or document or (canned and canned != "bucket-owner-full-control"))
    if bucket.ownership == "BucketOwnerEnforced" and sets_acl:
        raise Fault("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)
    is_public = canned in _PUBLIC or any(group in str(part) for part in (*grants, document) for group in _EVERYONE)
    if bucket.public_access_block.block_public_acls and is_public:
        raise Fault("AccessDenied", "Access Denied", 403)
    return None
