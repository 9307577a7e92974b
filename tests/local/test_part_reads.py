"""Reading one part of an object that was uploaded in parts."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from gate_clients import Aws

_MIB = 1024 * 1024
_PARTS = (b"a" * 5 * _MIB, b"b" * (5 * _MIB + 1), b"c")


@pytest.fixture
def bucket(aws: Aws) -> str:
    """A bucket with an object `big` of three parts."""
    name, s3 = aws.bucket(), aws.client("s3")
    upload = s3.create_multipart_upload(Bucket=name, Key="big")["UploadId"]
    done = []
    # Numbers may have gaps: a read counts the parts, whatever they were called.
    for number, body in zip((1, 4, 9), _PARTS, strict=True):
        part = s3.upload_part(Bucket=name, Key="big", UploadId=upload, PartNumber=number, Body=body)
        done.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(Bucket=name, Key="big", UploadId=upload, MultipartUpload={"Parts": done})
    return name


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_part_is_read_by_its_number(aws: Aws, bucket: str, number: int) -> None:
    """Its bytes, where they lie in the object, and how many parts there are."""
    s3, body = aws.client("s3"), _PARTS[number - 1]
    first = sum(len(part) for part in _PARTS[: number - 1])
    got = s3.get_object(Bucket=bucket, Key="big", PartNumber=number)
    head = s3.head_object(Bucket=bucket, Key="big", PartNumber=number)
    assert got["Body"].read() == body
    total = sum(len(part) for part in _PARTS)
    assert got["ContentRange"] == f"bytes {first}-{first + len(body) - 1}/{total}"
    assert [answer["PartsCount"] for answer in (got, head)] == [3, 3]
    assert [answer["ContentLength"] for answer in (got, head)] == [len(body)] * 2
    assert [answer["ResponseMetadata"]["HTTPStatusCode"] for answer in (got, head)] == [206, 206]


def test_an_object_that_was_put_whole_is_its_first_part(aws: Aws, bucket: str) -> None:
    """It has no count of parts; an empty one has no range either."""
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key="small", Body=b"abc")
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    got = s3.get_object(Bucket=bucket, Key="small", PartNumber=1)
    assert (got["Body"].read(), got["ContentRange"], "PartsCount" in got) == (b"abc", "bytes 0-2/3", False)
    got = s3.get_object(Bucket=bucket, Key="empty", PartNumber=1)
    assert (got["Body"].read(), got["ContentLength"], "ContentRange" in got) == (b"", 0, False)


@pytest.mark.parametrize(
    ("number", "more", "code"),
    [
        (4, {}, "InvalidPartNumber"),
        (0, {}, "InvalidArgument"),
        (10_001, {}, "InvalidArgument"),
        (1, {"Range": "bytes=0-1"}, "InvalidRequest"),
    ],
)
def test_parts_that_are_not_there_are_refused(
    aws: Aws, bucket: str, number: int, more: dict[str, str], code: str
) -> None:
    """A number beyond the last part, none at all, or a range beside it."""
    with pytest.raises(ClientError) as caught:
        aws.client("s3").get_object(Bucket=bucket, Key="big", PartNumber=number, **more)
    assert caught.value.response["Error"]["Code"] == code
