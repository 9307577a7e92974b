"""Bodies as they come over the wire: chunked by HTTP, chunked and signed by AWS, announced, cut off, doubly framed."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import socket
import time
from typing import Any

import pytest
from gate_wire import EMPTY, FORM, head, send, sign, signing_key, talk

from gate_clients import Aws
from keyhole.local.http_request import TimedReader

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def signed_chunks(aws: Aws, headers: dict[str, str], pieces: list[bytes]) -> bytes:
    """The body of a streamed upload, each chunk signed after the one before it.

    AWS: S3 API Reference, "Signature calculations: transferring payload in multiple chunks".
    """
    previous = headers["authorization"].rpartition("Signature=")[2]
    scope = headers["authorization"].partition("Credential=")[2].partition(",")[0].partition("/")[2]
    key = signing_key(aws.root, scope)
    body = b""
    for piece in (*pieces, b""):
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{headers['x-amz-date']}\n{scope}\n{previous}\n{EMPTY}\n"
        previous = hmac.digest(key, (text + hashlib.sha256(piece).hexdigest()).encode(), "sha256").hex()
        body += f"{len(piece):x};chunk-signature={previous}\r\n".encode() + piece + b"\r\n"
    return body


def streaming(aws: Aws, target: str, length: int, declared: str = SIGNED) -> dict[str, str]:
    more: dict[str, Any] = {"x_amz_decoded_content_length": str(length), "content_encoding": "aws-chunked"}
    return sign(aws, "PUT", target, declared=declared, **more)


def test_signed_chunks_are_put_together(aws: Aws) -> None:
    """What was streamed in signed chunks is stored without its framing, and is not called aws-chunked."""
    target = f"/{aws.bucket()}/k"
    pieces = [b"a" * 8192, b"b" * 8192, b"end"]
    headers = streaming(aws, target, sum(map(len, pieces)))
    assert send(aws, "PUT", target, signed_chunks(aws, headers, pieces), headers)[0] == 200
    found = aws.client("s3").get_object(Bucket=target.split("/")[1], Key="k")
    assert found["Body"].read() == b"".join(pieces)
    assert "ContentEncoding" not in found


def _changed(body: bytes) -> bytes:
    return body.replace(b"aaaa", b"aaab", 1)


def _swapped(body: bytes) -> bytes:
    first, second, rest = body.split(b"\r\n", 2)[0], body.split(b"\r\n", 2)[1], body.split(b"\r\n", 2)[2]
    return rest.split(b"\r\n")[0] + b"\r\n" + second + b"\r\n" + first + b"\r\n" + rest.partition(b"\r\n")[2]


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        (_changed, 403, b"SignatureDoesNotMatch"),
        (_swapped, 403, b"SignatureDoesNotMatch"),
        (lambda body: body[: body.rindex(b"0;chunk")], 400, b"IncompleteBody"),
        (lambda body: body[:200], 400, b"IncompleteBody"),
        (lambda body: body.replace(b"chunk-signature=", b"chunk-signature=0"), 403, b"SignatureDoesNotMatch"),
        (lambda body: body.replace(b"100;", b"-100;", 1), 400, b"IncompleteBody"),
        (lambda body: body.replace(b"100;", b"0x100;", 1), 400, b"IncompleteBody"),
        (lambda body: body.replace(b"100;", b"1_00;", 1), 400, b"IncompleteBody"),
        (lambda _: b"", 400, b"IncompleteBody"),
        (lambda _: b"a" * 512, 400, b"IncompleteBody"),
    ],
)
def test_spoilt_chunks_store_nothing(aws: Aws, spoil: object, status: int, code: bytes) -> None:
    """A chunk that was changed, moved, left out or cut off ends the upload."""
    target = f"/{aws.bucket()}/k"
    headers = streaming(aws, target, 512)
    body = spoil(signed_chunks(aws, headers, [b"a" * 256, b"b" * 256]))  # type: ignore[operator]
    found, answer = send(aws, "PUT", target, body, headers)
    assert (found, code in answer) == (status, True)
    assert aws.client("s3").list_objects_v2(Bucket=target.split("/")[1])["KeyCount"] == 0


def test_a_streamed_length_must_be_true(aws: Aws) -> None:
    """x-amz-decoded-content-length is the length of what comes out."""
    target = f"/{aws.bucket()}/k"
    headers = streaming(aws, target, 7)
    assert send(aws, "PUT", target, signed_chunks(aws, headers, [b"12345678"]), headers)[0] == 400


def test_anonymous_chunks_are_refused(aws: Aws) -> None:
    """Chunk signatures hang on the signature of the request: without one there is nothing to check them with."""
    target = f"/{aws.bucket()}/k"
    headers = {"x-amz-content-sha256": SIGNED, "x-amz-decoded-content-length": "1"}
    assert send(aws, "PUT", target, b"1;chunk-signature=0\r\na\r\n0;chunk-signature=0\r\n\r\n", headers)[0] == 403


def test_http_chunks_are_a_body_like_any_other(aws: Aws) -> None:
    """Transfer-Encoding: chunked is taken off before AWS's own framing is, wherever the one cuts the other."""
    target = f"/{aws.bucket()}/k"
    headers = streaming(aws, target, 11, UNSIGNED) | {"transfer-encoding": "chunked", "connection": "close"}
    inner = b"b\r\nhello world\r\n0\r\n\r\n"
    pieces = [inner[at : at + 3] for at in range(0, len(inner), 3)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    answer = talk(aws, head("PUT", target, headers) + chunks + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert aws.client("s3").get_object(Bucket=target.split("/")[1], Key="k")["Body"].read() == b"hello world"


@pytest.mark.parametrize("body", [b"zz\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n"])
def test_broken_http_chunks_end_the_connection(aws: Aws, body: bytes) -> None:
    """What is no chunk is refused, and nothing after it is taken for a request."""
    target = f"/{aws.bucket()}/k"
    headers = streaming(aws, target, 5, UNSIGNED) | {"transfer-encoding": "chunked"}
    follow = head("GET", "/_keyhole/status", {"host": "127.0.0.1"})
    answer = talk(aws, head("PUT", target, headers) + body + follow)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"uptime_s" not in answer
    assert aws.client("s3").list_objects_v2(Bucket=target.split("/")[1])["KeyCount"] == 0


@pytest.mark.parametrize(
    "more",
    [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: -3\r\n",
        "Content-Length: 3, 3\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length : 3\r\n",
        " Content-Length: 3\r\n",
    ],
)
def test_a_body_framed_in_two_ways_is_none(aws: Aws, more: str) -> None:
    """Lengths that contradict each other, or are none, end the connection before anything is done (RFC 9112, 6.3)."""
    target = f"/{aws.bucket()}/k"
    headers = sign(aws, "PUT", target, declared="UNSIGNED-PAYLOAD")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    follow = head("GET", "/_keyhole/status", {"host": "127.0.0.1"})
    answer = talk(aws, f"PUT {target} HTTP/1.1\r\n{lines}{more}\r\n".encode() + b"0\r\n\r\n" + follow)
    assert answer[9:10] in (b"4", b"5")
    assert b"uptime_s" not in answer
    assert b" 500 " not in answer[:16]
    assert aws.client("s3").list_objects_v2(Bucket=target.split("/")[1])["KeyCount"] == 0


def test_an_announced_body_is_asked_for(aws: Aws) -> None:
    """`Expect: 100-continue` gets its 100 before the body is sent, and the body is then the payload."""
    target = f"/{aws.bucket()}/k"
    headers = sign(aws, "PUT", target, b"later") | {"expect": "100-continue", "content-length": "5"}
    answer = talk(aws, head("PUT", target, headers | {"connection": "close"}) + b"later")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
    assert aws.client("s3").get_object(Bucket=target.split("/")[1], Key="k")["Body"].read() == b"later"


def test_a_length_is_known_before_the_body_is_read(aws: Aws) -> None:
    """S3 takes no upload whose length it learns at its end, nor one that says nothing of its length."""
    target = f"/{aws.bucket()}/k"
    headers = sign(aws, "PUT", target, declared="UNSIGNED-PAYLOAD")
    answer = talk(aws, head("PUT", target, headers | {"transfer-encoding": "chunked"}) + b"1\r\na\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 501")
    assert b"<Code>NotImplemented</Code>" in answer
    assert b"<Header>Transfer-Encoding</Header>" in answer
    answer = talk(aws, head("PUT", target, headers | {"connection": "close"}))
    assert answer.startswith(b"HTTP/1.1 411")
    assert b"<Code>MissingContentLength</Code>" in answer
    declared = sign(aws, "PUT", target, declared=UNSIGNED) | {"content-length": "10", "connection": "close"}
    answer = talk(aws, head("PUT", target, declared) + b"0\r\n\r\n12345")
    assert b"<Code>MissingContentLength</Code>" in answer


def test_more_than_five_gibibytes_are_too_large(aws: Aws) -> None:
    """Neither the length of the body nor that of what is in it may be more; nothing of it is read."""
    target = f"/{aws.bucket()}/k"
    headers = sign(aws, "PUT", target, declared="UNSIGNED-PAYLOAD") | {"content-length": str(5 * 1024**3 + 1)}
    answer = talk(aws, head("PUT", target, headers))
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"<Code>EntityTooLarge</Code><Message>Your proposed upload exceeds the maximum allowed size" in answer
    assert b"<ProposedSize>5368709121</ProposedSize><MaxSizeAllowed>5368709120</MaxSizeAllowed>" in answer
    status, body = send(aws, "PUT", target, b"0\r\n\r\n", streaming(aws, target, 5 * 1024**3 + 1, UNSIGNED))
    assert (status, b"EntityTooLarge" in body) == (400, True)


def test_a_document_has_a_limit_that_an_object_has_not(aws: Aws) -> None:
    """What is read as a whole is short; the service says so in its own words."""
    bucket = aws.bucket()
    target, body = f"/{bucket}?tagging", b" " * (4 * 1024 * 1024 + 1)
    status, answer = send(aws, "PUT", target, body, sign(aws, "PUT", target, body))
    assert (status, b"<Code>MaxMessageLengthExceeded</Code>" in answer) == (400, True)
    form = b"Action=ListUsers&Version=2010-05-08&x=" + b"a" * (16 * 1024 * 1024)
    more: dict[str, Any] = {"content_type": FORM}
    status, answer = send(aws, "POST", "/", form, sign(aws, "POST", "/", form, service="iam", **more))
    assert (status, b"<ErrorResponse" in answer, b"RequestEntityTooLarge" in answer) == (413, True, True)


_LONG = b"b" * 70_000


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"GET /a b HTTP/1.1\r\n\r\n", b"400", b"<Code>BadRequest</Code>"),
        (b"GET / HTTP/1.1\r\na: " + _LONG + b"\r\n\r\n", b"400", b"<Code>RequestHeaderSectionTooLarge</Code>"),
        (b"GET /" + _LONG + b" HTTP/1.1\r\n\r\n", b"400", b"<Code>InvalidURI</Code>"),
        (b"GET / HTTP/9.0\r\n\r\n", b"505", b"<Code>HttpVersionNotSupported</Code>"),
        (b"PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400", b"<Code>BadRequest</Code>"),
        (b"POST / HTTP/1.1\r\nX-Amz-Target: a.b\r\nContent-Length: x\r\n\r\n", b"400", b'{"__type": "BadRequest"'),
    ],
)
def test_what_is_no_request_gets_an_error_document(aws: Aws, data: bytes, status: bytes, code: bytes) -> None:
    """What the server refuses by itself is refused in AWS's form, and the connection is closed."""
    answer = talk(aws, data)
    assert answer.split(b" ")[1] == status
    assert code in answer
    assert b"x-amz-request-id: " in answer
    assert b"\r\nConnection: close\r\n" in answer


def test_a_refused_upload_is_not_asked_for(aws: Aws) -> None:
    """Who waits for `100 Continue` is refused without having sent anything."""
    bucket = aws.bucket()
    headers = {"host": "127.0.0.1", "expect": "100-continue", "content-length": "1000000"}
    answer = talk(aws, head("PUT", f"/{bucket}/k", headers))
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"\r\nConnection: close\r\n" in answer


def test_a_refused_upload_leaves_the_connection_usable(aws: Aws) -> None:
    """What was sent and not wanted is read away, and the next request is understood."""
    bucket, body = aws.bucket(), b"x" * 3_000_000
    refused = head("PUT", f"/{bucket}/k", {"host": "127.0.0.1", "content-length": str(len(body))}) + body
    chunked = head("PUT", f"/{bucket}/k", {"host": "127.0.0.1", "transfer-encoding": "chunked"})
    chunked += b"4\r\nGET \r\n0\r\n\r\n"
    last = head("GET", "/_keyhole/status", {"host": "127.0.0.1", "connection": "close"})
    answer = talk(aws, refused + chunked + last)
    assert [part.split(b" ", 1)[0] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"403", b"501", b"200"]


def test_connections_that_say_nothing_hold_nobody_up(aws: Aws) -> None:
    """More of them than there are threads, and a request is answered all the same."""
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(socket.create_connection(("127.0.0.1", aws.server.port), timeout=5))
        assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_a_head_that_does_not_end_is_given_up() -> None:
    """Each byte in time does not help: it is the whole head that has a deadline."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"GET /\n")
        with TimedReader(near) as reader:
            reader.source.deadline = time.monotonic() - 1
            with pytest.raises(TimeoutError):
                reader.readline()
            reader.source.deadline = None
            assert reader.readline() == b"GET /\n"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\nhost: x\n\n",
        b"GET http://127.0.0.1/ HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/3.0\r\nhost: x\r\n\r\n",
        b"GET  / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost x\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-amz-a: \x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"".join(b"a%d: b\r\n" % i for i in range(9_000)) + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_http_request_is_refused(aws: Aws, data: bytes) -> None:
    """No such bytes get a 2xx or a 500, and the server goes on."""
    answer = talk(aws, data)
    assert not answer or answer.split(b" ")[1][:1] == b"4" or answer.split(b" ")[1] == b"505"
    assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"
