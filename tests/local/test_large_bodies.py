"""Objects larger than what is kept in memory: whole, in parts, in ranges, copied, and while they are replaced."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import random
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from gate_errors import refusal
from gate_wire import sign
from test_gate_framing import SIGNED, signed_chunks, streaming

from gate_clients import Aws
from keyhole.aws import checksums
from keyhole.local.blob import MEMORY_BYTES

PART = 5 * 1024 * 1024
DATA = random.Random(1).randbytes(PART + 2 * MEMORY_BYTES)


def crc32(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")


def upload(aws: Aws, bucket: str, **options: Any) -> tuple[str, list[dict[str, Any]]]:
    """Begin an upload of DATA in two parts, and give its id and its parts."""
    s3 = aws.client("s3")
    begun = s3.create_multipart_upload(Bucket=bucket, Key="k", **options)
    parts = []
    for number, body in ((1, DATA[:PART]), (2, DATA[PART:])):
        more = {"ChecksumAlgorithm": options["ChecksumAlgorithm"]} if "ChecksumAlgorithm" in options else {}
        if more.get("ChecksumAlgorithm") == "CRC64NVME":
            more = {"ChecksumCRC64NVME": checksums.compute("crc64nvme", body)}
        done = s3.upload_part(Bucket=bucket, Key="k", UploadId=begun["UploadId"], PartNumber=number, Body=body, **more)
        parts.append({"PartNumber": number, "ETag": done["ETag"]})
    return begun["UploadId"], parts


def test_a_large_object_comes_back(aws: Aws) -> None:
    """Put at once, read at once, with its length and its MD5."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    put = s3.put_object(Bucket=bucket, Key="k", Body=DATA)
    assert put["ETag"] == f'"{hashlib.md5(DATA).hexdigest()}"'
    found = s3.get_object(Bucket=bucket, Key="k")
    assert (found["ContentLength"], found["Body"].read()) == (len(DATA), DATA)
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == len(DATA)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        (f"bytes={MEMORY_BYTES}-{3 * MEMORY_BYTES}", slice(MEMORY_BYTES, 3 * MEMORY_BYTES + 1)),
        ("bytes=-7", slice(-7, None)),
        (f"bytes={PART}-", slice(PART, None)),
    ],
)
def test_a_large_object_is_read_in_ranges(aws: Aws, asked: str, part: slice) -> None:
    """Any range is cut from it, and a range outside of it is refused."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=DATA)
    found = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert found["Body"].read() == DATA[part]
    assert found["ContentRange"].endswith(f"/{len(DATA)}")
    assert refusal(s3.get_object, Bucket=bucket, Key="k", Range=f"bytes={len(DATA)}-")[0] == "InvalidRange"


def test_parts_are_joined(aws: Aws) -> None:
    """The object is its parts, its ETag the MD5 of their MD5s, and it can be read across them."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    upload_id, parts = upload(aws, bucket)
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload_id, MultipartUpload={"Parts": parts})
    found = s3.get_object(Bucket=bucket, Key="k")
    assert found["Body"].read() == DATA
    digests = hashlib.md5(DATA[:PART]).digest() + hashlib.md5(DATA[PART:]).digest()
    assert found["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    across = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={PART - 3}-{PART + 3}")
    assert across["Body"].read() == DATA[PART - 3 : PART + 4]


def test_parts_may_come_all_at_once(aws: Aws, tmp_path: Path) -> None:
    """Ten threads put parts while others are counted: each has the ETag of its own bytes."""
    bucket, s3, source = aws.bucket(), aws.client("s3"), tmp_path / "source"
    source.write_bytes(DATA * 6)
    parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
    s3.upload_file(str(source), bucket, "k", Config=parts)
    s3.download_file(bucket, "k", str(tmp_path / "copy"), Config=parts)
    assert (tmp_path / "copy").read_bytes() == DATA * 6


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"ChecksumAlgorithm": "CRC32"},
            base64.b64encode(crc32(crc32(DATA[:PART]) + crc32(DATA[PART:]))).decode() + "-2",
        ),
        (
            {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"},
            base64.b64encode(crc32(DATA)).decode(),
        ),
        ({"ChecksumAlgorithm": "CRC64NVME"}, checksums.compute("crc64nvme", DATA)),
    ],
)
def test_a_joined_object_has_the_checksum_of_its_kind(aws: Aws, options: dict[str, str], expected: str) -> None:
    """Composite over the parts' checksums, or over the whole object; CRC64NVME is always of the whole."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    upload_id, parts = upload(aws, bucket, **options)
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload_id, MultipartUpload={"Parts": parts})
    found = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert found[f"Checksum{options['ChecksumAlgorithm']}"] == expected


def test_only_what_was_uploaded_is_joined(aws: Aws) -> None:
    """A part with another ETag is InvalidPart, a small one before the last EntityTooSmall; the upload goes on."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    upload_id, parts = upload(aws, bucket)
    wrong = [{**parts[0], "ETag": parts[1]["ETag"]}, parts[1]]
    target = {"Bucket": bucket, "Key": "k", "UploadId": upload_id}
    assert refusal(s3.complete_multipart_upload, **target, MultipartUpload={"Parts": wrong})[0] == "InvalidPart"
    third = s3.upload_part(**target, PartNumber=3, Body=b"end")
    many = [*parts, {"PartNumber": 3, "ETag": third["ETag"]}]
    assert refusal(s3.complete_multipart_upload, **target, MultipartUpload={"Parts": many})[0] == "EntityTooSmall"
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == DATA


def test_large_objects_are_copied(aws: Aws) -> None:
    """As a whole, and a range of one as a part; the copy stays when the original goes."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=DATA)
    source = {"Bucket": bucket, "Key": "k"}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="part")["UploadId"]
    target = {"Bucket": bucket, "Key": "part", "UploadId": upload_id}
    part = s3.upload_part_copy(**target, PartNumber=1, CopySource=source, CopySourceRange=f"bytes=7-{PART}")
    parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    s3.delete_object(Bucket=bucket, Key="k")
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == DATA
    assert s3.get_object(Bucket=bucket, Key="part")["Body"].read() == DATA[7 : PART + 1]


def test_who_reads_an_object_reads_it_to_its_end(aws: Aws) -> None:
    """It may be replaced or deleted meanwhile."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=DATA)
    for change in (lambda: s3.put_object(Bucket=bucket, Key="k", Body=DATA), aws.server.reset):
        body = s3.get_object(Bucket=bucket, Key="k")["Body"]
        first = body.read(1000)
        change()
        assert first + body.read() == DATA


def test_every_version_keeps_its_bytes(aws: Aws) -> None:
    """Large versions do not share what is theirs."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    bodies = [DATA, DATA[::-1], b"small"]
    versions = [s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in bodies]
    found = [s3.get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() for version in versions]
    assert found == bodies


def test_large_chunked_uploads_are_verified_to_their_end(aws: Aws) -> None:
    """Signed chunks of a large body are put together, and one wrong bit in the last of them stores nothing."""
    bucket = aws.bucket()
    target = f"/{bucket}/k"
    pieces = [DATA[at : at + 1024 * 1024] for at in range(0, len(DATA), 1024 * 1024)]
    headers = streaming(aws, target, len(DATA), SIGNED)
    body = signed_chunks(aws, headers, pieces)
    spoilt = body[:-200] + bytes([body[-200] ^ 1]) + body[-199:]
    assert put_raw(aws, target, spoilt, headers)[0] == 403
    assert aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert put_raw(aws, target, body, headers)[0] == 200
    assert aws.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == DATA


def test_a_large_body_with_a_wrong_checksum_stores_nothing(aws: Aws) -> None:
    """The hash in the signature, Content-MD5 and a checksum are all of the whole body."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    wrong = base64.b64encode(crc32(b"else")).decode()
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=DATA, ChecksumCRC32=wrong)[0] == "BadDigest"
    md5 = base64.b64encode(hashlib.md5(b"else").digest()).decode()
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=DATA, ContentMD5=md5)[0] == "BadDigest"
    headers = sign(aws, "PUT", f"/{bucket}/k", b"else")
    assert b"XAmzContentSHA256Mismatch" in put_raw(aws, f"/{bucket}/k", DATA, headers)[1]
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_large_object_can_be_searched(aws: Aws) -> None:
    """SelectObjectContent reads it as a whole, compressed or not."""
    bucket, s3 = aws.bucket(), aws.client("s3")
    rows = b"\n".join(b"%d,%s" % (n, hashlib.sha256(b"%d" % n).hexdigest().encode()) for n in range(40_000))
    for key, body, kind in (("a", rows, "NONE"), ("b", gzip.compress(rows), "GZIP")):
        assert len(body) > MEMORY_BYTES
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        found = s3.select_object_content(
            Bucket=bucket,
            Key=key,
            ExpressionType="SQL",
            Expression="SELECT count(*) FROM S3Object",
            InputSerialization={"CSV": {"FileHeaderInfo": "NONE"}, "CompressionType": kind},
            OutputSerialization={"JSON": {}},
        )
        records = b"".join(event["Records"]["Payload"] for event in found["Payload"] if "Records" in event)
        assert b"40000" in records
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body


def test_memory_does_not_grow_with_the_body(aws: Aws) -> None:
    """Putting and getting many megabytes takes a few: nowhere is the whole of it held."""
    bucket, size, block = aws.bucket(), 32 * 1024 * 1024, b"x" * 65_536
    target = f"/{bucket}/k"
    headers = sign(aws, "PUT", target, declared="UNSIGNED-PAYLOAD") | {"Content-Length": str(size)}
    reading = sign(aws, "GET", target)

    def blocks() -> Iterator[bytes]:
        return (block for _ in range(size // len(block)))

    tracemalloc.start()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", aws.server.port, timeout=60)
        connection.request("PUT", target, blocks(), headers)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        connection.request("GET", target, headers=reading)
        answer, total = connection.getresponse(), 0
        while piece := answer.read(65_536):
            total += len(piece)
        connection.close()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == size
    assert peak < 8 * 1024 * 1024


def put_raw(aws: Aws, target: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Send a large body as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", aws.server.port, timeout=60)
    connection.request("PUT", target, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found
