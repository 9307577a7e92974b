"""What a resource that is as the file says does right now: alarms, subscriptions, the trail, the instance. Pure.

AWS: Amazon CloudWatch User Guide, "Alarm states"; Amazon SNS Developer Guide, "Confirm the subscription";
AWS CloudTrail API Reference, GetTrailStatus.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyhole.findings import Finding, Severity
from keyhole.resources import Existing, Wanted
from keyhole.resources.access_key import ExistingAccessKey
from keyhole.resources.alarm import ExistingAlarm
from keyhole.resources.bucket import Bucket, ExistingBucket
from keyhole.resources.instance_attachment import ExistingInstanceAttachment
from keyhole.resources.role import ExistingRole
from keyhole.resources.topic import ExistingTopic, Topic
from keyhole.resources.trail import ExistingTrail


def alarm_findings(have: ExistingAlarm) -> Iterator[Finding]:
    """Give that an alarm rings, or has nothing to measure."""
    state, reason = str(have.rule.get("StateValue", "")), str(have.rule.get("StateReason", ""))
    if state == "ALARM":
        summary = f"in ALARM: {have.rule.get('AlarmDescription') or have.name}"
        fix = "look at what the bucket is asked: its access logs, or the trail; the alarm ends by itself"
        yield Finding("alarm.rings", Severity.PROBLEM, summary, (reason,) if reason else (), fix)
    elif state == "INSUFFICIENT_DATA":
        yield Finding("alarm.no-data", Severity.NOTE, "INSUFFICIENT_DATA: nothing measured yet")
    if have.rule.get("ActionsEnabled") is False:
        yield Finding("alarm.silent", Severity.WARNING, "tells nobody: its actions are switched off")


def topic_findings(want: Topic, have: ExistingTopic) -> Iterator[Finding]:
    """Give who would get no mail, since nobody followed the link."""
    pending = [mail for mail, arn in have.mails if mail in want.mails and not arn]
    if pending:
        summary = f"not confirmed, and gets no alarm: {', '.join(pending)}"
        fix = "follow the link in the mail from AWS Notifications; no mail came: look in the spam folder"
        yield Finding("topic.pending", Severity.WARNING, summary, fix=fix)


def trail_findings(status: dict[str, Any]) -> Iterator[Finding]:
    """Give that the trail's log files or digests do not arrive; that it is stopped is told as drift."""
    for member, what in (("LatestDeliveryError", "log files"), ("LatestDigestDeliveryError", "digests")):
        if error := status.get(member):
            summary = f"its {what} do not arrive: {error}"
            fix = "its bucket has to let CloudTrail write: `keyhole plan` shows what differs there"
            yield Finding("trail.delivery", Severity.PROBLEM, summary, fix=fix)


def describe_state(want: Wanted, have: Existing, trail: dict[str, Any] | None = None) -> str:
    """Give what there is to say of a resource that is in order."""
    match have:
        case ExistingBucket() if isinstance(want, Bucket):
            return _describe_bucket(want)
        case ExistingRole(boundary_arn=boundary_arn) if boundary_arn:
            return f"as in the file, within the boundary {boundary_arn.rpartition('/')[2]}"
        case ExistingAccessKey(places=places, current=current) if current is not None:
            return f"{current.id} is in {', '.join(state.place.sentence for state in places)}"
        case ExistingAlarm():
            return str(have.rule.get("StateValue", ""))
        case ExistingTopic():
            return f"mails {', '.join(mail for mail, _ in have.mails) or 'nobody'}"
        case ExistingTrail():
            last = (trail or {}).get("LatestDeliveryTime")
            return f"logging, last delivery {last:%Y-%m-%d %H:%M} UTC" if last else "logging, nothing delivered yet"
        case ExistingInstanceAttachment(name=name, profile_arn=profile_arn, hop_limit=hops):
            return f"{name} has {profile_arn.rpartition('/')[2]}; IMDSv2 only, {hops} hops"
    return "as in the file"


def _describe_bucket(want: Bucket) -> str:
    block = want.settings.public_access_block or {}
    if block.get("BlockPublicPolicy") and block.get("RestrictPublicBuckets"):
        return "private"
    resources: list[str] = []
    for statement in (want.settings.policy or {}).get("Statement", ()):
        if statement.get("Effect") == "Allow" and statement.get("Principal") == "*":
            found = statement["Resource"]
            resources += found if isinstance(found, list) else [found]
    opened = ", ".join(resource.partition("/")[2] for resource in resources)
    return f"everyone may read {opened}, as the file says" if opened else "as in the file"
