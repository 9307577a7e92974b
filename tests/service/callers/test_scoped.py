"""Credentials of a caller reach its own prefix and nothing else, by the store's own word."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from service_fakes import make_settings_for_test

from gate_clients import Aws, allow, document
from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.errors import AwsError
from keyhole.service.callers.caller import ANYONE, Caller, CallerKind
from keyhole.service.callers.scoped import ScopedAws, make_session_policy, name_session
from keyhole.service.s3_store import S3Store, StoreOpener
from keyhole.service.settings import Settings
from keyhole.service.store import ObjectHeaders

ANA = Caller(CallerKind.TOKEN, "robots", "ana")
BEN = Caller(CallerKind.TOKEN, "robots", "ben")
MINE, OTHERS = "uploads/images/robots.ana/x.png", "uploads/images/robots.ben/x.png"
WAITING, THEIRS = "incoming/images/robots.ana/x", "incoming/images/robots.ben/x"
HEADERS = ObjectHeaders("image/png")


def upload(**more: Any) -> Settings:
    role = "arn:aws:iam::123456789012:role/callers"
    given = {"per_caller": True, "callers": ("robots",), "signed_uploads": True, "role_arn": role, **more}
    return replace(make_settings_for_test(is_public=False), region="us-east-1", **given)


@pytest.fixture
def bucket(aws: Aws) -> str:
    """A bucket with one object of each of two callers, and the workload's user that may assume the callers' role."""
    name = aws.bucket()
    for key in (MINE, OTHERS, WAITING, THEIRS, "secret"):
        aws.client("s3").put_object(Bucket=name, Key=key, Body=b"x")
    return name


def workload(aws: Aws, bucket: str) -> BotocoreAws:
    """Give the AWS of a workload that reaches the whole bucket, and has a role for its callers that does too."""
    everything = (allow("s3:*", [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]),)
    keys = aws.user(*everything, allow("sts:AssumeRole", "*"))
    iam = aws.client("iam")
    trust = document({"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="callers", AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName="callers", PolicyName="p", PolicyDocument=document(*everything))
    credentials = Credentials(keys.access_key_id, keys.secret_access_key)
    return BotocoreAws("us-east-1", credentials=credentials, endpoint_url=aws.url, max_attempts=1)


def store_of(aws: Aws, bucket: str, caller: Caller = ANA) -> S3Store:
    """Give the caller's store itself: nothing of the service stands between it and the bucket."""
    opener = StoreOpener(ScopedAws(workload(aws, bucket)).choose)
    return opener(replace(upload(), bucket=bucket, endpoint_url=aws.url), caller)


def test_a_caller_does_with_its_own_what_the_service_does(aws: Aws, bucket: str) -> None:
    """Store, list, read, copy out of quarantine, delete, in parts too, and sign."""
    store = store_of(aws, bucket)
    store.put_object("uploads/images/robots.ana/new.png", io.BytesIO(b"new"), HEADERS)
    assert [found.key for found in store.list_objects("uploads/images/robots.ana/", limit=10).objects] == [
        "uploads/images/robots.ana/new.png",
        MINE,
    ]
    head = store.read_head(WAITING)
    assert head is not None
    assert store.copy_object(WAITING, "uploads/images/robots.ana/copy.png", HEADERS, etag=head.etag)
    store.delete_object(WAITING)
    upload_id = store.begin_parts(WAITING, HEADERS)
    assert store.list_parts(WAITING, upload_id) == ()
    store.abort_parts(WAITING, upload_id)
    signer = store.signer()
    assert signer.keys.expires_at is not None
    assert read_signed(store, MINE).status_code == 200


def read_signed(store: S3Store, key: str) -> httpx.Response:
    return httpx.get(store.signer().sign_get(key, ttl_s=60, now=datetime.now(UTC)), trust_env=False)


@pytest.mark.parametrize("key", [OTHERS, THEIRS, "secret", "uploads/images/x.png", "uploads/images/robots.ana"])
def test_the_store_itself_refuses_what_is_not_the_caller_s(aws: Aws, bucket: str, key: str) -> None:
    """With every check of the service left out: neither reading nor writing, deleting nor signing reaches it."""
    store = store_of(aws, bucket)
    before = aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"]
    for attempt in (
        lambda: store.put_object(key, io.BytesIO(b"x"), HEADERS),
        lambda: store.read_object(key, io.BytesIO(), etag='"x"'),
        lambda: store.delete_object(key),
        lambda: store.begin_parts(key, HEADERS),
        lambda: store.copy_object(key, "uploads/images/robots.ana/stolen.png", HEADERS, etag='"x"'),
    ):
        with pytest.raises(AwsError) as raised:
            attempt()
        assert raised.value.code == "AccessDenied"
    assert read_signed(store, key).status_code == 403
    assert aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == before


@pytest.mark.parametrize("prefix", ["", "uploads/images/", "uploads/images/robots.ben/", "uploads/images/robots.ana"])
def test_nobody_lists_more_than_its_own(aws: Aws, bucket: str, prefix: str) -> None:
    """Not even the names of others."""
    with pytest.raises(AwsError) as raised:
        store_of(aws, bucket).list_objects(prefix, limit=10)
    assert raised.value.code == "AccessDenied"


def test_one_session_serves_all_of_a_caller_s_requests(aws: Aws, bucket: str) -> None:
    """The role is assumed when it is first needed, under the caller's name, and not again; each caller's is its own."""
    scoped = ScopedAws(workload(aws, bucket))
    rule = replace(upload(), bucket=bucket, endpoint_url=aws.url)
    ana, ben = scoped.choose(rule, ANA), scoped.choose(rule, BEN)
    assert scoped.choose(rule, ANA) is ana
    first, ends = ana.current_credentials()
    assert ana.current_credentials() == (first, ends)
    assert ends is not None
    assert ben.current_credentials()[0].access_key_id != first.access_key_id
    assert ana.call("sts", "GetCallerIdentity")["Arn"].endswith(":assumed-role/callers/robots.ana")


def test_what_is_kept_is_bounded(aws: Aws, bucket: str) -> None:
    """Who has not come for longest is let go, and comes in again."""
    scoped = ScopedAws(workload(aws, bucket), max_kept=2)
    rule = replace(upload(), bucket=bucket, endpoint_url=aws.url)
    kept = [scoped.choose(rule, Caller(CallerKind.TOKEN, "robots", name)) for name in ("a", "b", "c")]
    assert scoped.choose(rule, Caller(CallerKind.TOKEN, "robots", "c")) is kept[2]
    assert scoped.choose(rule, Caller(CallerKind.TOKEN, "robots", "a")) is not kept[0]


def test_a_role_that_may_not_be_assumed_is_the_store_s_refusal(aws: Aws, bucket: str) -> None:
    """It is an error of AWS, and never the workload's own credentials instead."""
    scoped = ScopedAws(workload(aws, bucket))
    rule = replace(upload(role_arn="arn:aws:iam::123456789012:role/none"), bucket=bucket, endpoint_url=aws.url)
    store = StoreOpener(scoped.choose)(rule, ANA)
    with pytest.raises(AwsError) as raised:
        store.list_objects("uploads/images/robots.ana/", limit=1)
    assert (raised.value.code, raised.value.operation) == ("AccessDenied", "AssumeRole")


def test_without_a_role_all_is_the_workload_s() -> None:
    """Its own AWS, for everyone."""
    own = BotocoreAws("us-east-1", credentials=Credentials("AKIAEXAMPLE", "not-a-secret"))
    scoped = ScopedAws(own)
    assert scoped.choose(upload(role_arn=""), ANA) is own
    assert scoped.choose(upload(role_arn=""), ANYONE) is own


def test_the_policy_has_no_pattern_but_its_own() -> None:
    """Characters that patterns give a meaning are themselves; the quarantine is in it where there is one."""
    policy = make_session_policy(upload(prefix="a*b?${c}/"), ANA)
    objects, listing = policy["Statement"]
    assert objects["Resource"] == [
        "arn:aws:s3:::pictures/a${*}b${?}${$}{c}/robots.ana/*",
        "arn:aws:s3:::pictures/incoming/images/robots.ana/*",
    ]
    assert listing["Condition"]["StringLike"]["s3:prefix"][0] == "a${*}b${?}${$}{c}/robots.ana/*"
    without = make_session_policy(upload(signed_uploads=False, role_arn="arn:aws-cn:iam::1:role/x"), ANA)
    assert without["Statement"][0]["Resource"] == ["arn:aws-cn:s3:::pictures/uploads/images/robots.ana/*"]
    assert len(json.dumps(without)) < 2048
    with pytest.raises(ValueError, match="nothing of its own"):
        make_session_policy(upload(), ANYONE)


def test_session_names_are_ones_that_sts_takes() -> None:
    """At most 64 characters, and still one for each caller."""
    long = [Caller(CallerKind.TOKEN, "g" * 60, f"n{index}" + "a" * 60) for index in range(2)]
    names = [name_session(caller) for caller in (*long, ANA)]
    assert all(2 <= len(name) <= 64 for name in names)
    assert len(set(names)) == 3
    assert names[2] == "robots.ana"
