"""Conditional requests: reads, copies, writes and deletions with If-Match and its siblings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from gate_errors import refusal

from gate_clients import Aws

PAST, FUTURE = datetime(2001, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"IfMatch": "{etag}"}, 200),
        ({"IfMatch": '"other"'}, 412),
        ({"IfNoneMatch": "{etag}"}, 304),
        ({"IfNoneMatch": '"other"'}, 200),
        ({"IfModifiedSince": PAST}, 200),
        ({"IfModifiedSince": FUTURE}, 304),
        ({"IfUnmodifiedSince": PAST}, 412),
        ({"IfUnmodifiedSince": FUTURE}, 200),
        # An ETag that matches outweighs a date that does not, and so does one that is another.
        ({"IfMatch": "{etag}", "IfUnmodifiedSince": PAST}, 200),
        ({"IfNoneMatch": "{etag}", "IfModifiedSince": PAST}, 304),
        ({"IfNoneMatch": '"other"', "IfModifiedSince": FUTURE}, 200),
        ({"IfMatch": '"other"', "IfNoneMatch": "{etag}"}, 412),
    ],
)
def test_reads(aws: Aws, conditions: dict[str, Any], status: int) -> None:
    """GetObject and HeadObject go by the ETag first, then by the date; a 304 has the ETag and no body."""
    s3, bucket = aws.client("s3"), aws.bucket()
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    given = {name: etag if value == "{etag}" else value for name, value in conditions.items()}
    for call in (s3.get_object, s3.head_object):
        if status == 200:
            assert call(Bucket=bucket, Key="a", **given)["ETag"] == etag
        else:
            code, _, found = refusal(call, Bucket=bucket, Key="a", **given)
            assert found == status
            assert code in (str(status), "PreconditionFailed")


@pytest.mark.parametrize(
    ("conditions", "is_copied"),
    [
        ({"CopySourceIfMatch": "{etag}"}, True),
        ({"CopySourceIfMatch": '"other"'}, False),
        ({"CopySourceIfNoneMatch": "{etag}"}, False),
        ({"CopySourceIfModifiedSince": FUTURE}, False),
        ({"CopySourceIfUnmodifiedSince": PAST}, False),
        ({"CopySourceIfMatch": "{etag}", "CopySourceIfUnmodifiedSince": PAST}, True),
        ({"CopySourceIfNoneMatch": "{etag}", "CopySourceIfModifiedSince": PAST}, False),
    ],
)
def test_copies(aws: Aws, conditions: dict[str, Any], is_copied: bool) -> None:
    """CopyObject and UploadPartCopy answer 412 where a condition on the source does not hold."""
    s3, bucket = aws.client("s3"), aws.bucket()
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    given = {name: etag if value == "{etag}" else value for name, value in conditions.items()}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="p")["UploadId"]
    calls = ((s3.copy_object, {"Key": "b"}), (s3.upload_part_copy, {"Key": "p", "UploadId": upload, "PartNumber": 1}))
    for call, more in calls:
        everything: dict[str, Any] = {"Bucket": bucket, "CopySource": f"{bucket}/a", **more, **given}
        if is_copied:
            call(**everything)
        else:
            assert refusal(call, **everything)[::2] == ("PreconditionFailed", 412)


def test_puts(aws: Aws) -> None:
    """If-None-Match: * makes, If-Match replaces; what does not fit leaves the object as it is."""
    s3, bucket = aws.client("s3"), aws.bucket()
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")["ETag"]
    put: dict[str, Any] = {"Bucket": bucket, "Key": "a", "Body": b"2"}
    assert refusal(s3.put_object, **put, IfNoneMatch="*")[::2] == ("PreconditionFailed", 412)
    assert refusal(s3.put_object, **put, IfMatch='"other"')[::2] == ("PreconditionFailed", 412)
    assert refusal(s3.put_object, **put, IfNoneMatch='"other"')[::2] == ("NotImplemented", 501)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
    s3.put_object(**put, IfMatch=etag)
    assert refusal(s3.put_object, Bucket=bucket, Key="none", Body=b"", IfMatch=etag)[::2] == ("NoSuchKey", 404)
    s3.delete_object(Bucket=bucket, Key="a")
    s3.put_object(**put, IfNoneMatch="*")


def test_a_delete_marker_is_nothing_to_a_condition(aws: Aws) -> None:
    """If-None-Match: * makes an object where the current version is a delete marker."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    s3.delete_object(Bucket=bucket, Key="a")
    assert refusal(s3.put_object, Bucket=bucket, Key="a", Body=b"2", IfMatch=etag)[0] == "NoSuchKey"
    s3.put_object(Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*")


def test_only_one_of_many_makes_the_object(aws: Aws) -> None:
    """Of puts that all want to be the first, one is."""
    bucket = aws.bucket()
    clients = [aws.client("s3") for _ in range(8)]

    def put(number: int) -> int:
        try:
            clients[number].put_object(Bucket=bucket, Key="lock", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        return 200

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(put, range(8))) == [200, *[412] * 7]


def test_completions(aws: Aws) -> None:
    """A multipart upload is completed only where the condition holds; else it is still under way."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="a")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="a", UploadId=upload, PartNumber=1, Body=b"2")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    done: dict[str, Any] = {"Bucket": bucket, "Key": "a", "UploadId": upload, "MultipartUpload": parts}
    assert refusal(s3.complete_multipart_upload, **done, IfNoneMatch="*")[2] == 412
    etag = s3.head_object(Bucket=bucket, Key="a")["ETag"]
    s3.complete_multipart_upload(**done, IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"2"


def test_deletions(aws: Aws) -> None:
    """DeleteObject and each key of DeleteObjects compare the ETag that they name."""
    s3, bucket = aws.client("s3"), aws.bucket()
    etags = {key: s3.put_object(Bucket=bucket, Key=key, Body=key.encode())["ETag"] for key in "abc"}
    assert refusal(s3.delete_object, Bucket=bucket, Key="a", IfMatch='"other"')[::2] == ("PreconditionFailed", 412)
    s3.delete_object(Bucket=bucket, Key="a", IfMatch=etags["a"])
    objects = [{"Key": "b", "ETag": etags["c"]}, {"Key": "c", "ETag": etags["c"]}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [item["Key"] for item in answer["Deleted"]] == ["c"]
    assert [(item["Key"], item["Code"]) for item in answer["Errors"]] == [("b", "PreconditionFailed")]
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["b"]
