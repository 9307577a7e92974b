"""Whatever is sent, signed or not, the gate answers as AWS does: never with a traceback.

moto itself fails on some odd calls that were let through; that is said in one line, and is no failure of the gate.
"""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any
from urllib.parse import quote_from_bytes
from xml.etree import ElementTree as ET

import pytest
from form_posts import BOUNDARY, encode, policy_fields
from gate_wire import FORM, head, sign, talk
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gate_clients import Aws
from keyhole.local.call import Headers, HttpRequest
from keyhole.local.protocols import cbor
from keyhole.local.protocols.rest import _routes
from keyhole.local.service_models import PROTOCOLS, SIGNING_NAMES, service_model

_SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _members(service: str, operation: str) -> dict[str, Any]:
    shape = service_model(service).operation_model(operation).input_shape
    return dict(shape.members) if shape else {}


_METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH")
_QUERY_NAMES = sorted(
    {name for group in _routes().values() for route in group for name in (*dict(route.literals), *route.optional_query)}
    | {"uploadId", "partNumber", "Action", "X-Amz-Algorithm", "X-Amz-Expires", "AWSAccessKeyId", "Signature", "Expires"}
)
_HEADER_NAMES = sorted(
    {
        str(member.serialization["name"]).lower()
        for name in ("PutObject", "GetObject", "CopyObject", "CreateBucket", "DeleteObject", "UploadPartCopy")
        for member in _members("s3", name).values()
        if member.serialization.get("location") == "header"
    }
    | {"origin", "access-control-request-method", "smithy-protocol", "x-amz-target", "x-amz-meta-a_b", "x-amz-meta-"}
)
_TEXT = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "true", "false", "null", "9" * 5000, "é", "\u20ac", "\ud800", "a=b&a=c", "%", "bytes=0-"]
    ),
    st.sampled_from(["private", "bytes=0-", "REPLACE", "COPY", "AES256", "2030-01-01T00:00:00Z"]),
    st.text(max_size=12),
)
_BYTES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"<Delete><Object><Key>k</Key></Object></Delete>",
            b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
            b"<CreateBucketConfiguration/>",
            b"<VersioningConfiguration><Status>x</Status></VersioningConfiguration>",
            b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>",
            b"<AccessControlPolicy><Owner/><AccessControlList><Grant/></AccessControlList></AccessControlPolicy>",
            b"<a><b/></a>",
            b"{}",
            b'{"a": ["\\ud800"]}',
            b"[]",
            b"\xa1aa\xff",
        ]
    ),
)


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self) -> bytes:
        return self.data


def answer(aws: Aws, method: str, target: str, body: bytes, headers: dict[str, str]) -> int:
    """Give the status of what the server answers; a traceback is a failure."""
    path, _, query = target.partition("?")
    sent = {"content-length": str(len(body)), **headers}
    request = HttpRequest(method, path, query, Headers(sent.items()), _Bytes(body))
    noise = io.StringIO()
    with contextlib.redirect_stderr(noise):
        response = aws.server._answer(request)
    assert "Traceback" not in noise.getvalue()
    if response.status == 500:
        assert "moto failed at" in noise.getvalue()
    if response.status >= 400 and method != "HEAD":
        check_shape(response.header("content-type") or "", response.body)
    return response.status


def check_shape(kind: str, body: bytes) -> None:
    """Hold iff the body is an error document of AWS's, of the kind that it says it is."""
    if "cbor" in kind:
        assert cbor.decode(body)["__type"]
    elif "json" in kind:
        assert json.loads(body)["__type"]
    else:
        assert "xml" in kind
        root = ET.fromstring(body)
        codes = [element.text for element in root.iter() if element.tag.rpartition("}")[2] == "Code"]
        assert codes
        assert codes[0]


def wire(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="/")


def latin(text: str) -> str:
    return "".join(letter for letter in text.encode("utf-8", "replace").decode("latin-1") if letter not in "\r\n\0")


_S3: dict[str, Any] = {
    "method": st.sampled_from(_METHODS),
    "path": st.one_of(st.sampled_from(["/", "/{b}", "/{b}/k", "/{b}/up", "//{b}/k"]), st.text(max_size=8)),
    "query": st.dictionaries(st.one_of(st.sampled_from(_QUERY_NAMES), st.text(max_size=4)), _TEXT, max_size=3),
    "headers": st.dictionaries(st.sampled_from(_HEADER_NAMES), _TEXT, max_size=3),
    "body": _BYTES,
    "who": st.sampled_from(["root", "nobody", "presigned"]),
}


@pytest.fixture
def bucket(aws: Aws) -> str:
    return aws.bucket()


@_SETTINGS
@given(**_S3)
@example("GET", "/{b}/k", {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Expires": "9" * 5000}, {}, b"", "nobody")
@example("GET", "/{b}/k", {}, {"range": "x"}, b"", "root")
@example("GET", "\x1f", {}, {}, b"", "root")
@example("PUT", "/{b}", {}, {"content-length": ""}, b"", "root")
@example("PUT", "/{b}/k", {"x-amz-meta-a": "\u20ac"}, {}, b"", "nobody")
def test_s3_answers_anything(
    aws: Aws, bucket: str, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes, who: str
) -> None:
    """Any method, path, query, headers and body."""
    target = wire(path.replace("{b}", bucket))
    target = target if target.startswith("/") else f"/{target}"
    pairs = [f"{wire(name).replace('/', '%2F')}={wire(value).replace('/', '%2F')}" for name, value in query.items()]
    if who == "presigned":
        names = {"Algorithm": "AWS4-HMAC-SHA256", "Date": "20310517T120000Z", "Expires": "60", "SignedHeaders": "host"}
        names |= {"Credential": f"{aws.root.access_key_id}/\u20ac/us-east-1/s3/aws4_request", "Signature": "0"}
        pairs += [f"X-Amz-{name}={wire(value)}" for name, value in names.items()]
    target = f"{target}?{'&'.join(pairs)}" if pairs else target
    sent = {name: latin(value) for name, value in headers.items()}
    if who == "root":
        more: dict[str, Any] = dict(sent)
        sent = sign(aws, method, target, body, **more)
    assert answer(aws, method, target, body, sent) in range(200, 502)


_OPERATIONS = [
    (service, name)
    for service in ("iam", "sts", "ec2", "resourcegroupstaggingapi")
    for name in service_model(service).operation_names
    if service != "ec2"
    or name.startswith(("RunInst", "Associate", "Modify", "DescribeInst", "CreateTags", "Terminate"))
]


@_SETTINGS
@given(
    operation=st.sampled_from(_OPERATIONS),
    fields=st.dictionaries(
        st.one_of(
            st.sampled_from(["UserName", "RoleName", "PolicyArn", "InstanceId", "InstanceId.1", "Tags.member.1.Key"]),
            st.sampled_from(["DurationSeconds", "RoleArn", "RoleSessionName", "MaxItems", "Marker", "Path"]),
            st.text(max_size=6),
        ),
        _TEXT,
        max_size=4,
    ),
    body=st.one_of(st.none(), _BYTES),
    is_cbor=st.booleans(),
    is_signed=st.booleans(),
)
def test_the_other_services_answer_anything(
    aws: Aws, operation: tuple[str, str], fields: dict[str, str], body: bytes | None, is_cbor: bool, is_signed: bool
) -> None:
    """Any operation with any fields, as a form, as JSON and as CBOR."""
    service, name = operation
    headers: dict[str, Any] = {}
    path = "/"
    if PROTOCOLS[service] == "json":
        prefix = service_model(service).metadata["targetPrefix"]
        headers = {"x-amz-target": f"{prefix}.{name}"}
        if is_cbor:
            headers, path = {"smithy-protocol": "rpc-v2-cbor"}, f"/service/{prefix}/operation/{name}"
    else:
        headers = {"content-type": FORM}
    if body is None:
        pairs = {"Action": name, "Version": "1", **fields}
        body = "&".join(f"{wire(key)}={wire(value)}" for key, value in pairs.items()).encode()
    if is_signed:
        signing_name = next(short for short, long in SIGNING_NAMES.items() if long == service)
        headers = sign(aws, "POST", path, body, service=signing_name, **headers)
    assert answer(aws, "POST", path, body, headers) in range(200, 502)


_FIELD_NAMES = st.one_of(
    st.sampled_from(
        [
            *("key", "Key", "acl", "tagging", "policy", "file", "bucket", "Content-Type", "success_action_status"),
            *("success_action_redirect", "redirect", "x-amz-meta-a", "x-amz-storage-class", "x-amz-checksum-crc32"),
            *("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token"),
            *("AWSAccessKeyId", "signature", "x-ignore-a", "x-amz-copy-source", "x-amz-object-lock-mode"),
        ]
    ),
    st.text(max_size=6),
)
_FIELD_TEXT = st.one_of(
    _TEXT.filter(lambda text: "\ud800" not in text), st.sampled_from(["${filename}", "201", "http://x"])
)
_CONDITIONS = st.recursive(
    st.one_of(
        st.sampled_from(["eq", "starts-with", "content-length-range", "$key", "$acl", "key", "k"]), st.integers()
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=2)),
    max_leaves=6,
)


@_SETTINGS
@given(
    fields=st.lists(st.tuples(_FIELD_NAMES, _FIELD_TEXT), max_size=4),
    conditions=st.one_of(st.none(), st.lists(_CONDITIONS, max_size=3)),
    document=st.one_of(st.none(), st.none(), _CONDITIONS),
    file=st.one_of(st.none(), st.binary(max_size=20)),
    name=st.text(max_size=5),
    cut=st.one_of(st.none(), st.integers(0, 400)),
    boundary=st.sampled_from([BOUNDARY, BOUNDARY, BOUNDARY, "other", ""]),
)
def test_forms_are_answered_whatever_is_in_them(
    aws: Aws,
    bucket: str,
    fields: list[tuple[str, str]],
    conditions: list[Any] | None,
    document: Any,
    file: bytes | None,
    name: str,
    cut: int | None,
    boundary: str,
) -> None:
    """Any fields, policies, file names, and forms that are cut off."""
    own = {} if conditions is None else policy_fields(aws, [{"bucket": bucket}, *conditions], {}, document=document)
    try:
        body = encode([("key", "k"), *fields, *own.items()], file, name=name)[:cut]
    except UnicodeEncodeError:
        return
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    assert answer(aws, "POST", f"/{bucket}", body, headers) in range(200, 500)


_MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, 700),
        st.integers(0, 3),
        st.one_of(st.binary(max_size=3), st.sampled_from([b"\r\n", b": ", b"\r\n\r\n", b" ", b"%", b"0"])),
    ),
    min_size=1,
    max_size=3,
)


@settings(_SETTINGS, max_examples=200)
@given(mutations=_MUTATIONS, is_chunked=st.booleans(), is_form=st.booleans())
def test_bytes_that_were_changed_on_the_way_are_answered(
    aws: Aws, bucket: str, mutations: list[tuple[int, int, bytes]], is_chunked: bool, is_form: bool
) -> None:
    """A request of which some bytes were replaced, put in or taken out, as it is on the wire."""
    more: dict[str, Any] = {"x_amz_decoded_content_length": "5"} if is_chunked else {}
    body = b"5\r\nhello\r\n0\r\n\r\n" if is_chunked else b"hello"
    declared = "STREAMING-UNSIGNED-PAYLOAD-TRAILER" if is_chunked else "UNSIGNED-PAYLOAD"
    target, method, headers = f"/{bucket}/k", "PUT", sign(aws, "PUT", f"/{bucket}/k", declared=declared, **more)
    if is_form:
        body = encode([("key", "k")], b"data")
        method, target = "POST", f"/{bucket}"
        headers = {"host": "127.0.0.1", "content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    data = head(method, target, headers | {"content-length": str(len(body)), "connection": "close"}) + body
    for position, length, replacement in mutations:
        at = position % len(data)
        data = data[:at] + replacement + data[at + length :]
    for found in talk(aws, data, ends=True).split(b"HTTP/1.1 ")[1:]:
        status, (lines, _, rest) = int(found[:3]), found.partition(b"\r\n\r\n")
        assert status < 500 or status in (501, 505)
        if status >= 400:
            kind = next(line for line in lines.lower().split(b"\r\n") if line.startswith(b"content-type:"))
            check_shape(kind.decode(), rest)
