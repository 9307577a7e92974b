"""What is not there: without the right to list the bucket, it cannot be told from what is forbidden.

AWS: S3 API Reference, GetObject, HeadObject, GetObjectAttributes and CopyObject: without s3:ListBucket, an object that
is not there is a 403.
"""

from __future__ import annotations

from keyhole.local.actions import s3
from keyhole.local.actions.row import Question
from keyhole.local.call import Fault
from keyhole.local.inquiry import Inquiry, access_denied

_READS = frozenset(
    {
        *("GetObject", "HeadObject", "GetObjectAttributes", "GetObjectAcl", "GetObjectTagging", "GetObjectRetention"),
        *("GetObjectLegalHold", "PutObjectAcl", "PutObjectTagging", "DeleteObjectTagging", "PutObjectRetention"),
        *("PutObjectLegalHold", "RestoreObject", "SelectObjectContent"),
    }
)
_COPIES = frozenset({"CopyObject", "UploadPartCopy"})


def hide_missing(inquiry: Inquiry) -> None:
    """Return where the object that the call reads is there, or the caller may know that it is not. Raises: Fault."""
    call = inquiry.call
    if call.service != "s3":
        return
    if call.operation in _READS:
        name = (str(call.params["Bucket"]), str(call.params["Key"]), str(call.params.get("VersionId") or ""))
    elif call.operation in _COPIES:
        name = s3.copy_source(call)
    else:
        return
    if inquiry.backend.has_object(*name):
        return
    if inquiry.backend.find_bucket(name[0]) is None:
        message = "The specified bucket does not exist"
        raise Fault("NoSuchBucket", message, 404, extra=(("BucketName", name[0]),))
    if message := inquiry.ask(Question("s3:ListBucket", f"arn:aws:s3:::{name[0]}", {})):
        raise access_denied(call, message)
