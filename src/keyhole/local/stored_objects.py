"""What S3 keeps with buckets and objects, and the part of the backend port that reads and writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

# The owner of what an anonymous caller wrote: it is no account.
ANONYMOUS_OWNER = "anonymous"


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of an ACL: `grantee` is an account's number or a group's URI, `permission` READ, WRITE_ACP, …"""

    grantee: str
    permission: str


@dataclass(frozen=True, slots=True)
class Acl:
    """An access control list; `owner` is an account's number, or ANONYMOUS_OWNER."""

    owner: str
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """A key that a customer provides (SSE-C), as S3 keeps it: the MD5 that it tells, and a salted hash to compare."""

    md5: str
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an object or a multipart upload is born with and the store itself does not know."""

    acl: Acl
    customer_key: CustomerKey | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """An object's retention and legal hold; `until` is ISO 8601, "" where there is no retention."""

    mode: str = ""
    until: str = ""
    legal_hold: str = ""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version of an object, or a delete marker in its place.

    `etag` has its quotes. `upload_id` is that of the multipart upload that made it, or "", and `part_sizes` are the
    bytes of its parts in their order.
    """

    key: str
    version_id: str
    last_modified: datetime
    is_delete_marker: bool = False
    is_latest: bool = True
    etag: str = ""
    size: int = 0
    storage_class: str = "STANDARD"
    checksum_algorithm: str = ""
    stamp: Stamp | None = None
    lock: Lock = Lock()
    upload_id: str = ""
    part_sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart upload."""

    number: int
    etag: str
    size: int
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that is under way, its parts by number."""

    upload_id: str
    key: str
    started: datetime
    storage_class: str
    parts: tuple[Part, ...]
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a deletion did: the version that went, or the delete marker that came; "" where nothing is versioned."""

    version_id: str = ""
    is_delete_marker: bool = False


class ObjectStore(Protocol):
    """The part of the backend that keeps objects."""

    def find_object(self, bucket: str, key: str, version_id: str = "") -> StoredObject | None:
        """Give that version of an object or delete marker; without `version_id`, the current one."""

    def object_keys(self, bucket: str, *, is_current: bool) -> list[str]:
        """Give the keys that have a version or a delete marker, sorted by their UTF-8.

        Where `is_current`, only those whose current version is no delete marker.
        """

    def object_versions(self, bucket: str, key: str) -> tuple[StoredObject, ...]:
        """Give every version of an object and its delete markers, newest first."""

    def find_upload(self, bucket: str, upload_id: str) -> Upload | None:
        """Give the multipart upload, None where it never was or is over."""

    def uploads(self, bucket: str) -> tuple[Upload, ...]:
        """Give the multipart uploads that are under way."""

    def delete_object(self, bucket: str, key: str, version_id: str = "", if_match: str = "") -> Deletion:
        """Delete that version for good; without `version_id`, what a deletion does in a bucket of its versioning.

        Raises: Fault where the current version's ETag is not `if_match`, unless that is empty.
        """

    def restamp(self, bucket: str, key: str, version_id: str, stamp: Stamp) -> bool:
        """Give an object another ACL; hold iff there is such an object."""

    def set_bucket_acl(self, bucket: str, acl: Acl) -> None:
        """Give a bucket another ACL."""
