"""The store over S3, or over whatever speaks its protocol at the endpoint."""

from __future__ import annotations

import base64
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import IO, Any

from botocore.exceptions import BotoCoreError

from keyhole.aws.client import BotocoreAws
from keyhole.aws.translate import translate_core_error
from keyhole.errors import AwsError
from keyhole.service.callers.caller import Caller
from keyhole.service.settings import Settings
from keyhole.service.signing import Keys, Signer
from keyhole.service.store import Head, Listing, ObjectHeaders, Part, StoredObject
from keyhole.spec.upload_rules import QUARANTINE

_SIGNER_S = 5.0
"""For how long credentials are taken as they were: looking at them may make a call, and then it must not be waited for
by everybody."""
_MOST_KEPT = 128
_COPY_BYTES = 256 * 1024
_GONE = frozenset({"404", "NoSuchKey", "NotFound"})


class S3Store:
    """A bucket on S3, or on whatever answers at the endpoint. No ACL is ever sent: the bucket's own rules hold."""

    def __init__(self, aws: BotocoreAws, settings: Settings) -> None:
        self.aws = aws
        self._bucket = settings.bucket
        self._region = settings.region
        self._base_url = settings.base_url
        self._lock = threading.Lock()
        self._signer: Signer | None = None
        self._signer_until = 0.0

    def put_object(
        self, key: str, body: IO[bytes], headers: ObjectHeaders, *, sha256: str = "", only_new: bool = False
    ) -> bool:
        """Store the object by one PutObject.

        AWS: Amazon S3 User Guide, "Checking object integrity in Amazon S3" and "How to prevent object overwrites with
        conditional writes".
        """
        optional: dict[str, Any] = {}
        if sha256:
            optional["ChecksumSHA256"] = base64.b64encode(bytes.fromhex(sha256)).decode()
        if only_new:
            optional["IfNoneMatch"] = "*"
        try:
            self._call("PutObject", Key=key, Body=body, **_headers(headers), **optional)
        except AwsError as error:
            if only_new and error.code in {"PreconditionFailed", "ConditionalRequestConflict"}:
                return False
            raise
        return True

    def copy_object(self, source: str, key: str, headers: ObjectHeaders, *, etag: str) -> bool:
        """Copy by CopyObject, with headers of its own."""
        try:
            self._call(
                "CopyObject",
                Key=key,
                CopySource={"Bucket": self._bucket, "Key": source},
                CopySourceIfMatch=etag,
                MetadataDirective="REPLACE",
                IfNoneMatch="*",
                **_headers(headers),
            )
        except AwsError as error:
            # The condition that failed is not named: if there is no target it was the source's.
            if error.code in {"PreconditionFailed", "ConditionalRequestConflict"} and self.read_head(key) is not None:
                return False
            raise
        return True

    def read_head(self, key: str) -> Head | None:
        """Ask by HeadObject."""
        try:
            answer = self._call("HeadObject", Key=key)
        except AwsError as error:
            # AWS: Amazon S3 API Reference, HeadObject: without a right to list that needs no prefix, what is not
            # there is "forbidden".
            if error.status == 404 and error.code in _GONE:
                return None
            if error.status == 403 and not self._is_listed(key):
                return None
            raise
        return Head(
            size_bytes=answer["ContentLength"],
            modified=answer["LastModified"],
            etag=answer.get("ETag", ""),
            content_type=answer.get("ContentType", ""),
            metadata=answer.get("Metadata", {}),
        )

    def read_object(self, key: str, into: IO[bytes], *, etag: str) -> None:
        """Read by GetObject, in pieces."""
        answer = self._call("GetObject", Key=key, IfMatch=etag)
        try:
            with answer["Body"] as body:
                shutil.copyfileobj(body, into, _COPY_BYTES)
        except BotoCoreError as error:
            raise translate_core_error(error, "GetObject") from error

    def list_objects(self, prefix: str, *, limit: int, after_key: str = "") -> Listing:
        """Ask for pages of ListObjectsV2 until there are enough: folders count for a page, and are not shown."""
        objects: list[StoredObject] = []
        place = {"StartAfter": after_key} if after_key else {}
        while True:
            # One more than is left to find, so that the last page knows that it is.
            wanted = limit - len(objects) + 1
            answer = self._call("ListObjectsV2", Prefix=prefix, Delimiter="/", MaxKeys=min(wanted, 1000), **place)
            objects += [
                StoredObject(key=item["Key"], size_bytes=item["Size"], modified=item["LastModified"])
                for item in answer.get("Contents", ())
            ]
            if len(objects) > limit:
                return Listing(tuple(objects[:limit]), has_more=True)
            if not answer.get("IsTruncated", False):
                return Listing(tuple(objects))
            place = {"ContinuationToken": answer["NextContinuationToken"]}

    def measure(self, prefix: str) -> tuple[int, int]:
        """Ask for all pages of ListObjectsV2."""
        count = size_bytes = 0
        place: dict[str, Any] = {}
        while True:
            answer = self._call("ListObjectsV2", Prefix=prefix, Delimiter="/", **place)
            found = answer.get("Contents", ())
            count += len(found)
            size_bytes += sum(item["Size"] for item in found)
            if not answer.get("IsTruncated", False):
                return count, size_bytes
            place = {"ContinuationToken": answer["NextContinuationToken"]}

    def delete_object(self, key: str) -> None:
        """Delete by DeleteObject, which S3 answers alike whether or not the object was there."""
        self._call("DeleteObject", Key=key)

    def begin_parts(self, key: str, headers: ObjectHeaders) -> str:
        """Begin by CreateMultipartUpload."""
        return str(self._call("CreateMultipartUpload", Key=key, **_headers(headers))["UploadId"])

    def list_parts(self, key: str, upload_id: str) -> tuple[Part, ...] | None:
        """Ask for all pages of ListParts."""
        parts: list[Part] = []
        marker = 0
        while True:
            try:
                answer = self._call("ListParts", Key=key, UploadId=upload_id, PartNumberMarker=marker)
            except AwsError as error:
                if error.code == "NoSuchUpload":
                    return None
                raise
            parts += [Part(item["PartNumber"], item["ETag"], item["Size"]) for item in answer.get("Parts", ())]
            if not answer.get("IsTruncated", False) or not answer.get("Parts"):
                return tuple(parts)
            marker = parts[-1].number

    def join_parts(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Join by CompleteMultipartUpload."""
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        self._call("CompleteMultipartUpload", Key=key, UploadId=upload_id, MultipartUpload={"Parts": listed})

    def abort_parts(self, key: str, upload_id: str) -> None:
        """Abort by AbortMultipartUpload."""
        try:
            self._call("AbortMultipartUpload", Key=key, UploadId=upload_id)
        except AwsError as error:
            if error.code != "NoSuchUpload":
                raise

    def signer(self) -> Signer:
        """Look at the credentials again if it has been a while; the same ones sign with the same signer."""
        credentials, expires_at = self.aws.current_credentials()
        keys = Keys(credentials, expires_at)
        with self._lock:
            if self._signer is None or self._signer.keys != keys:
                self._signer = Signer(keys, self._region, self._base_url)
            self._signer_until = time.monotonic() + _SIGNER_S
            return self._signer

    def ready_signer(self) -> Signer | None:
        """Give the signer of the last few seconds."""
        return self._signer if time.monotonic() < self._signer_until else None

    def _is_listed(self, key: str) -> bool:
        try:
            answer = self._call("ListObjectsV2", Prefix=key, MaxKeys=1)
        except AwsError as error:
            # The workload has no right to list its quarantine, and every right to what is in it by name.
            if error.code == "AccessDenied" and key.startswith(QUARANTINE):
                return False
            raise
        return any(item["Key"] == key for item in answer.get("Contents", ()))

    def _call(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.aws.call("s3", operation, Bucket=self._bucket, **params)


def _headers(headers: ObjectHeaders) -> dict[str, Any]:
    optional = {"CacheControl": headers.cache_control} if headers.cache_control else {}
    return {
        "ContentType": headers.content_type,
        "ContentDisposition": headers.content_disposition,
        "Metadata": dict(headers.metadata),
        **optional,
    }


class StoreOpener:
    """Opens the bucket of an upload for a caller; `choose` gives the AWS whose credentials it takes. Nothing is called.

    The stores that were asked for last are kept: what signs is in them.
    """

    def __init__(self, choose: Callable[[Settings, Caller], BotocoreAws], *, max_kept: int = _MOST_KEPT) -> None:
        self._choose = choose
        self._max_kept = max_kept
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, str], S3Store] = OrderedDict()

    def __call__(self, settings: Settings, caller: Caller) -> S3Store:
        aws = self._choose(settings, caller)
        place = (settings.name, settings.role_arn, caller.folder if settings.role_arn else "")
        with self._lock:
            store = self._kept.get(place)
            if store is None or store.aws is not aws:
                store = self._kept[place] = S3Store(aws, settings)
                if len(self._kept) > self._max_kept:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(place)
            return store
