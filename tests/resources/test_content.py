"""What a bucket holds, counted and named before it is deleted."""

from __future__ import annotations

import pytest

from gate_clients import Aws
from keyhole.resources.content import BucketContent, count_content, empty_bucket
from local_story import AccountFactory

ACCOUNT = "123456789012"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BucketContent(1, 0), "1 object"),
        (BucketContent(3, 1), "3 objects and 1 unfinished upload"),
        (BucketContent(2, 2, 1), "2 objects, 1 old version or delete marker and 2 unfinished uploads"),
        (BucketContent(0, 0, 1200), "1,200 old versions and delete markers"),
        (BucketContent(0, 1), "1 unfinished upload"),
        (BucketContent(9_000, 0, 1_000), "more than 9,000 objects and 1,000 old versions and delete markers"),
    ],
)
def test_what_a_bucket_holds_is_named_by_kind(content: BucketContent, said: str) -> None:
    """Only the kinds that there are, each in its number."""
    assert str(content) == said


def test_everything_is_counted_and_goes(aws: Aws, account: AccountFactory) -> None:
    """An object, its old version, a deleted one with its marker, an unfinished upload: told apart, and all deleted."""
    bucket, s3, root = aws.bucket(), aws.client("s3"), account("us-east-1")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("kept", "kept", "gone"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.delete_object(Bucket=bucket, Key="gone")
    s3.create_multipart_upload(Bucket=bucket, Key="begun")
    assert count_content(root, bucket, ACCOUNT) == BucketContent(objects=1, uploads=1, past=3)
    assert empty_bucket(root, bucket, ACCOUNT) == 4
    assert count_content(root, bucket, ACCOUNT) == BucketContent(0, 0)
