"""The store over a recording AWS, and over the local one: which calls are made, and how an answer is read."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from aws_service import open_store
from service_fakes import make_settings_for_test

from gate_clients import Aws, allow
from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.errors import AwsError
from keyhole.service.callers.caller import ANYONE, Caller, CallerKind
from keyhole.service.idempotency import plan_name
from keyhole.service.s3_store import S3Store, StoreOpener
from keyhole.service.store import Listing, ObjectHeaders, StoredObject

_PNG = ObjectHeaders("image/png")


class RecordingAws(BotocoreAws):
    """Gives one answer to every call, and remembers it."""

    def __init__(self, answer: dict[str, Any] | None = None) -> None:
        super().__init__("ap-northeast-2", credentials=Credentials("AKIAEXAMPLE", "not-a-secret"))
        self.answer = answer or {}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        self.calls.append((f"{service}:{operation}", params))
        return self.answer


def _recorded(answer: dict[str, Any] | None = None) -> tuple[RecordingAws, S3Store]:
    aws = RecordingAws(answer)
    return aws, S3Store(aws, make_settings_for_test(bucket="b", endpoint_url=""))


def test_put_sends_headers_and_no_acl() -> None:
    """The bucket enforces its owner, so an ACL would be refused; what is empty is not sent."""
    aws, store = _recorded()
    body = io.BytesIO(b"x")
    store.put_object("k.png", body, ObjectHeaders("image/png", metadata={"original-name": "a"}))
    expected = {
        "Bucket": "b",
        "Key": "k.png",
        "Body": body,
        "ContentType": "image/png",
        "ContentDisposition": "inline",
        "Metadata": {"original-name": "a"},
    }
    assert aws.calls == [("s3:PutObject", expected)]
    digest = hashlib.sha256(b"x").hexdigest()
    store.put_object("k.png", body, ObjectHeaders("image/png", cache_control="public"), sha256=digest, only_new=True)
    assert aws.calls[1][1]["CacheControl"] == "public"
    assert aws.calls[1][1]["IfNoneMatch"] == "*"
    assert aws.calls[1][1]["ChecksumSHA256"] == "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE="


def test_list_reads_one_page() -> None:
    """A page has its objects, and says whether others follow; only later pages start after a key."""
    now = datetime(2026, 11, 20, tzinfo=UTC)
    found = [{"Key": key, "Size": 5, "LastModified": now} for key in ("p/a", "p/b")]
    aws, store = _recorded({"Contents": found, "IsTruncated": True, "NextContinuationToken": "t"})
    assert store.list_objects("p/", limit=1) == Listing((StoredObject("p/a", 5, now),), True)
    store.list_objects("p/", limit=1, after_key="p/a")
    first = {"Bucket": "b", "Prefix": "p/", "Delimiter": "/", "MaxKeys": 2}
    assert aws.calls == [("s3:ListObjectsV2", first), ("s3:ListObjectsV2", {**first, "StartAfter": "p/a"})]


def test_an_empty_bucket_is_an_empty_page() -> None:
    """S3 leaves Contents out when there are none."""
    assert _recorded({"KeyCount": 0})[1].list_objects("p/", limit=1) == Listing(())


def test_delete_names_the_key() -> None:
    """One key, and no version: a versioned bucket keeps the image behind a delete marker."""
    aws, store = _recorded()
    store.delete_object("p/a")
    assert aws.calls == [("s3:DeleteObject", {"Bucket": "b", "Key": "p/a"})]


def test_a_signed_url_lives_as_long_as_asked() -> None:
    """It names the object and its life, and never the secret; the same signer serves for a while."""
    store = _recorded()[1]
    assert store.ready_signer() is None
    signer = store.signer()
    assert store.ready_signer() is signer
    assert store.signer() is signer
    url = urlsplit(signer.sign_get("p/ä b.png", ttl_s=90, now=datetime.now(UTC)))
    assert url.netloc == "b.s3.ap-northeast-2.amazonaws.com"
    assert url.path == "/p/%C3%A4%20b.png"
    assert parse_qs(url.query)["X-Amz-Expires"] == ["90"]
    assert "not-a-secret" not in url.query


def test_a_url_that_cannot_be_signed_is_an_aws_error() -> None:
    """Without credentials nothing can be signed, and the store says so in Keyhole's words."""
    with pytest.raises(AwsError) as raised:
        S3Store(BotocoreAws("us-east-1"), make_settings_for_test()).signer()
    assert raised.value.code == "NoCredentials"


def test_the_end_of_credentials_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that say when they end sign nothing beyond that."""
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", ends.isoformat())
    keys = S3Store(BotocoreAws("us-east-1"), make_settings_for_test()).signer().keys
    assert keys.expires_at == ends
    assert keys.credentials.session_token == "token"
    assert keys.cap_ttl(3 * 3600, datetime.now(UTC)) <= 2 * 3600


def _local(aws: Aws) -> S3Store:
    return open_store(aws, make_settings_for_test(bucket=aws.bucket(), endpoint_url=aws.url, region="us-east-1"))


def _put(store: S3Store, key: str, data: bytes = b"x") -> None:
    store.put_object(key, io.BytesIO(data), _PNG)


def test_folders_are_not_listed_nor_counted(aws: Aws) -> None:
    """Thumbnails and markers are neither in a page nor in what a caller keeps, and cost no page its images."""
    store = _local(aws)
    keys = [f"p/k{number}" for number in range(5)]
    for key in (*keys, *(f"p/a{number}/x" for number in range(8)), "p/z/x", "q"):
        _put(store, key)
    seen: list[str] = []
    after_key, pages = "", 0
    while True:
        listing = store.list_objects("p/", limit=2, after_key=after_key)
        seen += [found.key for found in listing.objects]
        pages += 1
        if not listing.has_more:
            break
        after_key = seen[-1]
    assert seen == keys
    assert pages == 3
    assert store.measure("p/") == (5, 5)


def test_a_digest_that_is_not_the_bodys_is_refused(aws: Aws) -> None:
    """The store itself compares what arrives with what was meant."""
    store = _local(aws)
    with pytest.raises(AwsError) as raised:
        store.put_object("k", io.BytesIO(b"x"), _PNG, sha256="ab" * 32)
    assert raised.value.status == 400
    assert store.read_head("k") is None


def test_only_what_is_new_is_stored(aws: Aws) -> None:
    """Of two that may not overwrite, the second is told so, by put and by copy."""
    store = _local(aws)
    assert store.put_object("k", io.BytesIO(b"1"), _PNG, only_new=True)
    assert not store.put_object("k", io.BytesIO(b"2"), _PNG, only_new=True)
    _put(store, "source", b"3")
    head = store.read_head("source")
    assert head is not None
    assert not store.copy_object("source", "k", _PNG, etag=head.etag)
    assert store.copy_object("source", "new", _PNG, etag=head.etag)
    body = io.BytesIO()
    kept = store.read_head("k")
    assert kept is not None
    store.read_object("k", body, etag=kept.etag)
    assert body.getvalue() == b"1"


def test_what_changed_is_neither_read_nor_copied(aws: Aws) -> None:
    """The ETag that was looked at is the one that is taken."""
    store = _local(aws)
    _put(store, "source", b"1")
    head = store.read_head("source")
    assert head is not None
    _put(store, "source", b"2")
    with pytest.raises(AwsError) as raised:
        store.copy_object("source", "k", _PNG, etag=head.etag)
    assert raised.value.code == "PreconditionFailed"
    with pytest.raises(AwsError) as raised:
        store.read_object("source", io.BytesIO(), etag=head.etag)
    assert raised.value.code == "PreconditionFailed"


def test_what_is_not_there_is_none_also_without_a_right_to_all_names(aws: Aws) -> None:
    """S3 forbids to look for what is not there to those who may list a prefix only; they are told `none` all the same.

    What is there and forbidden stays an error.
    """
    bucket = aws.bucket()
    user = aws.user(
        allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition={"StringLike": {"s3:prefix": "p/*"}}),
        allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{bucket}/p/*"),
    )
    settings = make_settings_for_test(bucket=bucket, endpoint_url=aws.url, region="us-east-1")
    credentials = Credentials(user.access_key_id, user.secret_access_key)
    store = S3Store(BotocoreAws("us-east-1", credentials=credentials, endpoint_url=aws.url), settings)
    assert store.read_head("p/none") is None
    _put(store, "p/there")
    assert store.read_head("p/there") is not None
    with pytest.raises(AwsError) as raised:
        store.read_head("secret/there")
    assert raised.value.status == 403


def test_what_never_came_to_quarantine_is_none(aws: Aws) -> None:
    """The workload may not list what browsers send, only read it by name: there, forbidden means that it is not there.

    That is how the blueprint grants it.
    """
    bucket = aws.bucket()
    user = aws.user(allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{bucket}/incoming/images/*"))
    settings = make_settings_for_test(bucket=bucket, endpoint_url=aws.url, region="us-east-1")
    credentials = Credentials(user.access_key_id, user.secret_access_key)
    store = S3Store(BotocoreAws("us-east-1", credentials=credentials, endpoint_url=aws.url), settings)
    assert store.read_head("incoming/images/none") is None
    _put(store, "incoming/images/there")
    assert store.read_head("incoming/images/there") is not None
    for number in range(20):
        first = plan_name(store, "incoming/images/idempotency/", str(number), "ab" * 32)
        assert plan_name(store, "incoming/images/idempotency/", str(number), "ab" * 32).name == first.name
    with pytest.raises(AwsError):
        store.read_head("uploads/images/none")


def test_parts_that_are_gone_are_none(aws: Aws) -> None:
    """An upload that was aborted has no parts to list, and aborting it again is no error."""
    store = _local(aws)
    upload_id = store.begin_parts("k", _PNG)
    assert store.list_parts("k", upload_id) == ()
    store.abort_parts("k", upload_id)
    store.abort_parts("k", upload_id)
    assert store.list_parts("k", upload_id) is None


def test_signed_urls_of_the_store_work(aws: Aws) -> None:
    """The local AWS takes them, as AWS does: to read, and with another name to save under."""
    store = _local(aws)
    _put(store, "p/ä +b.png", b"hello")
    now = datetime.now(UTC)
    url = store.signer().sign_get("p/ä +b.png", ttl_s=60, now=now, disposition="attachment; filename*=UTF-8''x.png")
    answer = httpx.get(url, trust_env=False)
    assert (answer.status_code, answer.content) == (200, b"hello")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''x.png"
    assert httpx.get(url + "0", trust_env=False).status_code == 403
    assert (
        httpx.get(store.signer().sign_get("p/a", ttl_s=1, now=now - timedelta(hours=1)), trust_env=False).status_code
        == 403
    )


def test_each_caller_keeps_its_store() -> None:
    """The same request opens the same store; another AWS, as after a role was let go, another one."""
    first, second = RecordingAws(), RecordingAws()
    chosen = [first]
    opener = StoreOpener(lambda settings, caller: chosen[0], max_kept=2)
    settings = make_settings_for_test()
    store = opener(settings, ANYONE)
    assert opener(settings, Caller(CallerKind.TOKEN, "app", "ana")) is store
    chosen[0] = second
    assert opener(settings, ANYONE) is not store
    for name in ("a", "b", "c"):
        opener(make_settings_for_test(name=name), ANYONE)
    assert opener(settings, ANYONE).aws is second
