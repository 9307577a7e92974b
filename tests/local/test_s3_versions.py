"""Versions, delete markers and locks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gate_errors import fetch, refusal
from gate_wire import ask

from gate_clients import Aws, allow


def _versioned(aws: Aws, status: str = "Enabled") -> tuple[Any, str]:
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    return s3, bucket


def test_a_delete_marker_hides_and_is_no_object(aws: Aws) -> None:
    """Without a version the object is not there; the marker itself is 405; both answers say that there is one."""
    s3, bucket = _versioned(aws)
    version = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["VersionId"]
    gone = s3.delete_object(Bucket=bucket, Key="a")
    assert gone["DeleteMarker"] is True
    assert refusal(s3.get_object, Bucket=bucket, Key="a")[::2] == ("NoSuchKey", 404)
    code = refusal(s3.get_object, Bucket=bucket, Key="a", VersionId=gone["VersionId"])[::2]
    assert code == ("MethodNotAllowed", 405)
    for query, status in ((f"?versionId={gone['VersionId']}", 405), ("", 404)):
        url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"})
        if query:
            params = {"Bucket": bucket, "Key": "a", "VersionId": gone["VersionId"]}
            url = s3.generate_presigned_url("get_object", Params=params)
        found, _, headers = fetch(url)
        assert (found, headers["x-amz-delete-marker"]) == (status, "true")
    assert refusal(s3.head_object, Bucket=bucket, Key="a", VersionId=gone["VersionId"])[2] == 405
    assert s3.get_object(Bucket=bucket, Key="a", VersionId=version)["Body"].read() == b"1"
    assert s3.delete_object(Bucket=bucket, Key="a", VersionId=gone["VersionId"])["DeleteMarker"] is True
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"


def test_deleting_what_is_not_there(aws: Aws) -> None:
    """It goes well; where versions are kept, it leaves a delete marker."""
    s3, bucket = aws.client("s3"), aws.bucket()
    assert "DeleteMarker" not in s3.delete_object(Bucket=bucket, Key="none")
    s3, bucket = _versioned(aws)
    assert s3.delete_object(Bucket=bucket, Key="none")["DeleteMarker"] is True
    assert [item["Key"] for item in s3.list_object_versions(Bucket=bucket)["DeleteMarkers"]] == ["none"]


def test_a_version_that_is_not_there_deletes_nothing(aws: Aws) -> None:
    """In a bucket without versions, only `null` is one."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="a", VersionId="0" * 32)
    assert s3.get_object(Bucket=bucket, Key="a", VersionId="null")["Body"].read() == b"1"
    assert s3.head_object(Bucket=bucket, Key="a", VersionId="null")["ContentLength"] == 1
    s3.delete_object(Bucket=bucket, Key="a", VersionId="null")
    assert refusal(s3.head_object, Bucket=bucket, Key="a")[2] == 404


def test_versions_that_are_none(aws: Aws) -> None:
    """One that cannot be is InvalidArgument, one that is not there NoSuchVersion, for reads, tags and ACLs."""
    s3, bucket = _versioned(aws)
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    for call in (s3.get_object, s3.get_object_tagging, s3.get_object_acl):
        assert refusal(call, Bucket=bucket, Key="a", VersionId="0" * 32)[::2] == ("NoSuchVersion", 404)
        assert refusal(call, Bucket=bucket, Key="a", VersionId="nonsense")[::2] == ("InvalidArgument", 400)
    assert ask(aws, "GET", f"/{bucket}/a?versionId=")[0] == 400
    assert refusal(s3.delete_object, Bucket=bucket, Key="a", VersionId="nonsense")[0] == "InvalidArgument"


def test_suspended_versioning_replaces_only_the_null_version(aws: Aws) -> None:
    """Versions that were there stay; puts and deletions come and go as `null`."""
    s3, bucket = _versioned(aws)
    kept = s3.put_object(Bucket=bucket, Key="a", Body=b"kept")["VersionId"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket=bucket, Key="a", Body=body)
    ids = [item["VersionId"] for item in s3.list_object_versions(Bucket=bucket)["Versions"]]
    assert ids == ["null", kept]
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"2"
    assert s3.get_object(Bucket=bucket, Key="a", VersionId=kept)["Body"].read() == b"kept"
    assert s3.delete_object(Bucket=bucket, Key="a")["VersionId"] == "null"
    listed = s3.list_object_versions(Bucket=bucket)
    assert [item["VersionId"] for item in listed["Versions"]] == [kept]
    assert [item["VersionId"] for item in listed["DeleteMarkers"]] == ["null"]


def test_what_was_there_before_versioning_is_null(aws: Aws) -> None:
    """The object of before has the version `null` beside the new ones."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"old")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="a", Body=b"new")
    assert s3.get_object(Bucket=bucket, Key="a", VersionId="null")["Body"].read() == b"old"
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 2


def test_many_deletions_say_what_each_did(aws: Aws) -> None:
    """DeleteObjects names the markers that it makes and the versions that go."""
    s3, bucket = _versioned(aws)
    version = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="b", Body=b"1")
    objects = [{"Key": "a", "VersionId": version}, {"Key": "b"}]
    first, second = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})["Deleted"]
    assert (first["VersionId"], "DeleteMarker" in first) == (version, False)
    assert (second["DeleteMarker"], bool(second["DeleteMarkerVersionId"])) == (True, True)


def _locked(aws: Aws, mode: str) -> tuple[Any, str, str, datetime]:
    """A bucket with an object that is retained for a day."""
    s3, name = aws.client("s3"), f"{aws.bucket()}-lock"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    put = s3.put_object(Bucket=name, Key="a", Body=b"1", ObjectLockMode=mode, ObjectLockRetainUntilDate=until)
    return s3, name, put["VersionId"], until


def test_governance_is_bypassed_by_who_may_and_says_so(aws: Aws) -> None:
    """A retained version goes only with the header and the right to use it; a delete marker may always come."""
    s3, bucket, version, until = _locked(aws, "GOVERNANCE")
    found = s3.get_object_retention(Bucket=bucket, Key="a")["Retention"]
    assert (found["Mode"], found["RetainUntilDate"]) == ("GOVERNANCE", until)
    gone: dict[str, Any] = {"Bucket": bucket, "Key": "a", "VersionId": version}
    code, message, status = refusal(s3.delete_object, **gone)
    assert (code, status) == ("AccessDenied", 403)
    assert message == "Access Denied because object protected by object lock."
    errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a", "VersionId": version}]})["Errors"]
    assert [item["Code"] for item in errors] == ["AccessDenied"]
    user = aws.client("s3", aws.user(allow("s3:DeleteObjectVersion", "*")))
    assert "BypassGovernance" in refusal(user.delete_object, **gone, BypassGovernanceRetention=True)[1]
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_object(**gone, BypassGovernanceRetention=True)
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)


def test_compliance_is_bypassed_by_nobody(aws: Aws) -> None:
    """It can be made longer, never shorter, and the version stays."""
    s3, bucket, version, until = _locked(aws, "COMPLIANCE")
    gone: dict[str, Any] = {"Bucket": bucket, "Key": "a", "VersionId": version, "BypassGovernanceRetention": True}
    assert refusal(s3.delete_object, **gone)[0] == "AccessDenied"
    change: dict[str, Any] = {"Bucket": bucket, "Key": "a", "BypassGovernanceRetention": True}
    shorter = {"Mode": "COMPLIANCE", "RetainUntilDate": until - timedelta(hours=1)}
    weaker = {"Mode": "GOVERNANCE", "RetainUntilDate": until + timedelta(days=1)}
    for wanted in (shorter, weaker):
        assert refusal(s3.put_object_retention, **change, Retention=wanted)[0] == "AccessDenied"
    longer = {"Mode": "COMPLIANCE", "RetainUntilDate": until + timedelta(days=1)}
    s3.put_object_retention(Bucket=bucket, Key="a", Retention=longer)


def test_governance_is_shortened_only_with_the_bypass(aws: Aws) -> None:
    """A longer retention is always taken."""
    s3, bucket, _, until = _locked(aws, "GOVERNANCE")
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": until - timedelta(hours=1)}
    assert refusal(s3.put_object_retention, Bucket=bucket, Key="a", Retention=shorter)[0] == "AccessDenied"
    s3.put_object_retention(Bucket=bucket, Key="a", Retention=shorter, BypassGovernanceRetention=True)
    assert s3.get_object_retention(Bucket=bucket, Key="a")["Retention"]["RetainUntilDate"] == until - timedelta(hours=1)


def test_a_legal_hold_holds(aws: Aws) -> None:
    """While it is on, the version stays, and no bypass helps."""
    s3, name = aws.client("s3"), f"{aws.bucket()}-hold"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    version = s3.put_object(Bucket=name, Key="a", Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    assert s3.get_object_legal_hold(Bucket=name, Key="a")["LegalHold"]["Status"] == "ON"
    gone: dict[str, Any] = {"Bucket": name, "Key": "a", "VersionId": version, "BypassGovernanceRetention": True}
    assert refusal(s3.delete_object, **gone)[0] == "AccessDenied"
    s3.put_object_legal_hold(Bucket=name, Key="a", LegalHold={"Status": "OFF"})
    s3.delete_object(**gone)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ObjectLockMode": "GOVERNANCE"}, "must both be supplied"),
        ({"ObjectLockMode": "STRICT", "ObjectLockRetainUntilDate": "future"}, "Unknown wormMode directive."),
        ({"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "past"}, "must be in the future"),
        ({"ObjectLockLegalHoldStatus": "MAYBE"}, "Legal Hold must be either of"),
    ],
)
def test_locks_that_are_none(aws: Aws, given: dict[str, Any], message: str) -> None:
    """A lock that is not whole, not known, or over before it begins is InvalidArgument."""
    s3, name = aws.client("s3"), f"{aws.bucket()}-lock"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    days = {"future": 1, "past": -1}
    date = given.get("ObjectLockRetainUntilDate")
    more = {"ObjectLockRetainUntilDate": datetime.now(UTC) + timedelta(days=days[date])} if date else {}
    code, text, _ = refusal(s3.put_object, Bucket=name, Key="a", Body=b"", **{**given, **more})
    assert (code, message in text) == ("InvalidArgument", True)


def test_buckets_without_object_lock_take_no_locks(aws: Aws) -> None:
    """Neither with a put nor after it."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    message = "Bucket is missing Object Lock Configuration"
    for call, more in (
        (s3.put_object, {"ObjectLockLegalHoldStatus": "ON"}),
        (s3.get_object_retention, {}),
        (s3.get_object_legal_hold, {}),
        (s3.put_object_legal_hold, {"LegalHold": {"Status": "ON"}}),
    ):
        assert refusal(call, Bucket=bucket, Key="a", **more)[:2] == ("InvalidRequest", message)
