"""Multipart uploads: the upload must be there and its parts in order; who has parts is told from the upload itself.

AWS: S3 API Reference, UploadPart, CompleteMultipartUpload, ListParts, ListMultipartUploads.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from keyhole.local import listing, sse_customer
from keyhole.local.acl_requests import write_owner
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.protocols.xmlbody import malformed_xml
from keyhole.local.s3_xml import document, element
from keyhole.local.stored_objects import Part, Upload

_MAX_PART_NUMBER = 10_000
_MIN_PART_BYTES = 5 * 1024 * 1024
_MAX_PARTS = 1000


def check_part(call: ApiCall, _caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse a part of no upload, out of range, or with another key than the upload was begun with. Raises: Fault."""
    number = call.params.get("PartNumber")
    if not isinstance(number, int) or not 1 <= number <= _MAX_PART_NUMBER:
        message = f"Part number must be an integer between 1 and {_MAX_PART_NUMBER}, inclusive"
        extra = (("ArgumentName", "partNumber"), ("ArgumentValue", str(number)))
        raise Fault("InvalidArgument", message, 400, extra=extra)
    upload = find_upload(call, backend)
    kept = upload.stamp.customer_key if upload.stamp else None
    sse_customer.check_part(kept, sse_customer.read_key(call))
    return None


def check_upload(call: ApiCall, _caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse what is about an upload that is not under way. Raises: Fault (NoSuchUpload)."""
    find_upload(call, backend)
    return None


def check_completion(call: ApiCall, _caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse a list of parts that is not that of the upload; completing what is complete changes nothing."""
    upload_id = str(call.params["UploadId"])
    current = backend.find_object(str(call.params["Bucket"]), str(call.params["Key"]))
    if current is not None and current.upload_id == upload_id:
        return None
    upload = find_upload(call, backend)
    wanted = (call.params.get("MultipartUpload") or {}).get("Parts") or ()
    if not wanted or any("PartNumber" not in part or "ETag" not in part for part in wanted):
        raise malformed_xml()
    numbers = [part["PartNumber"] for part in wanted]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        message = "The list of parts was not in ascending order. Parts must be ordered by part number."
        raise Fault("InvalidPartOrder", message, 400, extra=(("UploadId", upload_id),))
    present = {part.number: part for part in upload.parts}
    found = [_find_part(present, part["PartNumber"], str(part["ETag"]), upload_id) for part in wanted]
    for part in found[:-1]:
        if part.size < _MIN_PART_BYTES:
            raise _too_small(part)
    return None


def list_parts(call: ApiCall, _caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """ListParts. Raises: Fault."""
    upload = find_upload(call, backend)
    most = listing.read_limit(call, "MaxParts", "max-parts", _MAX_PARTS)
    marker = listing.read_number(call, "PartNumberMarker", "part-number-marker")
    rest = [part for part in upload.parts if part.number > marker]
    page = rest[:most]
    owner = _owner(upload, bucket)
    inner = (
        element("Bucket", call.params["Bucket"])
        + element("Key", upload.key)
        + element("UploadId", upload.upload_id)
        + write_owner(owner, "Initiator")
        + write_owner(owner)
        + element("StorageClass", upload.storage_class)
        + element("PartNumberMarker", marker)
        + element("NextPartNumberMarker", page[-1].number if page else 0)
        + element("MaxParts", most)
        + element("IsTruncated", len(rest) > len(page))
        + "".join(_write_part(part) for part in page)
    )
    return document("ListPartsResult", inner)


def tell_customer_key(call: ApiCall, _caller: Caller, _backend: Backend, response: Response) -> Response:
    """Name the customer's key in the answer about an upload or a part that comes with one."""
    md5 = call.params.get("SSECustomerKeyMD5")
    if not md5:
        return response
    kept = tuple(pair for pair in response.headers if not pair[0].lower().startswith("x-amz-server-side-encryption"))
    return replace(response, headers=(*kept, *sse_customer.headers(str(md5))))


def find_upload(call: ApiCall, backend: Backend) -> Upload:
    """Give the upload that the call names, of the call's key. Raises: Fault (NoSuchUpload)."""
    upload = backend.find_upload(str(call.params["Bucket"]), str(call.params["UploadId"]))
    if upload is None or upload.key != call.params["Key"]:
        message = (
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
            "completed."
        )
        raise Fault("NoSuchUpload", message, 404, extra=(("UploadId", str(call.params["UploadId"])),))
    return upload


def _find_part(present: dict[int, Part], number: int, etag: str, upload_id: str) -> Part:
    part = present.get(number)
    if part is None or part.etag.strip('"') != etag.strip('"'):
        message = (
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
            "specified entity tag may not match the part's entity tag."
        )
        extra = (("UploadId", upload_id), ("PartNumber", str(number)), ("ETag", etag.strip('"')))
        raise Fault("InvalidPart", message, 400, extra=extra)
    return part


def _too_small(part: Part) -> Fault:
    extra = (
        ("ProposedSize", str(part.size)),
        ("MinSizeAllowed", str(_MIN_PART_BYTES)),
        ("PartNumber", str(part.number)),
        ("ETag", part.etag.strip('"')),
    )
    message = "Your proposed upload is smaller than the minimum allowed size"
    return Fault("EntityTooSmall", message, 400, extra=extra)


def _owner(upload: Upload, bucket: Bucket | None) -> str:
    return upload.stamp.acl.owner if upload.stamp else bucket.account if bucket else ""


def _write_part(part: Part) -> str:
    inner = (
        element("PartNumber", part.number)
        + element("LastModified", listing.write_moment(part.last_modified))
        + element("ETag", part.etag)
        + element("Size", part.size)
    )
    return element("Part", inner=inner)
