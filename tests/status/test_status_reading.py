"""Reading the status: only reads, side by side, and what cannot be read is said to be unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keyhole.aws import Aws
from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.blueprint import Blueprint
from keyhole.errors import AwsError
from keyhole.findings import Severity
from keyhole.status.reading import read_status
from keyhole.status.report import make_report
from local_story import AccountFactory, blueprint_of, inventory, up
from recording_aws import BreakingAws, RecordingAws, refusal

SPEC = Path(__file__).parents[1] / "golden" / "specs" / "operations.toml"


class RefusingAws:
    """Passes calls on to another AWS, but for the operations that are refused; it counts what it passed on."""

    def __init__(self, below: Aws, refused: frozenset[str] = frozenset()) -> None:
        self._below = below
        self._refused = refused
        self.operations: set[str] = set()
        self.region, self.endpoint_url = below.region, below.endpoint_url

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        self.operations.add(operation)
        if operation in self._refused:
            raise refusal("AccessDenied", "not for you", operation)
        return self._below.call(service, operation, **params)

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        self.operations.add(operation)
        if operation in self._refused:
            raise refusal("AccessDenied", "not for you", operation)
        yield from self._below.pages(service, operation, result_key, **params)


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("us-east-1")


@pytest.fixture
def app(aws: BotocoreAws) -> Blueprint:
    blueprint = blueprint_of(SPEC)
    assert up(aws, blueprint).is_complete
    return blueprint


def test_only_calls_that_read_are_made(aws: BotocoreAws, app: Blueprint) -> None:
    """Whatever was changed by hand, no call is made that changes something: the account stays as it is."""
    aws.call("iam", "DeleteRolePermissionsBoundary", RoleName="llmops-terraform-role")
    aws.call("iam", "CreateUser", UserName="legacy")
    key_id = aws.call("iam", "CreateAccessKey", UserName="legacy")["AccessKey"]["AccessKeyId"]
    before = inventory(aws)
    watched = RefusingAws(aws)
    breaking = BreakingAws(watched, break_after=0)
    report = make_report(app, read_status(breaking, app, (key_id,)), datetime.now(UTC))
    assert not report.is_fine
    assert breaking.changing_calls == 0
    assert watched.operations
    assert all(operation.startswith(("Get", "List", "Describe")) for operation in watched.operations)
    assert inventory(aws) == before


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("GetBucketAcl", {("bucket.state", "bucket.public"), ("bucket.audit", "bucket.public")}),
        ("GetBucketVersioning", {("bucket.state", "bucket.unknown"), ("bucket.audit", "bucket.unknown")}),
        ("GetRole", {("role.terraform", "role.unknown")}),
        (
            "GetPublicAccessBlock",
            {("account", "account.block"), ("bucket.state", "bucket.unknown"), ("bucket.audit", "bucket.unknown")},
        ),
        ("GetTrailStatus", {("trail.audit", "trail.unknown")}),
        ("ListRoles", {("role", "role.unlisted")}),
    ],
)
def test_what_cannot_be_read_is_unknown(
    aws: BotocoreAws, app: Blueprint, operation: str, expected: set[tuple[str, str]]
) -> None:
    """A call that AWS refuses is told where it matters, with AWS's words; the rest is read all the same."""
    report = make_report(app, read_status(RefusingAws(aws, frozenset({operation})), app), datetime.now(UTC))
    found = [(entry.address, one) for entry in report.entries for one in entry.findings if one.counts]
    assert {(address, one.check) for address, one in found} == expected
    assert {one.severity for _, one in found} == {Severity.UNKNOWN}
    assert all(f"{operation}: AccessDenied: not for you" in one.evidence[0] for _, one in found)
    assert not report.is_fine


def test_what_may_have_left_the_file_and_cannot_be_read_is_unknown(
    aws: BotocoreAws, app: Blueprint, tmp_path: Path
) -> None:
    """A role of the app that the file no longer names, of which AWS says nothing: nobody takes it for gone."""
    text = SPEC.read_text("utf-8")
    (tmp_path / "keyhole.toml").write_text(text[: text.index("[workloads")] + text[text.index("[audit]") :], "utf-8")
    smaller = blueprint_of(tmp_path / "keyhole.toml")
    refusing = RefusingAws(aws, frozenset({"GetRole"}))
    report = make_report(smaller, read_status(refusing, smaller), datetime.now(UTC))
    found = {one.check: one.severity for entry in report.entries for one in entry.findings if one.counts}
    assert found["role.unlisted"] is Severity.UNKNOWN


def test_when_nothing_can_be_read_aws_has_the_word() -> None:
    """If every single read is refused there is no status: AWS's error ends the command."""
    denied = RecordingAws(refuse=lambda operation: refusal("AccessDenied", "not for you", operation))
    with pytest.raises(AwsError, match="AccessDenied"):
        read_status(denied, blueprint_of(SPEC))


def test_whoever_may_read_nothing_of_iam_sees_the_buckets(aws: BotocoreAws, app: Blueprint) -> None:
    """A real user with rights on S3 alone: buckets are told, and what is IAM's is unknown."""
    aws.call("iam", "CreateUser", UserName="auditor")
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    aws.call("iam", "PutUserPolicy", UserName="auditor", PolicyName="s3", PolicyDocument=json.dumps(policy))
    key = aws.call("iam", "CreateAccessKey", UserName="auditor")["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    auditor = BotocoreAws(aws.region, credentials=credentials, endpoint_url=aws.endpoint_url, max_attempts=1)
    report = make_report(app, read_status(auditor, app), datetime.now(UTC))
    states = {entry.address: entry.severity for entry in report.entries}
    assert (states["bucket.state"], states["bucket.audit"]) == (Severity.FINE, Severity.FINE)
    assert states["role.terraform"] is states["policy.terraform"] is states["trail.audit"] is Severity.UNKNOWN
