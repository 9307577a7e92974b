"""Retention and legal holds: read here, and changed only as Object Lock lets them be.

AWS: S3 API Reference, GetObjectRetention, PutObjectRetention, GetObjectLegalHold, PutObjectLegalHold.
"""

from __future__ import annotations

from keyhole.local import object_lock
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.object_presence import find_version
from keyhole.local.protocols.xmlbody import malformed_xml
from keyhole.local.s3_xml import document, element


def answer_lock(call: ApiCall, _caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """Give an object's retention or legal hold; refuse changes that its lock forbids. Raises: Fault."""
    if bucket is None:
        return None
    if not bucket.has_object_lock:
        raise object_lock.lock_missing()
    lock = find_version(call, backend).lock
    if call.operation == "PutObjectRetention":
        wanted = call.params.get("Retention") or {}
        bypasses = bool(call.params.get("BypassGovernanceRetention"))
        mode, until = str(wanted.get("Mode") or ""), wanted.get("RetainUntilDate")
        object_lock.check_retention(lock, mode, until, bypasses=bypasses)
        return None
    if call.operation == "PutObjectLegalHold":
        if (call.params.get("LegalHold") or {}).get("Status") not in ("ON", "OFF"):
            raise malformed_xml()
        return None
    if call.operation == "GetObjectRetention":
        if not lock.mode:
            raise _none()
        return document("Retention", element("Mode", lock.mode) + element("RetainUntilDate", lock.until))
    if not lock.legal_hold:
        raise _none()
    return document("LegalHold", element("Status", lock.legal_hold))


def check_headers(call: ApiCall, _caller: Caller, bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse a new object whose lock is none that the bucket takes. Raises: Fault."""
    if bucket is not None:
        object_lock.check_headers(call, bucket)
    return None


def keep_versioning(call: ApiCall, _caller: Caller, bucket: Bucket | None, _backend: Backend) -> Response | None:
    """Refuse to suspend versioning under locks: a null version would be written over. Raises: Fault.

    AWS: S3 User Guide, "Object Lock considerations", enabling Object Lock.
    """
    wanted = (call.params.get("VersioningConfiguration") or {}).get("Status")
    if bucket is not None and bucket.has_object_lock and wanted == "Suspended":
        message = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        raise Fault("InvalidBucketState", message, 409)
    return None


def _none() -> Fault:
    message = "The specified object does not have a ObjectLock configuration"
    return Fault("NoSuchObjectLockConfiguration", message, 404)
