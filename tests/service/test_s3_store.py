"""The store over a recording AWS: which calls are made, and how an answer is read."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.errors import AwsError
from keyhole.service.store import Listing, ObjectHeaders, S3Store, StoredObject


class RecordingAws(BotocoreAws):
    """Gives one answer to every call, and remembers it."""

    def __init__(self, answer: dict[str, Any] | None = None) -> None:
        super().__init__("ap-northeast-2", credentials=Credentials("AKIAEXAMPLE", "not-a-secret"))
        self.answer = answer or {}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        self.calls.append((f"{service}:{operation}", params))
        return self.answer


def test_put_sends_headers_and_no_acl() -> None:
    """The bucket enforces its owner, so an ACL would be refused; what is empty is not sent."""
    aws = RecordingAws()
    body = io.BytesIO(b"x")
    S3Store(aws, "b").put_object("k.png", body, ObjectHeaders("image/png", metadata={"original-name": "a"}))
    expected = {
        "Bucket": "b",
        "Key": "k.png",
        "Body": body,
        "ContentType": "image/png",
        "ContentDisposition": "inline",
        "Metadata": {"original-name": "a"},
    }
    assert aws.calls == [("s3:PutObject", expected)]
    S3Store(aws, "b").put_object("k.png", body, ObjectHeaders("image/png", cache_control="public"))
    assert aws.calls[1][1]["CacheControl"] == "public"


def test_list_reads_one_page() -> None:
    """A page has its objects, and says whether others follow; only later pages start after a key."""
    now = datetime(2026, 11, 20, tzinfo=UTC)
    aws = RecordingAws({"Contents": [{"Key": "p/a", "Size": 5, "LastModified": now}], "IsTruncated": True})
    store = S3Store(aws, "b")
    assert store.list_objects("p/", limit=1) == Listing((StoredObject("p/a", 5, now),), True)
    store.list_objects("p/", limit=1, after_key="p/a")
    first = {"Bucket": "b", "Prefix": "p/", "MaxKeys": 1}
    assert aws.calls == [("s3:ListObjectsV2", first), ("s3:ListObjectsV2", {**first, "StartAfter": "p/a"})]


def test_an_empty_bucket_is_an_empty_page() -> None:
    """S3 leaves Contents out when there are none."""
    assert S3Store(RecordingAws({"KeyCount": 0}), "b").list_objects("p/", limit=1) == Listing(())


def test_delete_names_the_key() -> None:
    """One key, and no version: a versioned bucket keeps the image behind a delete marker."""
    aws = RecordingAws()
    S3Store(aws, "b").delete_object("p/a")
    assert aws.calls == [("s3:DeleteObject", {"Bucket": "b", "Key": "p/a"})]


def test_a_signed_url_lives_as_long_as_asked() -> None:
    """It names the object and its life, and never the secret."""
    url = urlsplit(S3Store(RecordingAws(), "b").sign_get("p/ä b.png", ttl_s=90))
    assert url.path.endswith("/p/%C3%A4%20b.png")
    assert parse_qs(url.query)["X-Amz-Expires"] == ["90"]
    assert "not-a-secret" not in url.query


def test_a_url_that_cannot_be_signed_is_an_aws_error() -> None:
    """Without credentials nothing can be signed, and the store says so in Keyhole's words."""
    with pytest.raises(AwsError) as raised:
        S3Store(BotocoreAws("us-east-1"), "b").sign_get("k", ttl_s=1)
    assert raised.value.code == "NoCredentials"
