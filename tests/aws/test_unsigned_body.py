"""Which bodies go without a signature of their own."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import pytest

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.errors import AwsError

_BODY = b"x" * 1000
_DIGEST = hashlib.sha256(_BODY)
_CHECKSUM = base64.b64encode(_DIGEST.digest()).decode()


class _Sent(BaseException):
    """What would go over the wire."""

    def __init__(self, request: Any) -> None:
        super().__init__()
        self.headers = {name.lower(): _text(value) for name, value in request.headers.items()}


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _send(endpoint: str, **params: Any) -> dict[str, str]:
    aws = BotocoreAws("us-east-1", credentials=Credentials("AKIAEXAMPLE", "not-a-secret"), endpoint_url=endpoint)

    def stop(request: Any, **_: Any) -> None:
        raise _Sent(request)

    aws.client("s3").meta.events.register("before-send.s3", stop)
    with pytest.raises(_Sent) as sent:
        aws.call("s3", "PutObject", Bucket="bucket", Key="k", Body=io.BytesIO(_BODY), **params)
    return sent.value.headers


@pytest.mark.parametrize(
    "endpoint", ["https://store.example", "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"]
)
def test_a_signed_checksum_is_enough_where_nobody_is_between(endpoint: str) -> None:
    """The header that says the body's SHA-256 is signed; the body is not read for that."""
    headers = _send(endpoint, ChecksumSHA256=_CHECKSUM)
    assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert headers["x-amz-checksum-sha256"] == _CHECKSUM
    assert "x-amz-checksum-sha256" in headers["authorization"]


def test_over_a_network_in_the_clear_the_body_is_signed() -> None:
    """A store that ignores checksums still notices a body that was changed on the way."""
    headers = _send("http://192.0.2.1", ChecksumSHA256=_CHECKSUM)
    assert headers["x-amz-content-sha256"] == _DIGEST.hexdigest()


def test_a_body_without_a_checksum_of_ours_is_left_to_botocore() -> None:
    """It signs what it sends in the clear."""
    assert _send("http://127.0.0.1:1")["x-amz-content-sha256"] == _DIGEST.hexdigest()


def test_the_store_refuses_another_body(aws: Any) -> None:
    """Nothing is lost by it: the local AWS holds the body to the signed checksum."""
    root = Credentials(aws.root.access_key_id, aws.root.secret_access_key)
    ours = BotocoreAws("us-east-1", credentials=root, endpoint_url=aws.url)
    bucket = aws.bucket()
    with pytest.raises(AwsError) as raised:
        ours.call("s3", "PutObject", Bucket=bucket, Key="k", Body=io.BytesIO(b"other"), ChecksumSHA256=_CHECKSUM)
    assert raised.value.code == "BadDigest"
    ours.call("s3", "PutObject", Bucket=bucket, Key="k", Body=io.BytesIO(_BODY), ChecksumSHA256=_CHECKSUM)
