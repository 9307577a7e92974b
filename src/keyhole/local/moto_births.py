"""How moto's objects come into being: with their owner and ACL from the first moment, one write to a key at a time.

What cannot be put right from outside is put right here, at moto's own classes: they know no owners, and a bucket whose
versioning is suspended loses its versions.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from moto.core.utils import utcnow
from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, S3Backend

from keyhole.local.stored_objects import Stamp

# Our attributes of moto's objects and buckets, and of its S3 backend: they go when those go.
STAMP = "keyhole_stamp"
BLOCK = "keyhole_account_block"

_BEARING: ContextVar[Stamp | None] = ContextVar("stamp of what is being written", default=None)
_GUARDS = tuple(threading.RLock() for _ in range(64))


def guard(bucket: str, key: str) -> threading.RLock:
    """Give the lock that everything takes which changes this key."""
    return _GUARDS[hash((bucket, key)) % len(_GUARDS)]


@contextmanager
def bearing(stamp: Stamp | None) -> Iterator[None]:
    """Let what moto makes in here have the stamp."""
    token = _BEARING.set(stamp)
    try:
        yield
    finally:
        _BEARING.reset(token)


@cache
def mend_births() -> None:
    """Let objects and uploads have stamps, and suspended buckets keep their versions.

    AWS: S3 User Guide, "Adding objects to versioning-suspended buckets": a put replaces the null version only.
    """
    _stamp_new(FakeKey)
    _stamp_new(FakeMultipart)
    FakeBucket.is_versioned = property(lambda bucket: bucket.versioning_status in ("Enabled", "Suspended"))
    original = S3Backend.put_object

    def put_object(self: Any, bucket_name: str, key_name: str, *arguments: Any, **named: Any) -> Any:
        new = original(self, bucket_name, key_name, *arguments, **named)
        bucket = self.get_bucket(bucket_name)
        if bucket.versioning_status == "Suspended":
            new._version_id = "null"
            versions = bucket.keys.getlist(key_name, [])
            bucket.keys.setlist(key_name, [item for item in versions if item is new or item.version_id != "null"])
        return new

    S3Backend.put_object = put_object


def _stamp_new(kind: Any) -> None:
    original = kind.__init__

    def __init__(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807  # it takes that one's place
        original(self, *arguments, **named)
        setattr(self, STAMP, _BEARING.get())
        self.started = utcnow()

    kind.__init__ = __init__
