"""The port to the object store, and the store itself: the bucket is the truth, there is no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Protocol

from keyhole.aws.client import BotocoreAws
from keyhole.service.settings import Settings


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


class Store(Protocol):
    """One bucket. Every method blocks and is safe to call from several threads.

    Each raises AwsError when the store refuses or cannot be reached.
    """

    def put_object(self, key: str, body: IO[bytes], headers: ObjectHeaders) -> None:
        """Store what is left to read in `body`: after this returns it is durable."""

    def list_objects(self, prefix: str, *, limit: int, after_key: str = "") -> Listing:
        """Give at most `limit` objects under the prefix, those after `after_key` only."""

    def delete_object(self, key: str) -> None:
        """Delete the object; one that is not there is no error."""

    def sign_get(self, key: str, *, ttl_s: int) -> str:
        """Give a URL that reads the object for `ttl_s` seconds."""


class S3Store:
    """A bucket on S3, or on whatever answers at the endpoint."""

    def __init__(self, aws: BotocoreAws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    def put_object(self, key: str, body: IO[bytes], headers: ObjectHeaders) -> None:
        """Store the object by one PutObject; no ACL, the bucket's own rules hold."""
        optional = {"CacheControl": headers.cache_control} if headers.cache_control else {}
        self._aws.call(
            "s3",
            "PutObject",
            Bucket=self._bucket,
            Key=key,
            Body=body,
            ContentType=headers.content_type,
            ContentDisposition=headers.content_disposition,
            Metadata=dict(headers.metadata),
            **optional,
        )

    def list_objects(self, prefix: str, *, limit: int, after_key: str = "") -> Listing:
        """Ask for one page of ListObjectsV2."""
        optional = {"StartAfter": after_key} if after_key else {}
        answer = self._aws.call("s3", "ListObjectsV2", Bucket=self._bucket, Prefix=prefix, MaxKeys=limit, **optional)
        objects = tuple(
            StoredObject(key=item["Key"], size_bytes=item["Size"], modified=item["LastModified"])
            for item in answer.get("Contents", ())
        )
        return Listing(objects, bool(answer.get("IsTruncated", False)))

    def delete_object(self, key: str) -> None:
        """Delete by DeleteObject, which S3 answers alike whether or not the object was there."""
        self._aws.call("s3", "DeleteObject", Bucket=self._bucket, Key=key)

    def sign_get(self, key: str, *, ttl_s: int) -> str:
        """Sign on this machine; only expired credentials make it call anything."""
        return self._aws.presign("GetObject", expires_s=ttl_s, Bucket=self._bucket, Key=key)


def open_store(settings: Settings) -> S3Store:
    """Open the settings' bucket with credentials from the ordinary AWS chain; nothing is called yet.

    Few retries: a person waits for the answer, and a browser can ask again.
    """
    return S3Store(BotocoreAws(settings.region, endpoint_url=settings.endpoint_url, max_attempts=2), settings.bucket)
