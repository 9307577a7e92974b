"""What is in a bucket: counting it, and deleting every version and every unfinished upload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from keyhole.aws import Aws
from keyhole.errors import AwsError

BATCH = 1000  # AWS: Amazon S3 API Reference, DeleteObjects
COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class BucketContent:
    """`objects` are those of now, `past` old versions and delete markers; `uploads` are unfinished ones.

    The first two are counted up to `COUNT_LIMIT` together, and so are uploads.
    """

    objects: int
    uploads: int
    past: int = 0

    @property
    def is_empty(self) -> bool:
        """Hold iff S3 would delete the bucket: unfinished uploads do not hinder it."""
        return self.objects == 0 and self.past == 0

    def __str__(self) -> str:
        more = "more than " if self.objects + self.past >= COUNT_LIMIT else ""
        past = _amount(self.past, "old version or delete marker", "old versions and delete markers")
        uploads = _amount(self.uploads, "unfinished upload", "unfinished uploads")
        kinds = [kind for kind in (_amount(self.objects, "object", "objects"), past, uploads) if kind]
        return more + (" and ".join((", ".join(kinds[:-1]), kinds[-1])) if len(kinds) > 1 else "".join(kinds))


def count_content(aws: Aws, bucket: str, account: str) -> BucketContent:
    """Count what the bucket holds. Raises: AwsError."""
    latest = [is_object for _, is_object in islice(_versions(aws, bucket, account), COUNT_LIMIT)]
    uploads = sum(1 for _ in islice(_uploads(aws, bucket, account), COUNT_LIMIT))
    return BucketContent(sum(latest), uploads, len(latest) - sum(latest))


def _amount(count: int, one: str, many: str) -> str:
    """Give the number with its noun; "" for none."""
    return "" if count == 0 else f"1 {one}" if count == 1 else f"{count:,} {many}"


def empty_bucket(
    aws: Aws, bucket: str, account: str, *, prefix: str = "", on_progress: Callable[[int], None] = lambda _count: None
) -> int:
    """Delete every object, version, delete marker and unfinished upload under the prefix; give how many objects went.

    Raises: AwsError, also when S3 refuses single keys.
    """
    deleted = 0
    versions = _versions(aws, bucket, account, prefix)
    while batch := [version for version, _ in islice(versions, BATCH)]:
        answer = aws.call(
            "s3", "DeleteObjects", Bucket=bucket, ExpectedBucketOwner=account, Delete={"Objects": batch, "Quiet": True}
        )
        if errors := answer.get("Errors"):
            first = errors[0]
            raise AwsError(
                f"{len(errors)} objects of `{bucket}` were not deleted, the first is `{first.get('Key')}`: "
                f"{first.get('Message')}",
                code=str(first.get("Code")),
                operation="DeleteObjects",
            )
        deleted += len(batch)
        on_progress(deleted)
    for upload in _uploads(aws, bucket, account, prefix):
        aws.call("s3", "AbortMultipartUpload", Bucket=bucket, ExpectedBucketOwner=account, **upload)
    return deleted


def _versions(aws: Aws, bucket: str, account: str, prefix: str = "") -> Iterator[tuple[dict[str, str], bool]]:
    """Give key and version of everything in the bucket, and whether it is an object of now.

    S3 lists versions and delete markers side by side.
    """
    where = {"Bucket": bucket, "ExpectedBucketOwner": account, "Prefix": prefix}
    marker: dict[str, str] = {}
    while True:
        page = aws.call("s3", "ListObjectVersions", **where, **marker)
        for item in page.get("Versions", ()):
            yield {"Key": item["Key"], "VersionId": item["VersionId"]}, bool(item["IsLatest"])
        for item in page.get("DeleteMarkers", ()):
            yield {"Key": item["Key"], "VersionId": item["VersionId"]}, False
        if not page.get("IsTruncated"):
            return
        marker = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


def _uploads(aws: Aws, bucket: str, account: str, prefix: str = "") -> Iterator[dict[str, str]]:
    where = {"Bucket": bucket, "ExpectedBucketOwner": account, "Prefix": prefix}
    uploads = aws.pages("s3", "ListMultipartUploads", "Uploads", **where)
    for upload in uploads:
        yield {"Key": upload["Key"], "UploadId": upload["UploadId"]}
