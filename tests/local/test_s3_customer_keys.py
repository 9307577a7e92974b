"""Server-side encryption with the customer's own keys."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from gate_errors import refusal
from gate_wire import ask

from gate_clients import Aws
from keyhole.local import state

KEY, OTHER = b"k" * 32, b"o" * 32


def _given(key: bytes = KEY, prefix: str = "") -> dict[str, Any]:
    return {f"{prefix}SSECustomerAlgorithm": "AES256", f"{prefix}SSECustomerKey": key}


def _headers(**changes: str | None) -> dict[str, str]:
    """The three headers, changed or left out."""
    base: dict[str, str | None] = {
        "algorithm": "AES256",
        "key": base64.b64encode(KEY).decode(),
        "key_md5": base64.b64encode(hashlib.md5(KEY, usedforsecurity=False).digest()).decode(),
    }
    every = {**base, **changes}
    return {f"x_amz_server_side_encryption_customer_{name}": value for name, value in every.items() if value}


def test_only_the_key_that_wrote_reads(aws: Aws) -> None:
    """Get and head want the same key: none is a 400, another a 403; answers name its MD5."""
    s3, bucket = aws.client("s3"), aws.bucket()
    put = s3.put_object(Bucket=bucket, Key="a", Body=b"1", **_given())
    assert put["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(KEY, usedforsecurity=False).digest()).decode()
    assert "ServerSideEncryption" not in put
    got = s3.get_object(Bucket=bucket, Key="a", **_given())
    assert (got["Body"].read(), got["SSECustomerAlgorithm"]) == (b"1", "AES256")
    assert s3.head_object(Bucket=bucket, Key="a", **_given())["SSECustomerKeyMD5"] == put["SSECustomerKeyMD5"]
    code, message, status = refusal(s3.get_object, Bucket=bucket, Key="a")
    assert (code, status) == ("InvalidRequest", 400)
    assert message.startswith("The object was stored using a form of Server Side Encryption.")
    assert refusal(s3.head_object, Bucket=bucket, Key="a")[2] == 400
    assert refusal(s3.get_object, Bucket=bucket, Key="a", **_given(OTHER))[::2] == ("AccessDenied", 403)
    assert refusal(s3.head_object, Bucket=bucket, Key="a", **_given(OTHER))[2] == 403


def test_a_key_for_what_has_none_is_refused(aws: Aws) -> None:
    """An object that was written without a key is not read with one."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    code, message, _ = refusal(s3.get_object, Bucket=bucket, Key="a", **_given())
    assert (code, message) == ("InvalidRequest", "The encryption parameters are not applicable to this object.")


def test_copies_want_the_keys_of_source_and_copy(aws: Aws) -> None:
    """The source's key opens it, and the copy has the key that it is given, or none."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", **_given())
    copy: dict[str, Any] = {"Bucket": bucket, "Key": "b", "CopySource": f"{bucket}/a"}
    assert refusal(s3.copy_object, **copy)[0] == "InvalidRequest"
    assert refusal(s3.copy_object, **copy, **_given(OTHER, "CopySource"))[0] == "AccessDenied"
    s3.copy_object(**copy, **_given(prefix="CopySource"), **_given(OTHER))
    assert s3.get_object(Bucket=bucket, Key="b", **_given(OTHER))["Body"].read() == b"1"
    s3.copy_object(**{**copy, "Key": "c"}, **_given(prefix="CopySource"))
    assert s3.get_object(Bucket=bucket, Key="c")["Body"].read() == b"1"


def test_every_part_comes_with_the_key_of_the_upload(aws: Aws) -> None:
    """A part without the key, or with another, is refused; the object wants the key."""
    s3, bucket = aws.client("s3"), aws.bucket()
    upload = s3.create_multipart_upload(Bucket=bucket, Key="a", **_given())["UploadId"]
    part: dict[str, Any] = {"Bucket": bucket, "Key": "a", "UploadId": upload, "PartNumber": 1, "Body": b"1"}
    assert refusal(s3.upload_part, **part)[0] == "InvalidRequest"
    assert refusal(s3.upload_part, **part, **_given(OTHER))[0] == "InvalidRequest"
    etag = s3.upload_part(**part, **_given())["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="a", UploadId=upload, MultipartUpload=parts)
    assert refusal(s3.get_object, Bucket=bucket, Key="a")[0] == "InvalidRequest"
    assert s3.get_object(Bucket=bucket, Key="a", **_given())["Body"].read() == b"1"


@pytest.mark.parametrize(
    ("changes", "code", "part"),
    [
        ({"algorithm": None}, "InvalidArgument", "a valid encryption algorithm"),
        ({"key": None}, "InvalidArgument", "an appropriate secret key"),
        ({"key_md5": None}, "InvalidArgument", "the client calculated MD5"),
        ({"algorithm": "AES128"}, "InvalidEncryptionAlgorithmError", "Supported value: AES256"),
        ({"key": base64.b64encode(b"short").decode()}, "InvalidArgument", "was invalid for the specified algorithm"),
        ({"key": "not base64!"}, "InvalidArgument", "was invalid for the specified algorithm"),
        ({"key": base64.b64encode(OTHER).decode()}, "InvalidArgument", "MD5 hash of the key did not match"),
    ],
)
def test_keys_that_are_none(aws: Aws, changes: dict[str, str | None], code: str, part: str) -> None:
    """All three headers are wanted and must fit together; what was written stays as it is."""
    bucket = aws.bucket()
    for method, body in (("PUT", b"1"), ("GET", b"")):
        if method == "GET":
            aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"1", **_given())
        given: dict[str, Any] = _headers(**changes)
        status, answer = ask(aws, method, f"/{bucket}/a", body, **given)
        assert (status, f"<Code>{code}</Code>" in answer.decode(), part in answer.decode()) == (400, True, True)


def test_one_kind_of_encryption_at_a_time(aws: Aws) -> None:
    """A customer's key and a service's do not go together."""
    s3, bucket = aws.client("s3"), aws.bucket()
    code = refusal(s3.put_object, Bucket=bucket, Key="a", Body=b"", ServerSideEncryption="AES256", **_given())[0]
    assert code == "InvalidArgument"


def test_keys_are_in_no_event(aws: Aws) -> None:
    """The event of a put says that there was a key, and not which."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", **_given())
    s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a", **_given(prefix="CopySource"), **_given(OTHER))
    text = state.events_path(aws.server.port).read_text()
    for key in (KEY, OTHER):
        assert base64.b64encode(key).decode() not in text
    puts = [event for event in map(json.loads, text.splitlines()) if event["eventName"] == "PutObject"]
    assert "customer-algorithm" in json.dumps(puts[-1]["requestParameters"])
