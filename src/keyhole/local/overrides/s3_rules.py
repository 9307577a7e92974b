"""Which of S3's own rules a call has to pass, in order, and what is put right of the answers.

AWS: S3 API Reference, the pages of the operations.
"""

from __future__ import annotations

from collections.abc import Callable

from keyhole.local import object_deletion
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Response
from keyhole.local.overrides import (
    acls,
    bucket_creation,
    bucket_list,
    bucket_policy,
    listings,
    multipart,
    object_locks,
    object_reads,
    object_writes,
    part_reads,
)

Before = Callable[[ApiCall, Caller, Bucket | None, Backend], Response | None]
After = Callable[[ApiCall, Caller, Backend, Response], Response]

_NEW_OBJECT: tuple[Before, ...] = (acls.check_new_acl, object_writes.check_write, object_locks.check_headers)
_LOCKS = ("GetObjectRetention", "PutObjectRetention", "GetObjectLegalHold", "PutObjectLegalHold")

_BEFORE: dict[str, tuple[Before, ...]] = {
    "CreateBucket": (bucket_creation.refuse_taken_name,),
    "PutBucketVersioning": (object_locks.keep_versioning,),
    "PutBucketPolicy": (bucket_policy.check_policy,),
    "GetBucketPolicyStatus": (bucket_policy.answer_status,),
    "PutBucketOwnershipControls": (acls.check_ownership,),
    "GetBucketAcl": (acls.answer_bucket_acl,),
    "PutBucketAcl": (acls.answer_bucket_acl,),
    "GetObjectAcl": (object_reads.check_presence, acls.answer_object_acl),
    "PutObjectAcl": (object_reads.check_presence, acls.answer_object_acl),
    "PutObject": _NEW_OBJECT,
    "CopyObject": (*_NEW_OBJECT, object_reads.check_copy),
    "CreateMultipartUpload": _NEW_OBJECT,
    "UploadPart": (multipart.check_part,),
    "UploadPartCopy": (multipart.check_part, object_reads.check_copy),
    "CompleteMultipartUpload": (multipart.check_completion,),
    "AbortMultipartUpload": (multipart.check_upload,),
    "ListParts": (multipart.list_parts,),
    "ListMultipartUploads": (listings.list_uploads,),
    "ListObjects": (listings.list_objects,),
    "ListObjectsV2": (listings.list_objects_v2,),
    "ListObjectVersions": (listings.list_versions,),
    "GetObject": (object_reads.check_read, part_reads.answer_part),
    "HeadObject": (object_reads.check_read, part_reads.answer_part, object_reads.answer_null_version),
    "GetObjectAttributes": (object_reads.check_read,),
    "GetObjectTagging": (object_reads.check_presence,),
    "PutObjectTagging": (object_reads.check_presence, object_writes.check_tagging),
    "DeleteObjectTagging": (object_reads.check_presence,),
    "DeleteObject": (object_deletion.answer_deletion,),
    **dict.fromkeys(_LOCKS, (object_locks.answer_lock,)),
}
_WITH_KEY = ("GetObject", "HeadObject", "PutObject", "CopyObject", "CompleteMultipartUpload")
_AFTER: dict[str, After] = {
    "CreateBucket": bucket_creation.secure_bucket,
    "PutBucketPolicy": bucket_policy.answer_without_body,
    "ListBuckets": bucket_list.name_owner,
    "CreateMultipartUpload": multipart.tell_customer_key,
    "UploadPart": multipart.tell_customer_key,
    "UploadPartCopy": multipart.tell_customer_key,
    **dict.fromkeys(_WITH_KEY, object_reads.tell_customer_key),
}

OPERATIONS_BEFORE = tuple(_BEFORE)
OPERATIONS_AFTER = tuple(_AFTER)


def answer_before(call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """Give the answer to a call that must not reach the store, None for one that must. Raises: Fault."""
    for rule in _BEFORE[call.operation]:
        answer = rule(call, caller, bucket, backend)
        if answer is not None:
            return answer
    return None


def repair_after(call: ApiCall, caller: Caller, backend: Backend, response: Response) -> Response:
    """Give what the client is to get for a call that the store answered."""
    return _AFTER[call.operation](call, caller, backend, response)
