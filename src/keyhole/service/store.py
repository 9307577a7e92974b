"""The port to the object store: the bucket is the truth, there is no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Protocol

from keyhole.service.callers.caller import Caller
from keyhole.service.settings import Settings
from keyhole.service.signing import Signer


@dataclass(frozen=True, slots=True)
class ObjectHeaders:
    """What is stored beside the bytes. `cache_control` is "" for none; metadata is ASCII."""

    content_type: str
    cache_control: str = ""
    content_disposition: str = "inline"
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object, as a listing shows it."""

    key: str
    size_bytes: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of objects in the order of their keys; `has_more` holds iff others follow."""

    objects: tuple[StoredObject, ...]
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of one object without reading it. `etag` is as S3 writes it, with its quotes."""

    size_bytes: int
    modified: datetime
    etag: str
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart upload that has arrived."""

    number: int
    etag: str
    size_bytes: int


class Store(Protocol):
    """One bucket. Every method but `ready_signer` blocks, and is safe to call from several threads.

    Each raises AwsError when the store refuses or cannot be reached.
    """

    def put_object(
        self, key: str, body: IO[bytes], headers: ObjectHeaders, *, sha256: str = "", only_new: bool = False
    ) -> bool:
        """Store what is left to read in `body`: after this returns it is durable.

        The store refuses bytes whose SHA-256 (hexadecimal) is another than `sha256`, where that is given. False, and
        nothing stored, if `only_new` and there is such an object already.
        """

    def copy_object(self, source: str, key: str, headers: ObjectHeaders, *, etag: str) -> bool:
        """Copy within the bucket, if the source is still the one of this ETag; False if the target exists already."""

    def read_head(self, key: str) -> Head | None:
        """Give what is known of the object; None if there is none."""

    def read_object(self, key: str, into: IO[bytes], *, etag: str) -> None:
        """Write the object's bytes into the file, if it is still the one of this ETag."""

    def list_objects(self, prefix: str, *, limit: int, after_key: str = "") -> Listing:
        """Give at most `limit` objects right under the prefix, none of its folders; those after `after_key` only."""

    def measure(self, prefix: str) -> tuple[int, int]:
        """Give the number of objects right under the prefix, none of its folders, and their bytes in all."""

    def delete_object(self, key: str) -> None:
        """Delete the object; one that is not there is no error."""

    def begin_parts(self, key: str, headers: ObjectHeaders) -> str:
        """Begin a multipart upload and give its id."""

    def list_parts(self, key: str, upload_id: str) -> tuple[Part, ...] | None:
        """Give all parts that have arrived, in order; None if there is no such upload (any more)."""

    def join_parts(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make one object of these parts."""

    def abort_parts(self, key: str, upload_id: str) -> None:
        """Throw a multipart upload away; one that is not there is no error."""

    def signer(self) -> Signer:
        """Give what signs URLs, with credentials that have just been looked at."""

    def ready_signer(self) -> Signer | None:
        """Give what `signer` gave a moment ago, or None: this never blocks."""


OpenStore = Callable[[Settings, Caller], Store]
"""Gives the store through which this caller's requests go. It calls nothing, and gives the same store again."""
