"""Checksums that come after the body, as the SDKs of today send them, and those in front of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest
from gate_errors import refusal
from gate_wire import EMPTY, send, sign, signing_key

from gate_clients import Aws
from keyhole.aws import checksums

UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
BODY = b"hello world"
CRC32 = checksums.compute("crc32", BODY)


def put(aws: Aws, bucket: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    status, answer = send(aws, "PUT", f"/{bucket}/k", body, headers)
    return status, answer.decode()


def announced(aws: Aws, bucket: str, declared: str, trailer: str = "x-amz-checksum-crc32") -> dict[str, str]:
    """The headers of an upload whose checksum is to follow."""
    more: dict[str, Any] = {"x_amz_decoded_content_length": str(len(BODY)), "content_encoding": "aws-chunked"}
    if trailer:
        more["x_amz_trailer"] = trailer
    return sign(aws, "PUT", f"/{bucket}/k", declared=declared, **more)


def unsigned(*trailers: str) -> bytes:
    lines = "".join(f"{line}\r\n" for line in trailers)
    return b"b\r\nhello world\r\n0\r\n" + lines.encode() + b"\r\n"


@pytest.mark.parametrize("name", sorted(checksums.ALGORITHMS))
def test_every_checksum_may_trail(aws: Aws, name: str) -> None:
    """What boto3, the AWS CLI and the JavaScript SDK send for a stream: unsigned chunks, a checksum at the end."""
    bucket = aws.bucket()
    headers = announced(aws, bucket, UNSIGNED, f"x-amz-checksum-{name}")
    assert put(aws, bucket, unsigned(f"x-amz-checksum-{name}:{checksums.compute(name, BODY)}"), headers) == (200, "")
    found = aws.client("s3").get_object(Bucket=bucket, Key="k")
    assert found["Body"].read() == BODY
    assert "ContentEncoding" not in found


@pytest.mark.parametrize(
    ("trailers", "code"),
    [
        (["x-amz-checksum-crc32:AAAAAA=="], "BadDigest"),
        (["x-amz-checksum-crc32:!"], "InvalidRequest"),
        ([], "MalformedTrailerError"),
        (["x-amz-checksum-sha1:x"], "InvalidRequest"),
        ([f"x-amz-checksum-crc32:{CRC32}", f"x-amz-checksum-crc32:{CRC32}"], "MalformedTrailerError"),
        (["no header"], "MalformedTrailerError"),
        (["x-amz-checksum-crc32:" + "A" * 20_000], "MalformedTrailerError"),
    ],
)
def test_a_trailer_is_what_was_announced(aws: Aws, trailers: list[str], code: str) -> None:
    """A checksum that is wrong, missing, or not the one that was promised stores nothing."""
    bucket = aws.bucket()
    status, answer = put(aws, bucket, unsigned(*trailers), announced(aws, bucket, UNSIGNED))
    assert (status, f"<Code>{code}</Code>" in answer) == (400, True)
    assert aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_checksum_that_nobody_announced_is_refused(aws: Aws) -> None:
    """x-amz-trailer names what trails: nothing else may."""
    bucket = aws.bucket()
    body = unsigned(f"x-amz-checksum-crc32:{CRC32}")
    status, answer = put(aws, bucket, body, announced(aws, bucket, UNSIGNED, ""))
    assert (status, "MalformedTrailerError" in answer) == (400, True)


def signed_body(aws: Aws, headers: dict[str, str], trailer: str) -> bytes:
    """One signed chunk, the last chunk, the trailer and its signature.

    AWS: S3 API Reference, "Signature calculations for trailing headers".
    """
    previous = headers["authorization"].rpartition("Signature=")[2]
    scope = headers["authorization"].partition("Credential=")[2].partition(",")[0].partition("/")[2]
    key, found = signing_key(aws.root, scope), b""
    for piece in (BODY, b""):
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{headers['x-amz-date']}\n{scope}\n{previous}\n{EMPTY}\n"
        previous = hmac.digest(key, (text + hashlib.sha256(piece).hexdigest()).encode(), "sha256").hex()
        found += f"{len(piece):x};chunk-signature={previous}\r\n".encode() + piece + (b"\r\n" if piece else b"")
    digest = hashlib.sha256(f"{trailer}\n".encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256-TRAILER\n{headers['x-amz-date']}\n{scope}\n{previous}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return found + f"{trailer}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()


def test_signed_trailers_end_the_chain(aws: Aws) -> None:
    """The trailer is signed after the last chunk; another value for it, or no signature, is refused."""
    bucket = aws.bucket()
    headers = announced(aws, bucket, SIGNED)
    body = signed_body(aws, headers, f"x-amz-checksum-crc32:{CRC32}")
    for spoilt in (body.replace(CRC32.encode(), b"AAAAAA=="), body[: body.index(b"x-amz-trailer-signature")] + b"\r\n"):
        status, answer = put(aws, bucket, spoilt, headers)
        assert (status, "SignatureDoesNotMatch" in answer) == (403, True)
    assert put(aws, bucket, body, headers)[0] == 200
    assert aws.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == BODY


def test_there_is_one_checksum_and_it_is_one(aws: Aws) -> None:
    """Two of them, one that cannot be one, and an algorithm without its checksum are invalid."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    two = {"ChecksumCRC32": CRC32, "ChecksumSHA1": base64.b64encode(hashlib.sha1(BODY).digest()).decode()}
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=BODY, **two)[1].startswith("Expecting a single x-amz-")
    found = refusal(s3.put_object, Bucket=bucket, Key="k", Body=BODY, ChecksumCRC32="AA==")
    assert found == ("InvalidRequest", "Value for x-amz-checksum-crc32 header is invalid.", 400)
    more: dict[str, Any] = {"x_amz_sdk_checksum_algorithm": "CRC32"}
    status, answer = put(aws, bucket, BODY, sign(aws, "PUT", f"/{bucket}/k", BODY, **more))
    assert (status, "x-amz-sdk-checksum-algorithm specified, but no corresponding" in answer) == (400, True)


def test_a_wrong_md5_is_told_with_the_right_one(aws: Aws) -> None:
    """BadDigest names both; what is no MD5 is InvalidDigest."""
    bucket = aws.bucket()
    wrong = base64.b64encode(hashlib.md5(b"else").digest()).decode()
    right = base64.b64encode(hashlib.md5(BODY).digest()).decode()
    more: dict[str, Any] = {"content_md5": wrong}
    status, answer = put(aws, bucket, BODY, sign(aws, "PUT", f"/{bucket}/k", BODY, **more))
    assert (status, f"<ExpectedDigest>{wrong}</ExpectedDigest>" in answer) == (400, True)
    assert f"<CalculatedDigest>{right}</CalculatedDigest>" in answer
    more = {"content_md5": "x"}
    status, answer = put(aws, bucket, BODY, sign(aws, "PUT", f"/{bucket}/k", BODY, **more))
    assert (status, "<Code>InvalidDigest</Code>" in answer) == (400, True)
