"""PutBucketLogging through the socket: the target's policy says whether S3 may write there."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gate_clients import Aws

ACCOUNT = "123456789012"


def delivery(target: str, source: str, **changes: Any) -> dict[str, Any]:
    """Give the statement that AWS's guide has, with some of its members changed."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target}/log/*",
        "Condition": {
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{source}"},
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
        },
    }
    return statement | changes


def everyone(target: str, effect: str, action: str, **more: Any) -> dict[str, Any]:
    resources = [f"arn:aws:s3:::{target}", f"arn:aws:s3:::{target}/*"]
    return {"Effect": effect, "Principal": "*", "Action": action, "Resource": resources, **more}


def put_logging(aws: Aws, source: str, target: str, *statements: dict[str, Any]) -> None:
    s3 = aws.client("s3")
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    s3.put_bucket_policy(Bucket=target, Policy=json.dumps(policy))
    enabled = {"TargetBucket": target, "TargetPrefix": "log/"}
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={"LoggingEnabled": enabled})
    assert s3.get_bucket_logging(Bucket=source)["LoggingEnabled"] == enabled


def test_a_statement_about_everyone_before_it_is_no_hindrance(aws: Aws) -> None:
    """Public reading and the demand for TLS, both for `"*"`, stand beside it in any order."""
    source, target = aws.bucket(), aws.open_bucket()
    public = everyone(target, "Allow", "s3:ListBucket", Resource=f"arn:aws:s3:::{target}")
    tls = everyone(target, "Deny", "s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    put_logging(aws, source, target, public, tls, delivery(target, source))
    put_logging(aws, source, target, delivery(target, source), tls, public)


@pytest.mark.parametrize(
    "changes",
    [
        {"Action": ["s3:Put*"]},
        {"Principal": {"Service": ["cloudtrail.amazonaws.com", "logging.s3.amazonaws.com"]}},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root", "Service": "logging.s3.amazonaws.com"}},
    ],
)
def test_the_permission_may_be_written_in_any_way(aws: Aws, changes: dict[str, Any]) -> None:
    """Patterns, lists and several principals count as they do everywhere."""
    source, target = aws.bucket(), aws.bucket()
    put_logging(aws, source, target, delivery(target, source, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "cloudtrail.amazonaws.com"}},
        {"Action": "s3:GetObject"},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "999988887777"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::another-bucket"}}},
    ],
)
def test_without_the_permission_it_is_refused(aws: Aws, changes: dict[str, Any]) -> None:
    """For another service, action, account or bucket: AWS's code, and no log is configured."""
    source, target = aws.bucket(), aws.bucket()
    with pytest.raises(ClientError) as caught:
        put_logging(aws, source, target, delivery(target, source, **changes))
    assert caught.value.response["Error"]["Code"] == "InvalidTargetBucketForLogging"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "LoggingEnabled" not in aws.client("s3").get_bucket_logging(Bucket=source)


def test_what_the_policy_denies_is_refused(aws: Aws) -> None:
    """A denial of writing for everyone is stronger than the permission."""
    source, target = aws.bucket(), aws.bucket()
    with pytest.raises(ClientError, match="InvalidTargetBucketForLogging"):
        put_logging(aws, source, target, delivery(target, source), everyone(target, "Deny", "s3:PutObject"))
