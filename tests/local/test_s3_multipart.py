"""Multipart uploads at their edges."""

from __future__ import annotations

from typing import Any

import pytest
from gate_errors import refusal
from gate_wire import ask

from gate_clients import Aws

FULL = b"0" * (5 * 1024 * 1024)


class _Uploading:
    """An upload that is under way."""

    def __init__(self, aws: Aws) -> None:
        self.s3, self.bucket = aws.client("s3"), aws.bucket()
        self.names: dict[str, Any] = {"Bucket": self.bucket, "Key": "a"}
        self.names["UploadId"] = self.s3.create_multipart_upload(**self.names)["UploadId"]

    def put(self, number: int, body: bytes = b"1") -> dict[str, Any]:
        etag = self.s3.upload_part(**self.names, PartNumber=number, Body=body)["ETag"]
        return {"PartNumber": number, "ETag": etag}

    def complete(self, *parts: dict[str, Any]) -> Any:
        return self.s3.complete_multipart_upload(**self.names, MultipartUpload={"Parts": list(parts)})

    def refuse(self, *parts: dict[str, Any]) -> str:
        return refusal(self.complete_raw, parts=parts)[0]

    def complete_raw(self, parts: tuple[dict[str, Any], ...]) -> Any:
        return self.complete(*parts)


@pytest.fixture
def uploading(aws: Aws) -> _Uploading:
    return _Uploading(aws)


def test_parts_must_be_those_that_were_sent(uploading: _Uploading) -> None:
    """A part that is not there, or has another ETag, is InvalidPart; the order of the list is that of the numbers."""
    first, second = uploading.put(1, FULL), uploading.put(2)
    assert uploading.refuse(first, {**second, "ETag": '"other"'}) == "InvalidPart"
    assert uploading.refuse(first, {"PartNumber": 3, "ETag": second["ETag"]}) == "InvalidPart"
    assert uploading.refuse(second, first) == "InvalidPartOrder"
    assert uploading.refuse(first, first) == "InvalidPartOrder"
    assert uploading.refuse() == "MalformedXML"
    assert uploading.complete(first, second)["ETag"].endswith('-2"')


def test_only_the_last_part_may_be_small(uploading: _Uploading) -> None:
    """A part below 5 MiB that is not the last is EntityTooSmall, and the upload goes on."""
    small, last = uploading.put(1), uploading.put(2)
    assert uploading.refuse(small, last) == "EntityTooSmall"
    uploading.complete(uploading.put(1, FULL), last)


@pytest.mark.parametrize("number", ["0", "10001", "-1"])
def test_parts_are_numbered_to_ten_thousand(aws: Aws, uploading: _Uploading, number: str) -> None:
    """A part number out of range is InvalidArgument."""
    query = f"partNumber={number}&uploadId={uploading.names['UploadId']}"
    status, body = ask(aws, "PUT", f"/{uploading.bucket}/a?{query}", b"1")
    assert (status, b"between 1 and 10000" in body) == (400, True)


def test_completing_twice_gives_the_same(uploading: _Uploading) -> None:
    """The answer to a completion can be had again; after an abort there is nothing to complete."""
    part = uploading.put(1)
    assert uploading.complete(part)["ETag"] == uploading.complete(part)["ETag"]
    assert refusal(uploading.s3.upload_part, **uploading.names, PartNumber=2, Body=b"")[::2] == ("NoSuchUpload", 404)
    assert refusal(uploading.s3.list_parts, **uploading.names)[0] == "NoSuchUpload"
    assert refusal(uploading.s3.abort_multipart_upload, **uploading.names)[0] == "NoSuchUpload"


def test_after_an_abort_there_is_no_upload(uploading: _Uploading) -> None:
    """Every call that names it is NoSuchUpload."""
    part = uploading.put(1)
    uploading.s3.abort_multipart_upload(**uploading.names)
    assert uploading.refuse(part) == "NoSuchUpload"
    assert refusal(uploading.s3.upload_part, **uploading.names, PartNumber=1, Body=b"")[0] == "NoSuchUpload"
    assert refusal(uploading.s3.head_object, Bucket=uploading.bucket, Key="a")[2] == 404


def test_parts_are_listed_by_their_numbers(uploading: _Uploading) -> None:
    """Pages of parts go on after a number, whatever numbers there are; a part sent again is there once."""
    for number in (7, 2, 9, 2):
        uploading.put(number, str(number).encode())
    first = uploading.s3.list_parts(**uploading.names, MaxParts=2)
    assert [part["PartNumber"] for part in first["Parts"]] == [2, 7]
    assert (first["IsTruncated"], first["NextPartNumberMarker"]) == (True, 7)
    rest = uploading.s3.list_parts(**uploading.names, PartNumberMarker=7)
    assert ([part["PartNumber"] for part in rest["Parts"]], rest["IsTruncated"]) == ([9], False)


@pytest.mark.parametrize(
    ("given", "code"),
    [("bytes=0-9", "InvalidArgument"), ("bytes=3-1", "InvalidArgument"), ("0-1", "InvalidArgument")],
)
def test_ranges_of_a_source_lie_in_it(uploading: _Uploading, given: str, code: str) -> None:
    """A part that is copied takes a range that the source has."""
    uploading.s3.put_object(Bucket=uploading.bucket, Key="s", Body=b"12345")
    copy: dict[str, Any] = {**uploading.names, "PartNumber": 1, "CopySource": f"{uploading.bucket}/s"}
    assert refusal(uploading.s3.upload_part_copy, **copy, CopySourceRange=given)[0] == code
    uploading.s3.upload_part_copy(**copy, CopySourceRange="bytes=1-3")
    part = uploading.s3.list_parts(**uploading.names)["Parts"][0]
    uploading.complete({"PartNumber": 1, "ETag": part["ETag"]})
    assert uploading.s3.get_object(Bucket=uploading.bucket, Key="a")["Body"].read() == b"234"
