"""What S3 refuses of an object before it takes it, and ranges of what it has."""

from __future__ import annotations

from typing import Any

import pytest
from gate_errors import refusal
from gate_wire import ask

from gate_clients import Aws


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Metadata": {"a": "x" * 2048}}, "MetadataTooLarge"),
        ({"StorageClass": "COLD"}, "InvalidStorageClass"),
        ({"ServerSideEncryption": "rot13"}, "InvalidArgument"),
        ({"SSEKMSKeyId": "k"}, "InvalidArgument"),
        ({"Tagging": "&".join(f"k{number}=v" for number in range(11))}, "BadRequest"),
        ({"Tagging": f"{'k' * 129}=v"}, "InvalidTag"),
        ({"Tagging": f"k={'v' * 257}"}, "InvalidTag"),
        ({"Tagging": "aws:k=v"}, "InvalidTag"),
        ({"Tagging": "k%21=v"}, "InvalidTag"),
        ({"Tagging": "a=1&a=2"}, "InvalidTag"),
    ],
)
def test_what_is_refused_with_a_put(aws: Aws, given: dict[str, Any], code: str) -> None:
    """PutObject and CreateMultipartUpload take the same; nothing is kept of what they refuse."""
    s3, bucket = aws.client("s3"), aws.bucket()
    assert refusal(s3.put_object, Bucket=bucket, Key="a", Body=b"", **given)[0] == code
    assert refusal(s3.create_multipart_upload, Bucket=bucket, Key="a", **given)[0] == code
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_the_most_that_is_taken(aws: Aws) -> None:
    """2 KiB of metadata, ten tags of 128 and 256 letters, a key of 1,024 bytes; one byte more is too much."""
    s3, bucket = aws.client("s3"), aws.bucket()
    tags = [{"Key": f"{number:0128}", "Value": "v" * 256} for number in range(10)]
    s3.put_object(Bucket=bucket, Key="k" * 1024, Body=b"", Metadata={"a": "x" * 2047})
    s3.put_object_tagging(Bucket=bucket, Key="k" * 1024, Tagging={"TagSet": tags})
    assert len(s3.get_object_tagging(Bucket=bucket, Key="k" * 1024)["TagSet"]) == 10
    more = {"TagSet": [*tags, {"Key": "k", "Value": "v"}]}
    assert refusal(s3.put_object_tagging, Bucket=bucket, Key="k" * 1024, Tagging=more)[0] == "BadRequest"
    assert refusal(s3.put_object, Bucket=bucket, Key="k" * 1025, Body=b"")[0] == "KeyTooLongError"
    assert refusal(s3.put_object_tagging, Bucket=bucket, Key="none", Tagging={"TagSet": []})[0] == "NoSuchKey"


def test_an_object_is_copied_onto_itself_only_to_change_it(aws: Aws) -> None:
    """Without a change it is refused; new metadata, or another class, is one."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", Metadata={"x": "1"})
    copy: dict[str, Any] = {"Bucket": bucket, "Key": "a", "CopySource": f"{bucket}/a"}
    code, message, _ = refusal(s3.copy_object, **copy)
    assert (code, message.startswith("This copy request is illegal")) == ("InvalidRequest", True)
    s3.copy_object(**copy, MetadataDirective="REPLACE", Metadata={"x": "2"})
    assert s3.head_object(Bucket=bucket, Key="a")["Metadata"] == {"x": "2"}
    s3.copy_object(**copy, StorageClass="STANDARD_IA")
    assert s3.head_object(Bucket=bucket, Key="a")["StorageClass"] == "STANDARD_IA"


def test_copies_of_nothing(aws: Aws) -> None:
    """A source that is not there is NoSuchKey, a bucket that is not there NoSuchBucket."""
    s3, bucket = aws.client("s3"), aws.bucket()
    assert refusal(s3.copy_object, Bucket=bucket, Key="a", CopySource=f"{bucket}/none")[0] == "NoSuchKey"
    assert refusal(s3.copy_object, Bucket=bucket, Key="a", CopySource="no-such-bucket-here/a")[0] == "NoSuchBucket"


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=0-0", 206, b"0"),
        ("bytes=8-", 206, b"89"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=5-99", 206, b"56789"),
        ("bytes=5-3", 200, b"0123456789"),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("bytes=a-b", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
        ("bytes=10-", 416, b"InvalidRange"),
        ("bytes=99-100", 416, b"InvalidRange"),
        ("bytes=-0", 416, b"InvalidRange"),
    ],
)
def test_ranges(aws: Aws, asked: str, status: int, body: bytes) -> None:
    """One range is given as far as there is something; one beyond the end is 416; what is no range counts for none."""
    bucket = aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"0123456789")
    found, answer = ask(aws, "GET", f"/{bucket}/a", range=asked)
    assert found == status
    assert body in answer if status == 416 else answer == body
