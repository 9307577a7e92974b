"""What differs is told in words that name it: statements of policies, what is public, what runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from keyhole.errors import KeyholeError
from keyhole.findings import Finding, Severity
from keyhole.naming import Scope
from keyhole.resources.alarm import ExistingAlarm
from keyhole.resources.bucket import Bucket, ExistingBucket, Settings
from keyhole.resources.topic import ExistingTopic, Topic
from keyhole.resources.trail import ExistingTrail, Trail
from keyhole.status.documents import describe_difference
from keyhole.status.public import account_findings, describe_account_block, public_findings, wider_statements
from keyhole.status.reading import PublicAccess
from keyhole.status.report import Entry, Report
from keyhole.status.running import alarm_findings, describe_state, topic_findings, trail_findings
from keyhole.status.show import describe_changes, report_as_json

ARN = "arn:aws:s3:::masks"


def statement(action: Any = "s3:GetObject", resource: Any = f"{ARN}/*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    ("have", "want", "said"),
    [
        (document(statement()), document(statement()), ()),
        ({"Statement": statement(["s3:GetObject"])}, document(statement()), ()),
        (
            document(statement("s3:*", Sid="Read")),
            document(statement(Sid="Read")),
            ("Read: Action is s3:* where the file says s3:GetObject",),
        ),
        (
            document(statement("s3:*")),
            document(statement()),
            ("Action is s3:* where the file says s3:GetObject",),
        ),
        (
            document(statement(), statement("iam:*", "*")),
            document(statement()),
            ("it allows iam:* on *, which the file does not say",),
        ),
        (document(), document(statement()), (f"it no longer allows s3:GetObject on {ARN}/*",)),
        (None, document(statement(Principal="*")), (f"it no longer allows s3:GetObject on {ARN}/* to everyone",)),
        (
            document(statement(Condition={"Bool": {"AWS:SecureTransport": "true"}})),
            document(statement(Condition={"Bool": {"aws:SecureTransport": True}})),
            (),
        ),
        (
            document(statement(Condition={"StringEquals": {"aws:SourceArn": "arn:other"}})),
            document(statement(Condition={"StringEquals": {"aws:SourceArn": "arn:mine"}})),
            ("StringEquals aws:sourcearn is arn:other where the file says arn:mine",),
        ),
        (
            document(statement(Condition={"Null": {"a:b": "true"}})),
            document(statement()),
            ("Null a:b is true where the file says nothing",),
        ),
        (
            document(statement(Sid="A")),
            document(statement(Sid="B")),
            (),
        ),
        (
            document(statement("S3:getobject", ARN, Principal={"AWS": "123456789012"})),
            document(statement("s3:GetObject", f"{ARN}/a", Principal={"AWS": "arn:aws:iam::123456789012:root"})),
            (f"Resource is {ARN} where the file says {ARN}/a",),
        ),
        (
            document({"Effect": "Deny", "NotAction": "s3:*", "NotResource": ARN, "NotPrincipal": {"AWS": ["1", "2"]}}),
            document(),
            (f"it denies everything but s3:* on everything but {ARN} to all but 1, 2, which the file does not say",),
        ),
        (
            document(statement([f"s3:Get{letter}" for letter in "abcdef"], "*")),
            document(),
            ("it allows s3:Geta, s3:Getb, s3:Getc, s3:Getd and 2 more on *, which the file does not say",),
        ),
    ],
)
def test_a_difference_is_told_by_statement(have: Any, want: Any, said: tuple[str, ...]) -> None:
    """What was added, what is gone, and of what changed the element that did."""
    assert describe_difference(have, want) == said


PUBLIC = document(statement(resource=f"{ARN}/img/*", Principal="*", Condition={}))


@pytest.mark.parametrize(
    ("have", "is_wider"),
    [
        (PUBLIC, False),
        (document(statement(resource=f"{ARN}/img/a.png", Principal={"AWS": "*"})), False),
        (document(statement("S3:getobject", f"{ARN}/img/*", Principal="*")), False),
        (document(statement(Principal="*")), True),
        (document(statement("s3:Get*", f"{ARN}/img/*", Principal="*")), True),
        (document(statement("s3:GetObject", f"{ARN}/img/*", Principal={"AWS": "*"}), statement("s3:*", ARN)), False),
        (document({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": f"{ARN}/img/*", "Principal": "*"}), True),
        (document({"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "s3:GetObject", "Resource": ARN}), True),
        (document({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}), False),
        (document(statement(Principal={"AWS": "arn:aws:iam::123456789012:root"})), False),
        (None, False),
    ],
)
def test_wider_than_the_file_is_what_everyone_gets_beyond_it(have: Any, is_wider: bool) -> None:
    """Only what is allowed to everyone counts, and only where the file's own statements do not cover it."""
    assert bool(wider_statements(have, PUBLIC)) is is_wider


def bucket(policy: dict[str, Any] | None) -> tuple[Bucket, ExistingBucket]:
    settings = Settings(policy=policy)
    name, account = "masks", "123456789012"
    return (
        Bucket("bucket.masks", name, account, "eu-west-1", settings),
        ExistingBucket(name, account, settings, {}),
    )


def test_s3_has_the_last_word_on_what_is_public() -> None:
    """A policy that S3 calls public is told even where nothing of ours sees why; one that the file opens is not."""
    closed, opened = bucket(None), bucket(PUBLIC)
    assert [one.check for one in public_findings(*closed, PublicAccess(True, ()), "fix")] == ["bucket.public"]
    assert list(public_findings(*opened, PublicAccess(True, ()), "fix")) == []
    assert list(public_findings(*closed, PublicAccess(False, ()), "fix")) == []


def test_the_accounts_block_is_told_where_it_matters() -> None:
    """It is wrong only where the file opens something; that nobody could read it is never taken for fine."""
    closed, opened = bucket(None)[0], bucket(PUBLIC)[0]
    shut = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    assert list(account_findings(shut, [closed])) == list(account_findings({}, [opened])) == []
    assert [one.severity for one in account_findings(shut, [closed, opened])] == [Severity.PROBLEM]
    unread = KeyholeError("no way")
    assert [one.severity for one in account_findings(unread, [closed])] == [Severity.UNKNOWN]
    said = [describe_account_block(block) for block in (shut, {"BlockPublicAcls": True}, {}, unread)]
    assert said == ["all blocked", "only BlockPublicAcls", "left to each bucket", "unknown"]


def test_an_alarm_is_told_by_its_state() -> None:
    """One that rings is a problem, one without data a note, a silenced one a warning."""

    def severities(**rule: Any) -> list[Severity]:
        return [one.severity for one in alarm_findings(ExistingAlarm("a", "arn", rule, {}))]

    assert severities(StateValue="OK", ActionsEnabled=True) == []
    assert severities(StateValue="ALARM") == [Severity.PROBLEM]
    assert severities(StateValue="INSUFFICIENT_DATA") == [Severity.NOTE]
    assert severities(StateValue="OK", ActionsEnabled=False) == [Severity.WARNING]


def test_an_address_that_nobody_confirmed_is_told() -> None:
    """Until the link is followed it gets no mail; addresses that the file does not name are no business of this."""
    want = Topic("topic.alarms", "arn:t", ("a@example.com", "b@example.com"), {})
    have = ExistingTopic("arn:t", (("a@example.com", "arn:s"), ("b@example.com", ""), ("c@example.com", "")), {})
    (finding,) = topic_findings(want, have)
    assert finding.summary == "not confirmed, and gets no alarm: b@example.com"
    assert finding.counts


def test_a_trail_that_cannot_deliver_is_told() -> None:
    """It logs, and its log files or digests are refused by the bucket."""
    assert list(trail_findings({"IsLogging": True})) == []
    (finding,) = trail_findings({"IsLogging": True, "LatestDeliveryError": "AccessDenied"})
    assert finding.summary == "its log files do not arrive: AccessDenied"
    have, want = ExistingTrail("arn:t", "b", True, True, {}), Trail("trail.audit", "arn:t", "b", {})
    assert describe_state(want, have, {}) == "logging, nothing delivered yet"


SCOPE = Scope("shop", "default", "123456789012", "eu-west-1")


def report(*findings: Finding) -> Report:
    return Report(SCOPE, datetime(2026, 6, 1, tzinfo=UTC), (Entry("g", "role.api", "r", "", findings),), "`up`")


def test_what_changed_between_two_looks_is_told_once() -> None:
    """At first everything that counts, then what came, and what is gone."""
    one, two = Finding("a", Severity.PROBLEM, "one"), Finding("b", Severity.WARNING, "two")
    note = Finding("c", Severity.NOTE, "three")
    assert describe_changes(None, report(one, note)) == ("✗ role.api r: one",)
    assert describe_changes(report(one), report(one, two)) == ("! role.api r: two",)
    assert describe_changes(report(one, two), report(two)) == ("✓ no longer: role.api r: one",)
    assert describe_changes(report(one), report(one)) == ()


def test_a_note_is_fine_and_an_unknown_is_not() -> None:
    """Machines read the same from `fine` and the counts."""
    assert report_as_json(report(Finding("c", Severity.NOTE, "three")))["fine"] is True
    unknown = report_as_json(report(Finding("c", Severity.UNKNOWN, "three")))
    assert (unknown["fine"], unknown["counts"]["unknown"], unknown["entries"][0]["state"]) == (False, 1, "unknown")
