"""Every setting of a bucket: changed by hand it is found and named, `up` puts it right, and then nothing is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keyhole.aws import Aws
from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint
from keyhole.resources.bucket import METRICS_ID, Settings
from keyhole.status.reading import read_status
from keyhole.status.report import Report, make_report
from local_story import AccountFactory, blueprint_of, up

SPEC = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.files]
name = "shop-files"
versioning = true
encryption = "aws:kms"
access_logs = "logs"
tags = { team = "web" }
lifecycle = [{ prefix = "tmp/", expire_days = 3 }, { abort_multipart_days = 7 }]
cors = [{ origins = ["https://app.example.com"], methods = ["GET", "PUT"] }]

[buckets.logs]
name = "shop-logs"

[workloads.server]
kind = "access-key"
grants = [{ bucket = "files", verbs = ["read"] }]

[monitoring]
mails = ["ops@example.com"]
buckets = ["files"]
"""
FILES = "shop-files"
Change = Callable[[Aws], object]


def put(operation: str, bucket: str = FILES, **params: Any) -> Change:
    """Give the call that someone makes."""
    return lambda aws: aws.call("s3", operation, Bucket=bucket, **params)


def encrypt(algorithm: str, **more: Any) -> Change:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}, **more}
    return put("PutBucketEncryption", ServerSideEncryptionConfiguration={"Rules": [rule]})


CHANGES: dict[str, tuple[str, Change, str, str]] = {
    "public access unblocked": ("public_access_block", put("DeletePublicAccessBlock"), "bucket.block", "is off"),
    "ACLs enabled": (
        "ownership",
        put("PutBucketOwnershipControls", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}),
        "bucket.ownership",
        "ACLs count in it",
    ),
    "encrypted by S3": ("encryption", encrypt("AES256"), "bucket.encryption", "its encryption is not"),
    "bucket key off": ("bucket_key", encrypt("aws:kms"), "bucket.encryption", "its bucket key is not"),
    "versioning suspended": (
        "versioning",
        put("PutBucketVersioning", VersioningConfiguration={"Status": "Suspended"}),
        "bucket.versioning",
        "it is off where the file says on",
    ),
    "lifecycle removed": ("lifecycle", put("DeleteBucketLifecycle"), "bucket.lifecycle", "its lifecycle is not"),
    "lifecycle shortened": (
        "lifecycle",
        put(
            "PutBucketLifecycleConfiguration",
            LifecycleConfiguration={
                "Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
            },
        ),
        "bucket.lifecycle",
        'it has the rule {"Expiration": {"Days": 1}',
    ),
    "CORS removed": ("cors", put("DeleteBucketCors"), "bucket.cors", "it lacks the rule"),
    "CORS widened": (
        "cors",
        put(
            "PutBucketCors",
            CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"]}]},
        ),
        "bucket.cors",
        'it has the rule {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"]}',
    ),
    "policy removed": ("policy", put("DeleteBucketPolicy"), "bucket.policy", "its bucket policy is gone"),
    "metrics off": (
        "request_metrics",
        put("DeleteBucketMetricsConfiguration", Id=METRICS_ID),
        "bucket.request-metrics",
        "it is off where the file says on",
    ),
    "access logs off": (
        "access_logs",
        put("PutBucketLogging", BucketLoggingStatus={}),
        "bucket.access-logs",
        "its access log is not",
    ),
    "a tag changed": (
        "tags",
        put(
            "PutBucketTagging",
            Tagging={
                "TagSet": [
                    {"Key": "keyhole:app", "Value": "shop"},
                    {"Key": "keyhole:environment", "Value": "default"},
                    {"Key": "team", "Value": "ops"},
                ]
            },
        ),
        "bucket.tags",
        "lacks the tag team=web",
    ),
}


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


@pytest.fixture
def app(aws: BotocoreAws, tmp_path: Path) -> Blueprint:
    file = tmp_path / "keyhole.toml"
    file.write_text(SPEC, "utf-8")
    return blueprint_of(file)


def status(aws: Aws, app: Blueprint) -> Report:
    return make_report(app, read_status(aws, app), datetime.now(UTC), "")


def test_a_setting_changed_by_hand_is_named_and_put_right(aws: BotocoreAws, app: Blueprint) -> None:
    """One after the other: found at its bucket and nowhere else, `up` mends it, and nothing is found any more."""
    assert up(aws, app).is_complete
    for name, (_, change, check, told) in CHANGES.items():
        change(aws)
        report = status(aws, app)
        found = [(entry.address, one) for entry in report.entries for one in entry.findings if one.counts]
        assert [(address, one.check) for address, one in found] == [("bucket.files", check)], name
        (_, one) = found[0]
        assert any(told in text for text in (one.summary, *one.evidence)), (name, one)
        assert one.fix == "`keyhole up`"
        assert up(aws, app).is_complete, name
        assert status(aws, app).is_fine, name


def test_every_setting_is_changed_above() -> None:
    """Whoever adds a setting says here how it is changed by hand."""
    assert {field for field, *_ in CHANGES.values()} == {field.name for field in fields(Settings)} | {"tags"}


def test_rules_in_other_words_are_no_drift(aws: BotocoreAws, app: Blueprint) -> None:
    """Lifecycle and CORS rules in another order, under other names: they do the same."""
    assert up(aws, app).is_complete
    rules = aws.call("s3", "GetBucketLifecycleConfiguration", Bucket=FILES)["Rules"]
    renamed = [{**rule, "ID": f"by hand {index}"} for index, rule in enumerate(reversed(rules))]
    put("PutBucketLifecycleConfiguration", LifecycleConfiguration={"Rules": renamed})(aws)
    cors = [{"AllowedMethods": ["PUT", "GET"], "AllowedOrigins": ["https://app.example.com"], "ID": "mine"}]
    cors = [{**rule, **cors[0]} for rule in aws.call("s3", "GetBucketCors", Bucket=FILES)["CORSRules"]]
    put("PutBucketCors", CORSConfiguration={"CORSRules": cors})(aws)
    assert status(aws, app).is_fine
