"""Conditional requests: If-Match and its siblings, for what is read, copied and written.

AWS: S3 User Guide, "Add preconditions to S3 operations with conditional requests"; S3 API Reference, GetObject (how
the conditions of a read go together) and CopyObject.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from keyhole.local.call import ApiCall, Fault, Response
from keyhole.local.stored_objects import ObjectStore, StoredObject

# The operations that make an object, or change or end one.
WRITES = frozenset(
    {
        *("PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject", "PutObjectAcl", "PutObjectTagging"),
        *("DeleteObjectTagging", "PutObjectRetention", "PutObjectLegalHold", "RestoreObject"),
    }
)
_CONDITIONAL_WRITES = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})


def check_write(call: ApiCall, store: ObjectStore) -> None:
    """Hold iff the condition of a write holds for what is there now. Raises: Fault."""
    if call.operation not in _CONDITIONAL_WRITES:
        return
    match, none_match = call.params.get("IfMatch"), call.params.get("IfNoneMatch")
    if not match and not none_match:
        return
    if none_match and none_match != "*":
        raise _unimplemented("If-None-Match")
    if match and (none_match or match == "*"):
        raise _unimplemented("If-Match")
    current = store.find_object(str(call.params["Bucket"]), str(call.params["Key"]))
    if match:
        check_match(str(match), current, str(call.params["Key"]))
    elif current and not current.is_delete_marker:
        raise failed("If-None-Match")


def check_match(etag: str, current: StoredObject | None, key: str) -> None:
    """Hold iff there is an object, of that ETag; `*` is any. Raises: Fault."""
    if current is None or current.is_delete_marker:
        raise Fault("NoSuchKey", "The specified key does not exist.", 404, extra=(("Key", key),))
    if not _has_etag(etag, current):
        raise failed("If-Match")


def check_read(call: ApiCall, found: StoredObject) -> Response | None:
    """Give the 304 that a read's conditions ask for, None where it may go on. Raises: Fault (PreconditionFailed)."""
    params = call.params
    match, none_match = params.get("IfMatch"), params.get("IfNoneMatch")
    if match and not _has_etag(str(match), found):
        raise failed("If-Match")
    if not match and _is_later(found, params.get("IfUnmodifiedSince")) is True:
        raise failed("If-Unmodified-Since")
    is_same = _has_etag(str(none_match), found) if none_match else None
    is_unchanged = is_same if is_same is not None else _is_later(found, params.get("IfModifiedSince")) is False
    if not is_unchanged:
        return None
    headers = [("ETag", found.etag), ("Last-Modified", http_date(found.last_modified))]
    if found.version_id != "null":
        headers.append(("x-amz-version-id", found.version_id))
    return Response(304, tuple(headers))


def check_copy(call: ApiCall, source: StoredObject) -> None:
    """Hold iff the conditions on the source of a copy hold. Raises: Fault (PreconditionFailed)."""
    params = call.params
    match, none_match = params.get("CopySourceIfMatch"), params.get("CopySourceIfNoneMatch")
    if match and not _has_etag(str(match), source):
        raise failed("x-amz-copy-source-If-Match")
    if not match and _is_later(source, params.get("CopySourceIfUnmodifiedSince")) is True:
        raise failed("x-amz-copy-source-If-Unmodified-Since")
    if none_match and _has_etag(str(none_match), source):
        raise failed("x-amz-copy-source-If-None-Match")
    if not none_match and _is_later(source, params.get("CopySourceIfModifiedSince")) is False:
        raise failed("x-amz-copy-source-If-Modified-Since")


def failed(condition: str) -> Fault:
    """A condition does not hold."""
    message = "At least one of the pre-conditions you specified did not hold"
    return Fault("PreconditionFailed", message, 412, extra=(("Condition", condition),))


def http_date(moment: datetime) -> str:
    """Give a moment as HTTP writes it; the store's moments are UTC without saying so."""
    return format_datetime(moment.replace(tzinfo=UTC), usegmt=True)


def _unimplemented(header: str) -> Fault:
    message = "A header you provided implies functionality that is not implemented"
    return Fault("NotImplemented", message, 501, extra=(("Header", header),))


def _has_etag(given: str, found: StoredObject) -> bool:
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in given.split(",")}
    return "*" in tags or found.etag.strip('"') in tags


def _is_later(found: StoredObject, given: Any) -> bool | None:
    """Hold iff the object was changed after the date; None where there is no date, or none that can be read."""
    if not given:
        return None
    try:
        moment = parsedate_to_datetime(str(given))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return found.last_modified.replace(tzinfo=UTC, microsecond=0) > moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
