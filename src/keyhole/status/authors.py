"""Who last changed what differs from the file, where CloudTrail tells: its event history needs no trail.

A bucket's events are in its own region, IAM's in the first region of the partition. The history goes back 90 days, and
may be asked twice a second: of what differs only the first few are asked for.
AWS: AWS CloudTrail API Reference, LookupEvents; AWS CloudTrail User Guide, "Working with CloudTrail event history".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from keyhole.aws import Aws
from keyhole.errors import KeyholeError
from keyhole.provision.snapshot import kind_of
from keyhole.status.report import Entry, Report

MOST_LOOKUPS = 6
IAM_KINDS = frozenset({"policy", "inline-policy", "role", "user", "instance-profile", "oidc-provider"})
_IAM_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def name_authors(report: Report, names: Mapping[str, str], of_region: Callable[[str], Aws]) -> Report:
    """Give the report with who last changed what, beneath what differs.

    `names` are the resources' full names on AWS, by address. Where CloudTrail cannot be asked, nothing is added.
    """
    found: dict[str, str] = {}
    differing = [entry for entry in report.entries if entry.address in names and _differs(entry, report)]
    try:
        for entry in differing[:MOST_LOOKUPS]:
            is_iam = kind_of(entry.address) in IAM_KINDS
            region = _IAM_REGIONS[report.scope.partition] if is_iam else report.scope.region
            found[entry.address] = find_author(of_region(region), _event_name(entry.address, names))
    except KeyholeError:
        # It is an extra: whoever may not ask CloudTrail still sees what differs.
        pass
    return replace(report, entries=tuple(_signed(entry, found.get(entry.address, "")) for entry in report.entries))


def _event_name(address: str, names: Mapping[str, str]) -> str:
    """Give the name that events have: those of an inline policy have its role's or user's."""
    name = names[address]
    return name.split("/")[1] if kind_of(address) == "inline-policy" else name


def find_author(aws: Aws, name: str) -> str:
    """Give who made the last call that changed the resource, which, and when; "" if nothing is known.

    Raises: AwsError.
    """
    attribute = {"AttributeKey": "ResourceName", "AttributeValue": name}
    events = aws.call("cloudtrail", "LookupEvents", LookupAttributes=[attribute], MaxResults=50).get("Events", ())
    event = next((event for event in events if event.get("ReadOnly") != "true"), None)
    if event is None:
        return ""
    return f"last changed by {_who(event)}: {event['EventName']}, {event['EventTime']:%Y-%m-%d %H:%M %Z}".rstrip()


def _who(event: Mapping[str, Any]) -> str:
    identity = json.loads(event.get("CloudTrailEvent") or "{}").get("userIdentity") or {}
    return str(identity.get("arn") or identity.get("invokedBy") or event.get("Username") or "someone")


def _differs(entry: Entry, report: Report) -> bool:
    return any(finding.fix == report.again for finding in entry.findings)


def _signed(entry: Entry, author: str) -> Entry:
    if not author:
        return entry
    first, *others = entry.findings
    return replace(entry, findings=(replace(first, evidence=(*first.evidence, author)), *others))
