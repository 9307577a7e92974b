"""Reads of objects: the version must be there, the customer's key must be right, the conditions must hold.

AWS: S3 API Reference, GetObject, HeadObject, CopyObject, UploadPartCopy.
"""

from __future__ import annotations

import re
from dataclasses import replace

from keyhole.local import conditional_requests, sse_customer
from keyhole.local.actions import s3
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.object_presence import find_version, missing
from keyhole.local.stored_objects import StoredObject

_RANGE = re.compile(r"^bytes=(\d{1,18})-(\d{1,18})$")
_SERVER_SIDE = "x-amz-server-side-encryption"


def check_presence(call: ApiCall, _caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse what is about a version that is not there. Raises: Fault."""
    find_version(call, backend)
    return None


def check_read(call: ApiCall, _caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse a read without the right key; answer one whose conditions say that nothing changed. Raises: Fault."""
    stored = find_version(call, backend)
    sse_customer.check_read(stored.stamp.customer_key if stored.stamp else None, sse_customer.read_key(call))
    return conditional_requests.check_read(call, stored)


def answer_null_version(call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """Answer a HeadObject of the version `null` where nothing is versioned: the store has no such version then."""
    if bucket is None or bucket.versioning or call.params.get("VersionId") != "null":
        return None
    unversioned = replace(call, params={name: value for name, value in call.params.items() if name != "VersionId"})
    return tell_customer_key(unversioned, caller, backend, backend.handle(unversioned, bucket.account, b""))


def check_copy(call: ApiCall, _caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse a copy whose source is not there, not open, not as the conditions say, or is the object itself."""
    bucket, key, version_id = s3.copy_source(call)
    source = backend.find_object(bucket, key, version_id)
    if source is None or (source.is_delete_marker and not version_id):
        raise missing(key, version_id)
    if source.is_delete_marker:
        message = "The source of a copy request may not specifically refer to a delete marker by version id."
        raise Fault("InvalidRequest", message, 400)
    given = sse_customer.read_key(call, sse_customer.SOURCE)
    sse_customer.check_read(source.stamp.customer_key if source.stamp else None, given)
    conditional_requests.check_copy(call, source)
    if call.operation == "UploadPartCopy":
        _check_range(call, source)
    elif (bucket, key, version_id) == (call.params["Bucket"], call.params["Key"], ""):
        _check_change(call)
    return None


def tell_customer_key(call: ApiCall, _caller: Caller, backend: Backend, response: Response) -> Response:
    """Name the customer's key in the answer about an object that was written or read with one."""
    version_id = str(response.header("x-amz-version-id") or call.params.get("VersionId") or "")
    stored = backend.find_object(str(call.params["Bucket"]), str(call.params["Key"]), version_id)
    if stored is None or stored.stamp is None or stored.stamp.customer_key is None:
        return response
    kept = tuple(pair for pair in response.headers if not pair[0].lower().startswith(_SERVER_SIDE))
    return replace(response, headers=(*kept, *sse_customer.headers(stored.stamp.customer_key.md5)))


def _check_range(call: ApiCall, source: StoredObject) -> None:
    given = call.params.get("CopySourceRange")
    if not given:
        return
    match = _RANGE.match(str(given))
    extra = (("ArgumentName", "x-amz-copy-source-range"), ("ArgumentValue", str(given)))
    if match is None or int(match[1]) > int(match[2]):
        message = (
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy"
        )
        raise Fault("InvalidArgument", message, 400, extra=extra)
    if int(match[2]) >= source.size:
        message = f"Range specified is not valid for source object of size: {source.size}"
        raise Fault("InvalidArgument", message, 400, extra=extra)


def _check_change(call: ApiCall) -> None:
    changes = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSECustomerKey")
    if call.params.get("MetadataDirective") == "REPLACE" or any(call.params.get(name) for name in changes):
        return
    message = (
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes."
    )
    raise Fault("InvalidRequest", message, 400)
