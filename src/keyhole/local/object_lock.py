"""Object Lock: what retention and legal holds forbid, and who may change them.

AWS: S3 User Guide, "Locking objects with Object Lock"; S3 API Reference, PutObjectRetention and PutObject.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from keyhole.local.backend import Bucket
from keyhole.local.call import ApiCall, Fault
from keyhole.local.protocols.xmlbody import malformed_xml
from keyhole.local.stored_objects import Lock

_MODES = frozenset({"GOVERNANCE", "COMPLIANCE"})


def check_unlocked(lock: Lock, *, bypasses: bool) -> None:
    """Hold iff a version with this lock may be deleted; `bypasses` who may bypass governance, and says so."""
    is_kept = is_retained(lock) and not (lock.mode == "GOVERNANCE" and bypasses)
    if lock.legal_hold == "ON" or is_kept:
        raise _locked()


def check_retention(lock: Lock, mode: str, until: Any, *, bypasses: bool) -> None:
    """Hold iff the retention of a version with this lock may be changed to that. Raises: Fault."""
    moment = parse_moment(until)
    if (mode and mode not in _MODES) or bool(mode) != (moment is not None):
        raise malformed_xml()
    if moment is not None and moment <= datetime.now(UTC):
        raise _invalid("The retain until date must be in the future!")
    if not is_retained(lock):
        return
    is_longer = moment is not None and moment >= (parse_moment(lock.until) or moment)
    is_as_strict = mode == lock.mode or (lock.mode == "GOVERNANCE" and mode == "COMPLIANCE")
    if is_longer and is_as_strict:
        return
    if lock.mode == "COMPLIANCE" or not bypasses:
        raise _locked()


def check_headers(call: ApiCall, bucket: Bucket) -> None:
    """Hold iff the lock that a new object is to have is one. Raises: Fault."""
    mode, until = call.params.get("ObjectLockMode"), call.params.get("ObjectLockRetainUntilDate")
    hold = call.params.get("ObjectLockLegalHoldStatus")
    if not (mode or until or hold):
        return
    if not bucket.has_object_lock:
        raise lock_missing()
    if bool(mode) != bool(until):
        raise _invalid("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
    if mode and mode not in _MODES:
        raise _invalid("Unknown wormMode directive.")
    if hold and hold not in ("ON", "OFF"):
        raise _invalid("Legal Hold must be either of 'ON' or 'OFF'")
    if until:
        moment = parse_moment(until)
        if moment is None:
            raise _invalid("The retain until date must be provided in ISO 8601 format")
        if moment <= datetime.now(UTC):
            raise _invalid("The retain until date must be in the future!")


def is_retained(lock: Lock) -> bool:
    """Hold iff the retention is not over; one that cannot be read is not."""
    if lock.mode not in _MODES:
        return False
    until = parse_moment(lock.until)
    return until is None or until > datetime.now(UTC)


def parse_moment(given: Any) -> datetime | None:
    """Give the moment in an ISO 8601 text, None where it is none."""
    if not given:
        return None
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def lock_missing() -> Fault:
    """The bucket was not made with Object Lock."""
    return Fault("InvalidRequest", "Bucket is missing Object Lock Configuration", 400)


def _locked() -> Fault:
    return Fault("AccessDenied", "Access Denied because object protected by object lock.", 403)


def _invalid(message: str) -> Fault:
    return Fault("InvalidArgument", message, 400)
