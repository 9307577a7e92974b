"""S3's condition keys, by what they let through and what they do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gate_errors import fetch, refusal
from gate_wire import ask

from gate_clients import Aws, allow, document


def _user_s3(aws: Aws, bucket: str, action: str | list[str], condition: dict[str, Any], **options: Any) -> Any:
    """A client of a user who may do that under the condition, on the bucket and its objects."""
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    return aws.client("s3", aws.user(allow(action, resources, Condition=condition)), **options)


def test_the_endpoint_counts_as_https_unless_the_request_says_otherwise(aws: Aws) -> None:
    """A policy that wants TLS lets clients in; one that says it came by plain HTTP is kept out."""
    s3, bucket = aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    insecure = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket=bucket, Policy=document({**deny, **insecure}))
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
    assert ask(aws, "GET", f"/{bucket}/a", x_forwarded_proto="http")[0] == 403
    assert ask(aws, "GET", f"/{bucket}/a", x_forwarded_proto="https")[0] == 200
    old = {"Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}}
    s3.put_bucket_policy(Bucket=bucket, Policy=document({**deny, **old}))
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"


def test_presigned_urls_can_be_told_from_headers(aws: Aws) -> None:
    """s3:authType and the payload that a presigned URL does not sign."""
    bucket = aws.bucket()
    aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"1")
    condition = {"StringEquals": {"s3:authType": "REST-QUERY-STRING", "s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD"}}
    s3 = _user_s3(aws, bucket, "s3:GetObject", condition, signature_version="s3v4")
    assert refusal(s3.get_object, Bucket=bucket, Key="a")[0] == "AccessDenied"
    assert fetch(s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"}))[:2] == (200, b"1")


def test_remaining_retention_days_are_counted(aws: Aws) -> None:
    """A put and a retention are let through up to the number of days, whichever way they are said."""
    name = f"{aws.bucket()}-lock"
    aws.client("s3").create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    most = {"NumericLessThanEquals": {"s3:object-lock-remaining-retention-days": "10"}}
    s3 = _user_s3(aws, name, ["s3:PutObject", "s3:PutObjectRetention"], most)
    soon, late = (datetime.now(UTC) + timedelta(days=days) for days in (9, 20))
    put: dict[str, Any] = {"Bucket": name, "Key": "a", "Body": b"1", "ObjectLockMode": "GOVERNANCE"}
    s3.put_object(**put, ObjectLockRetainUntilDate=soon)
    assert refusal(s3.put_object, **put, ObjectLockRetainUntilDate=late)[0] == "AccessDenied"
    longer = {"Mode": "GOVERNANCE", "RetainUntilDate": late}
    assert refusal(s3.put_object_retention, Bucket=name, Key="a", Retention=longer)[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("key", "value", "given"),
    [
        ("s3:x-amz-acl", "bucket-owner-full-control", {"ACL": "bucket-owner-full-control"}),
        ("s3:x-amz-server-side-encryption", "AES256", {"ServerSideEncryption": "AES256"}),
        ("s3:x-amz-storage-class", "STANDARD_IA", {"StorageClass": "STANDARD_IA"}),
        ("s3:x-amz-website-redirect-location", "/b", {"WebsiteRedirectLocation": "/b"}),
        ("s3:if-none-match", "*", {"IfNoneMatch": "*"}),
        ("s3:RequestObjectTag/team", "a", {"Tagging": "team=a"}),
    ],
)
def test_what_a_put_says_is_a_condition_key(aws: Aws, key: str, value: str, given: dict[str, Any]) -> None:
    """A put that says what the policy asks for passes, one that does not say it is denied."""
    bucket = aws.bucket()
    s3 = _user_s3(aws, bucket, ["s3:PutObject*"], {"StringEquals": {key: value}})
    assert refusal(s3.put_object, Bucket=bucket, Key="a", Body=b"")[0] == "AccessDenied"
    s3.put_object(Bucket=bucket, Key="a", Body=b"", **given)


def test_tags_are_those_of_the_version_that_is_read(aws: Aws) -> None:
    """s3:ExistingObjectTag has the tags of the version that is asked for, in a read and in a copy's source."""
    root, bucket = aws.client("s3"), aws.bucket()
    root.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    old = root.put_object(Bucket=bucket, Key="a", Body=b"old", Tagging="open=yes")["VersionId"]
    new = root.put_object(Bucket=bucket, Key="a", Body=b"new")["VersionId"]
    rights = ["s3:GetObject", "s3:GetObjectVersion"]
    tagged = {"StringEquals": {"s3:ExistingObjectTag/open": "yes"}}
    resources = f"arn:aws:s3:::{bucket}/*"
    writes = allow(["s3:PutObject", "s3:GetObjectVersionTagging", "s3:PutObjectTagging"], resources)
    s3 = aws.client("s3", aws.user(allow(rights, resources, Condition=tagged), writes))
    assert s3.get_object(Bucket=bucket, Key="a", VersionId=old)["Body"].read() == b"old"
    assert refusal(s3.get_object, Bucket=bucket, Key="a", VersionId=new)[0] == "AccessDenied"
    assert refusal(s3.get_object, Bucket=bucket, Key="a")[0] == "AccessDenied"
    source = {"Bucket": bucket, "Key": "a"}
    s3.copy_object(Bucket=bucket, Key="b", CopySource={**source, "VersionId": old})
    assert refusal(s3.copy_object, Bucket=bucket, Key="c", CopySource={**source, "VersionId": new})[0] == "AccessDenied"


def test_the_version_of_a_copys_source_is_a_condition_key(aws: Aws) -> None:
    """s3:versionid of the source lets one version be copied."""
    root, bucket = aws.client("s3"), aws.bucket()
    root.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first, second = (root.put_object(Bucket=bucket, Key="a", Body=body)["VersionId"] for body in (b"1", b"2"))
    resources = f"arn:aws:s3:::{bucket}/*"
    only = allow("s3:GetObjectVersion", resources, Condition={"StringEquals": {"s3:versionid": first}})
    s3 = aws.client("s3", aws.user(only, allow("s3:PutObject", resources)))
    source = {"Bucket": bucket, "Key": "a"}
    s3.copy_object(Bucket=bucket, Key="b", CopySource={**source, "VersionId": first})
    assert refusal(s3.copy_object, Bucket=bucket, Key="b", CopySource={**source, "VersionId": second})[0] == (
        "AccessDenied"
    )


def test_missing_is_forbidden_without_the_right_to_list(aws: Aws) -> None:
    """Reads of an object, of what goes with it, and of a copy's source answer 403, and 404 to who may list."""
    bucket = aws.bucket()
    objects = allow("s3:*Object*", f"arn:aws:s3:::{bucket}/*")
    blind = aws.client("s3", aws.user(objects))
    seeing = aws.client("s3", aws.user(objects, allow("s3:ListBucket", f"arn:aws:s3:::{bucket}")))
    reads: list[tuple[str, dict[str, Any]]] = [
        ("get_object", {}),
        ("head_object", {}),
        ("get_object_tagging", {}),
        ("get_object_acl", {}),
        ("get_object_attributes", {"ObjectAttributes": ["ETag"]}),
        ("copy_object", {"CopySource": f"{bucket}/nothing"}),
    ]
    for name, more in reads:
        key = "copy" if name == "copy_object" else "nothing"
        assert refusal(getattr(blind, name), Bucket=bucket, Key=key, **more)[2] == 403, name
        assert refusal(getattr(seeing, name), Bucket=bucket, Key=key, **more)[2] == 404, name
