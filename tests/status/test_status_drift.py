"""Each change that someone makes by hand is found, and nothing else; what is only spelled otherwise is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keyhole.aws import Aws
from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint
from keyhole.findings import Severity
from keyhole.iam.text import write_document
from keyhole.status.reading import read_status
from keyhole.status.report import Report, make_report
from local_story import AccountFactory, blueprint_of, run_instance, up

SPEC = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]
public_read = ["img/"]

[buckets.private]

[buckets.logs]

[workloads.api]
kind = "ec2"
instance = "shop-web"
boundary = true
grants = [{ bucket = "images", prefix = "img/", verbs = ["read", "write"] }]

[workloads.server]
kind = "access-key"
grants = [{ bucket = "private", verbs = ["read"] }]

[audit]
bucket = "logs"

[monitoring]
mails = ["ops@example.com"]
buckets = ["private"]
"""
ACCOUNT = "123456789012"
IMAGES, PRIVATE = f"shop-images-{ACCOUNT}", f"shop-private-{ACCOUNT}"
PATH = "keyhole/shop/default"
TRUST = write_document(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
POLICY_ARN = f"arn:aws:iam::{ACCOUNT}:policy/{PATH}/shop-api"


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    aws = account("eu-west-1")
    run_instance(aws, "shop-web")
    return aws


@pytest.fixture
def app(aws: BotocoreAws, tmp_path: Path) -> Blueprint:
    """The app, as it is right after `up`."""
    file = tmp_path / "keyhole.toml"
    file.write_text(SPEC, "utf-8")
    blueprint = blueprint_of(file)
    assert up(aws, blueprint).is_complete
    return blueprint


def status(aws: Aws, app: Blueprint, **more: Any) -> Report:
    return make_report(app, read_status(aws, app, **more), datetime.now(UTC), " --local")


def found(report: Report) -> list[tuple[str, str]]:
    """Give the address and the check of every finding that counts."""
    return [(entry.address, finding.check) for entry in report.entries for finding in entry.findings if finding.counts]


def allow(action: Any, resource: Any, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_healthy_app_is_fine(aws: BotocoreAws, app: Blueprint) -> None:
    """Right after `up` every resource of the file is there, and about none is anything found."""
    report = status(aws, app)
    assert report.is_fine, found(report)
    assert {want.address for want in app.resources} <= {entry.address for entry in report.entries}
    assert {entry.severity for entry in report.entries} <= {Severity.FINE, Severity.NOTE}


def widen_policy(aws: Aws) -> None:
    aws.call("iam", "CreatePolicyVersion", PolicyArn=POLICY_ARN, PolicyDocument=allow("s3:*", "*"), SetAsDefault=True)


def open_whole_bucket(aws: Aws) -> None:
    policy = json.loads(aws.call("s3", "GetBucketPolicy", Bucket=IMAGES)["Policy"])
    for statement in policy["Statement"]:
        if statement["Effect"] == "Allow":
            statement["Resource"] = f"arn:aws:s3:::{IMAGES}/*"
    aws.call("s3", "PutBucketPolicy", Bucket=IMAGES, Policy=json.dumps(policy))


def open_private_bucket(aws: Aws) -> None:
    aws.call("s3", "DeletePublicAccessBlock", Bucket=PRIVATE)
    policy = allow("s3:GetObject", f"arn:aws:s3:::{PRIVATE}/*", Principal="*")
    aws.call("s3", "PutBucketPolicy", Bucket=PRIVATE, Policy=policy)


def narrow_bucket(aws: Aws) -> None:
    aws.call("s3", "DeleteBucketPolicy", Bucket=IMAGES)


def open_by_acl(aws: Aws) -> None:
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    aws.call("s3", "PutBucketOwnershipControls", Bucket=PRIVATE, OwnershipControls=rules)
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls"), False) | dict.fromkeys(
        ("BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    aws.call("s3", "PutPublicAccessBlock", Bucket=PRIVATE, PublicAccessBlockConfiguration=block)
    aws.call("s3", "PutBucketAcl", Bucket=PRIVATE, ACL="public-read")


def trust_everyone(aws: Aws) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.call("iam", "UpdateAssumeRolePolicy", RoleName="shop-api", PolicyDocument=policy)


def detach_instance(aws: Aws) -> None:
    (found,) = aws.pages("ec2", "DescribeIamInstanceProfileAssociations", "IamInstanceProfileAssociations")
    aws.call("ec2", "DisassociateIamInstanceProfile", AssociationId=found["AssociationId"])


def allow_imds_v1(aws: Aws) -> None:
    (reservation,) = aws.pages("ec2", "DescribeInstances", "Reservations")
    instance = reservation["Instances"][0]["InstanceId"]
    aws.call("ec2", "ModifyInstanceMetadataOptions", InstanceId=instance, HttpTokens="optional")


def swap_role(aws: Aws) -> None:
    aws.call("iam", "CreateRole", RoleName="other", AssumeRolePolicyDocument=TRUST)
    aws.call("iam", "RemoveRoleFromInstanceProfile", InstanceProfileName="shop-api", RoleName="shop-api")
    aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName="shop-api", RoleName="other")


def join_group(aws: Aws) -> None:
    aws.call("iam", "CreateGroup", GroupName="admins")
    aws.call("iam", "AddUserToGroup", GroupName="admins", UserName="shop-server")


Change = Callable[[Aws], object]
CHANGES: dict[str, tuple[Change, list[tuple[str, str]], str]] = {
    "a policy widened": (widen_policy, [("policy.api", "policy.document")], "s3:* on *, which the file does not say"),
    "a bucket opened whole": (open_whole_bucket, [("bucket.images", "bucket.public")], f"s3:::{IMAGES}/* to everyone"),
    "a private bucket opened": (
        open_private_bucket,
        [("bucket.private", "bucket.block"), ("bucket.private", "bucket.public")],
        f"allows s3:GetObject on arn:aws:s3:::{PRIVATE}/* to everyone",
    ),
    "a bucket shut": (narrow_bucket, [("bucket.images", "bucket.policy")], "it no longer allows s3:GetObject"),
    "a bucket opened by ACL": (
        open_by_acl,
        [("bucket.private", "bucket.block"), ("bucket.private", "bucket.ownership"), ("bucket.private", "bucket.acl")],
        "everyone has READ",
    ),
    "full access attached": (
        lambda aws: aws.call(
            "iam", "AttachRolePolicy", RoleName="shop-api", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess"
        ),
        [("role.api", "role.attached")],
        "has AmazonS3FullAccess attached",
    ),
    "an inline policy added": (
        lambda aws: aws.call(
            "iam", "PutRolePolicy", RoleName="shop-api", PolicyName="more", PolicyDocument=allow("s3:*", "*")
        ),
        [("role.api", "role.inline")],
        "it allows s3:* on *",
    ),
    "a boundary taken away": (
        lambda aws: aws.call("iam", "DeleteRolePermissionsBoundary", RoleName="shop-api"),
        [("role.api", "role.boundary")],
        "its permissions boundary is gone",
    ),
    "a role that everyone may assume": (trust_everyone, [("role.api", "role.trust")], "Principal AWS is *"),
    "an instance detached": (
        detach_instance,
        [("instance-attachment.api", "instance.detached")],
        "no role is attached to i-",
    ),
    "an instance that answers IMDSv1": (
        allow_imds_v1,
        [("instance-attachment.api", "instance.imds")],
        "still answers IMDSv1",
    ),
    "a profile that holds another role": (
        swap_role,
        [("instance-profile.api", "instance-profile.role")],
        "holds the role other, and not shop-api",
    ),
    "a user in a group": (join_group, [("user.server", "user.group")], "is in the group admins"),
    "a trail stopped": (
        lambda aws: aws.call("cloudtrail", "StopLogging", Name="shop-trail"),
        [("trail.audit", "trail.stopped")],
        "does not log",
    ),
    "an alarm that rings": (
        lambda aws: aws.call(
            "cloudwatch", "SetAlarmState", AlarmName="shop-private-5xx", StateValue="ALARM", StateReason="6 of 10"
        ),
        [("alarm.private-5xx", "alarm.rings")],
        "6 of 10",
    ),
    "a tag taken away": (
        lambda aws: aws.call("iam", "UntagRole", RoleName="shop-api", TagKeys=["keyhole:app"]),
        [("role.api", "role.not-ours")],
        "lacks Keyhole's tag",
    ),
    "versioning turned on": (
        lambda aws: aws.call(
            "s3", "PutBucketVersioning", Bucket=PRIVATE, VersioningConfiguration={"Status": "Enabled"}
        ),
        [("bucket.private", "bucket.versioning")],
        "it is on where the file says off",
    ),
    "a user deleted": (
        lambda aws: (
            aws.call(
                "iam",
                "DetachUserPolicy",
                UserName="shop-server",
                PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{PATH}/shop-server",
            ),
            aws.call("iam", "DeleteUser", UserName="shop-server"),
        ),
        [("user.server", "user.missing")],
        "is not there",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_by_hand_is_found_and_only_that(aws: BotocoreAws, app: Blueprint, name: str) -> None:
    """What someone changed is found at its resource, told with what shows it, and nothing else is found."""
    change, expected, told = CHANGES[name]
    change(aws)
    report = status(aws, app)
    assert found(report) == expected
    said = [text for entry in report.entries for one in entry.findings for text in (one.summary, *one.evidence)]
    assert any(told in text for text in said), said
    assert all(one.fix for entry in report.entries for one in entry.findings if one.counts)


def test_the_same_policy_in_another_spelling_is_no_drift(aws: BotocoreAws, app: Blueprint) -> None:
    """Lists of one unwrapped, another order of statements and values: it says the same, so nothing is found."""
    want = next(one for one in app.resources if one.address == "policy.api")
    document: dict[str, Any] = json.loads(write_document(want.document))  # type: ignore[attr-defined]
    document["Statement"] = [
        {
            key: list(reversed(value)) if isinstance(value, list) else [value] if key == "Action" else value
            for key, value in reversed(statement.items())
        }
        for statement in reversed(document["Statement"])
    ]
    text = json.dumps(document, indent=4)
    aws.call("iam", "CreatePolicyVersion", PolicyArn=POLICY_ARN, PolicyDocument=text, SetAsDefault=True)
    assert status(aws, app).is_fine


def test_what_left_the_file_and_is_still_there_is_found(aws: BotocoreAws, app: Blueprint, tmp_path: Path) -> None:
    """A workload that was taken out of the file: its user and its policy are told, and nothing else."""
    text = SPEC[: SPEC.index("[workloads.server]")] + SPEC[SPEC.index("[audit]") :]
    (tmp_path / "keyhole.toml").write_text(text, "utf-8")
    smaller = blueprint_of(tmp_path / "keyhole.toml")
    assert sorted(found(status(aws, smaller))) == [("policy", "policy.left"), ("user", "user.left")]


def test_the_account_may_block_what_the_file_opens(aws: BotocoreAws, app: Blueprint) -> None:
    """Block Public Access of the account wins over the bucket's: then the public prefix is not public."""
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    aws.call("s3control", "PutPublicAccessBlock", AccountId=ACCOUNT, PublicAccessBlockConfiguration=block)
    try:
        report = status(aws, app)
        assert found(report) == [("account", "account.block")]
        (entry,) = (entry for entry in report.entries if entry.address == "account")
        assert entry.findings[0].summary.endswith("shut: images")
    finally:
        aws.call("s3control", "DeletePublicAccessBlock", AccountId=ACCOUNT)
