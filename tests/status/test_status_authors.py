"""Who changed what differs is said where CloudTrail tells, and nothing is lost where it does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from keyhole.findings import Finding, Severity
from keyhole.naming import Scope
from keyhole.status.authors import MOST_LOOKUPS, find_author, name_authors
from keyhole.status.report import Entry, Report
from recording_aws import RecordingAws, refusal

AT = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
ANN = "arn:aws:iam::123456789012:user/ann"
UP = "`keyhole up`"


def event(name: str, *, read_only: bool = False, who: str = ANN) -> dict[str, Any]:
    identity = json.dumps({"userIdentity": {"arn": who}})
    return {"EventName": name, "EventTime": AT, "ReadOnly": str(read_only).lower(), "CloudTrailEvent": identity}


def history(*events: dict[str, Any]) -> RecordingAws:
    return RecordingAws({"LookupEvents": {"Events": list(events)}})


def report(*addresses: str, fix: str = UP, region: str = "eu-west-1") -> Report:
    finding = Finding("x", Severity.PROBLEM, "differs", ("shown",), fix)
    entries = tuple(Entry("g", address, "short", "", (finding, finding)) for address in addresses)
    return Report(Scope("shop", "default", "123456789012", region), AT, entries, UP)


def test_the_last_call_that_changed_it_names_its_author() -> None:
    """Calls that only read are passed over; without any other nothing is said."""
    aws = history(event("GetRole", read_only=True), event("AttachRolePolicy"), event("CreateRole"))
    assert find_author(aws, "api") == f"last changed by {ANN}: AttachRolePolicy, 2026-06-01 12:30 UTC"
    assert find_author(history(event("GetRole", read_only=True)), "api") == ""
    nobody = {"EventName": "DeleteRole", "EventTime": AT, "Username": "bob"}
    assert find_author(history(nobody), "api").startswith("last changed by bob: DeleteRole")


def test_iam_is_asked_where_its_events_are_and_buckets_where_they_are() -> None:
    """The full name is asked for, in the partition's first region for IAM; it stands beneath the first finding."""
    aws, regions = history(event("PutRolePolicy")), list[str]()

    def of_region(region: str) -> RecordingAws:
        regions.append(region)
        return aws

    names = {"policy.api": "arn:aws:iam::1:policy/p", "bucket.images": "images"}
    signed = name_authors(report("policy.api", "bucket.images", "account"), names, of_region)
    assert regions == ["us-east-1", "eu-west-1"]
    assert [params["LookupAttributes"][0]["AttributeValue"] for _, params in aws.calls] == list(names.values())
    evidence = [[finding.evidence for finding in entry.findings] for entry in signed.entries]
    author = f"last changed by {ANN}: PutRolePolicy, 2026-06-01 12:30 UTC"
    assert evidence == [*[[("shown", author), ("shown",)]] * 2, [("shown",), ("shown",)]]
    name_authors(report("role.api", region="cn-northwest-1"), {"role.api": "api"}, of_region)
    assert regions[-1] == "cn-north-1"


def test_only_what_differs_from_the_file_is_asked_for_and_not_too_much_of_it() -> None:
    """An alarm that rings has no author; a whole app that is gone does not make for hundreds of slow calls."""
    aws = history(event("DeleteRole"))
    rings = report("alarm.a", fix="look at it")
    assert name_authors(rings, {"alarm.a": "a"}, lambda _: aws) == rings
    assert aws.calls == []
    names = {f"role.r{number}": f"r{number}" for number in range(50)}
    name_authors(report(*names), names, lambda _: aws)
    assert len(aws.calls) == MOST_LOOKUPS


def test_whoever_may_not_ask_cloudtrail_sees_the_rest() -> None:
    """A refusal leaves the report as it is."""
    denied = RecordingAws(refuse=lambda operation: refusal("AccessDeniedException", "no", operation))
    before = report("role.api")
    assert name_authors(before, {"role.api": "api"}, lambda _: denied) == before
