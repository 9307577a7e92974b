"""The parts of the gate by themselves: parsing, payloads, CBOR, the meaning of public, the state file."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhole.aws import checksums
from keyhole.errors import KeyholeError
from keyhole.iam import parse_policy, public
from keyhole.iam.model import PolicyKind
from keyhole.local import state
from keyhole.local.actions import find_row
from keyhole.local.call import Fault, Headers, HttpRequest
from keyhole.local.parse import Destination, parse_call, virtual_bucket
from keyhole.local.payload import open_payload
from keyhole.local.protocols import cbor
from keyhole.local.root_keys import root_credentials, root_key_id
from keyhole.local.server import LocalAws
from keyhole.local.service_models import service_model

S3 = Destination("s3", "us-east-1", "rest-xml")


class FixedBody:
    """A body that is there already."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self) -> bytes:
        return self.data


def request(method: str, target: str, body: bytes = b"", **headers: str) -> HttpRequest:
    path, _, query = target.partition("?")
    pairs = ((name.replace("_", "-"), value) for name, value in headers.items())
    return HttpRequest(method, path, query, Headers(pairs), FixedBody(body))


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/", "ListBuckets"),
        ("PUT", "/b", "CreateBucket"),
        ("GET", "/b", "ListObjects"),
        ("GET", "/b/", "ListObjects"),
        ("GET", "/b?list-type=2&prefix=a", "ListObjectsV2"),
        ("GET", "/b?versions", "ListObjectVersions"),
        ("GET", "/b?uploads", "ListMultipartUploads"),
        ("GET", "/b?lifecycle", "GetBucketLifecycleConfiguration"),
        ("GET", "/b?analytics&id=1", "GetBucketAnalyticsConfiguration"),
        ("GET", "/b?analytics", "ListBucketAnalyticsConfigurations"),
        ("POST", "/b/k?uploads", "CreateMultipartUpload"),
        ("PUT", "/b/k?x-id=PutObject", "PutObject"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
        ("GET", "/b/k?uploadId=u", "ListParts"),
        ("GET", "/b/k?partNumber=1", "GetObject"),
        ("DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"),
        ("DELETE", "/b/k?versionId=v", "DeleteObject"),
        ("GET", "/b/k?tagging", "GetObjectTagging"),
        ("HEAD", "/b/k", "HeadObject"),
    ],
)
def test_s3_operations_are_recognised(method: str, target: str, operation: str) -> None:
    """Method, path and subresource make one operation."""
    assert parse_call(request(method, target), S3).operation == operation


def test_a_copy_is_not_taken_for_a_put() -> None:
    """The header that names a source makes another operation."""
    source: dict[str, Any] = {"x_amz_copy_source": "b/other"}
    assert parse_call(request("PUT", "/b/k", **source), S3).operation == "CopyObject"
    part = parse_call(request("PUT", "/b/k?partNumber=1&uploadId=u", **source), S3)
    assert part.operation == "UploadPartCopy"


@pytest.mark.parametrize(
    "target", ["/b?policy&acl", "/b/k?uploads", "/b/k?policy", "/b?acl=1&acl=2", "/b/k?partNumber=1"]
)
def test_ambiguous_requests_are_refused(target: str) -> None:
    """What names a subresource that the operation does not have, or one parameter twice, is no call."""
    with pytest.raises(Fault):
        parse_call(request("PUT", target), S3)


@pytest.mark.parametrize("body", [b"<", b"<!DOCTYPE a><Delete/>", b"\xff\xfe<\0a\0", b"<Delete>" * 100])
def test_bodies_that_are_not_the_expected_xml_are_refused(body: bytes) -> None:
    """Broken XML, document types and other encodings are MalformedXML."""
    with pytest.raises(Fault) as caught:
        parse_call(request("POST", "/b?delete", body), S3)
    assert caught.value.code == "MalformedXML"


def test_query_parameters_become_nested_members() -> None:
    """IAM's `member` lists and EC2's flat ones give the structures that boto3 was called with."""
    body = b"Action=CreateRole&RoleName=r&MaxSessionDuration=3600&Tags.member.2.Key=b&Tags.member.1.Key=a"
    call = parse_call(request("POST", "/", body), Destination("iam", "us-east-1", "query"))
    assert call.params == {"RoleName": "r", "MaxSessionDuration": 3600, "Tags": [{"Key": "a"}, {"Key": "b"}]}
    body = b"Action=RunInstances&MinCount=1&IamInstanceProfile.Name=w&TagSpecification.1.Tag.1.Key=k&DryRun=true"
    call = parse_call(request("POST", "/", body), Destination("ec2", "us-east-1", "ec2"))
    assert call.params == {
        "MinCount": 1,
        "DryRun": True,
        "IamInstanceProfile": {"Name": "w"},
        "TagSpecifications": [{"Tags": [{"Key": "k"}]}],
    }


@given(st.text(max_size=40), st.text(max_size=40), st.binary(max_size=60))
def test_no_request_breaks_the_parser(path: str, query: str, body: bytes) -> None:
    """Whatever is sent, parsing gives a call or a fault."""
    for method in ("GET", "PUT", "POST", "DELETE"):
        for destination in (S3, Destination("iam", "us-east-1", "query"), Destination("ec2", "us-east-1", "ec2")):
            sent = HttpRequest(method, f"/{path}", query, Headers(), FixedBody(body))
            with contextlib.suppress(Fault):
                assert parse_call(sent, destination).operation


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("127.0.0.1:4566", ""),
        ("localhost:4566", ""),
        ("photos.localhost:4566", "photos"),
        ("photos.s3.localhost", "photos"),
        ("a.b.s3.eu-west-1.amazonaws.com", "a.b"),
        ("photos.s3.amazonaws.com", "photos"),
        ("s3.eu-west-1.amazonaws.com", ""),
    ],
)
def test_buckets_in_host_names(host: str, bucket: str) -> None:
    """Virtual-hosted and path-style addresses are told apart."""
    assert virtual_bucket(host) == bucket


def test_an_unsigned_trailer_must_match_the_payload() -> None:
    """A trailing checksum is verified, and the framing is taken off."""
    data = b"hello"
    crc = checksums.compute("crc32", data)
    raw = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc.encode() + b"\r\n\r\n"
    headers = {"x_amz_decoded_content_length": "5", "x_amz_trailer": "x-amz-checksum-crc32"}
    declared = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    payload = open_payload(request("PUT", "/b/k", raw, **headers), declared, None, b"")
    assert (payload.data, dict(payload.trailers)) == (data, {"x-amz-checksum-crc32": crc})
    for wrong in (raw.replace(b"hello", b"hallo"), raw[:-12], raw.replace(b"5\r\n", b"6\r\n", 1), b"", b"zz\r\n"):
        with pytest.raises(Fault):
            open_payload(request("PUT", "/b/k", wrong, **headers), declared, None, b"")


def test_checksums_are_those_of_the_standards() -> None:
    """The check values of the CRC catalogue, and the hashes of nothing."""
    values = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}
    for name, value in values.items():
        assert base64.b64decode(checksums.compute(name, b"123456789")).hex() == value
    assert base64.b64decode(checksums.compute("sha256", b"")) == hashlib.sha256(b"").digest()


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.binary() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_cbor_reads_what_it_writes(value: Any) -> None:
    """decode is the inverse of encode."""
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=40))
def test_no_bytes_break_the_cbor_reader(data: bytes) -> None:
    """Anything is a value or a ValueError."""
    with contextlib.suppress(ValueError):
        assert cbor.decode(data) != ...


@pytest.mark.parametrize(
    ("principal", "condition", "is_public"),
    [
        ('"*"', "{}", True),
        ('{"AWS": "*"}', "{}", True),
        ('{"AWS": "123456789012"}', "{}", False),
        ('"*"', '{"StringEquals": {"aws:PrincipalAccount": "123456789012"}}', False),
        ('"*"', '{"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}', True),
        ('"*"', '{"StringEqualsIfExists": {"aws:PrincipalAccount": "123456789012"}}', True),
        ('"*"', '{"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}', False),
        ('"*"', '{"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}', True),
        ('"*"', '{"StringEquals": {"aws:Referer": "x"}}', True),
    ],
)
def test_what_makes_a_policy_public(principal: str, condition: str, is_public: bool) -> None:
    """Everyone is let in unless a fixed value of one of AWS's keys narrows it."""
    statement = f'"Effect": "Allow", "Principal": {principal}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"'
    text = f'{{"Version": "2012-10-17", "Statement": [{{{statement}, "Condition": {condition}}}]}}'
    assert public.is_public(parse_policy(text, PolicyKind.RESOURCE)) is is_public


def test_root_keys_are_one_per_account_and_start() -> None:
    """The id tells the account; the secret follows from the master, and is not shown by repr."""
    assert root_key_id("123456789012") == "AKIAKEYHOLELOCALROOT"
    assert len(root_key_id("999999999999")) == 20
    first = root_credentials(b"m", "123456789012")
    assert first == root_credentials(b"m", "123456789012")
    assert len({first.secret_access_key, root_credentials(b"n", "123456789012").secret_access_key}) == 2
    assert first.secret_access_key not in repr(first)
    with pytest.raises(ValueError, match="12-digit"):
        root_credentials(b"m", "12345")


def test_the_state_file_is_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written with mode 0600 in a folder of mode 0700, read back, and removed by its own process only."""
    monkeypatch.setenv("KEYHOLE_STATE_DIR", str(tmp_path / "state"))
    written = state.LocalState(7, "http://127.0.0.1:1", 1, b"\x01\x02")
    path = state.write_state(written)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert state.read_state(1) == written
    assert "0102" not in repr(written)
    state.remove_state(1, pid=8)
    assert state.read_state(1) is not None
    state.remove_state(1, pid=7)
    assert state.read_state(1) is None


def test_a_taken_port_says_by_whom(aws: Any) -> None:
    """A second start on the port names the local AWS that is there."""
    with pytest.raises(KeyholeError, match="already running") as caught:
        LocalAws(port=aws.server.port).start()
    assert "--port" in caught.value.hint


def test_every_row_is_an_operation_of_the_service() -> None:
    """The tables name operations that exist, and cover the object and bucket calls that clients make."""
    from keyhole.local import actions

    for service, rows in actions._TABLES.items():
        assert set(rows) <= set(service_model(service).operation_names), service
    for operation in ("PutObject", "GetObject", "DeleteObjects", "CopyObject", "ListObjectsV2", "PutBucketPolicy"):
        assert find_row("s3", operation)
