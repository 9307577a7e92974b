"""CloudWatch alarm on one metric, with the topics that it tells.

AWS: Amazon CloudWatch API Reference, PutMetricAlarm (it replaces what is there; tags count only at creation).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.naming import Scope
from keyhole.resources.kind import Foreign, find_tagged, missing_tags, removal, tag_dict, tag_list

NAME = "alarm"
DEPENDS_ON = ("topic", "bucket")
FOREIGN = Foreign.REFUSED

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it shall be; `rule` has PutMetricAlarm's members besides name and tags. `why`: when it rings."""

    address: str
    name: str
    arn: str
    rule: Rule
    why: str
    tags: dict[str, str]
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExistingAlarm:
    name: str
    arn: str
    rule: Rule
    tags: dict[str, str]


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the names of the alarms that carry the scope's tags."""
    for arn in find_tagged(aws, scope, "cloudwatch:alarm"):
        yield arn.partition(":alarm:")[2]


def read(aws: Aws, _scope: Scope, name: str) -> ExistingAlarm | None:
    """Give the alarm and its tags."""
    found = aws.call("cloudwatch", "DescribeAlarms", AlarmNames=[name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    if not found:
        return None
    arn = str(found[0]["AlarmArn"])
    tags = tag_dict(aws.call("cloudwatch", "ListTagsForResource", ResourceARN=arn).get("Tags"))
    return ExistingAlarm(name, arn, dict(found[0]), tags)


def calls(want: Alarm | None, have: ExistingAlarm | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`."""
    if want is None:
        if have is not None:
            yield removal("cloudwatch", "DeleteAlarms", {"AlarmNames": [have.name]}, "delete the alarm")
        return
    params: dict[str, Any] = {"AlarmName": want.name, **want.rule}
    if have is None:
        yield Call("cloudwatch", "PutMetricAlarm", {**params, "Tags": tag_list(want.tags)}, why=want.why)
        return
    if lacking := missing_tags(want.tags, have.tags):
        tagging = {"ResourceARN": have.arn, "Tags": tag_list(lacking)}
        yield Call("cloudwatch", "TagResource", tagging, why="tag it as this app's")
    if any(_differs(value, have.rule.get(member)) for member, value in want.rule.items()):
        yield Call("cloudwatch", "PutMetricAlarm", params, why=want.why)


def _differs(want: Any, have: Any) -> bool:
    """Lists of an alarm have no order."""
    if isinstance(want, list) and isinstance(have, list):
        return sorted(map(repr, want)) != sorted(map(repr, have))
    return bool(want != have)
