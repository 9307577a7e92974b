"""CloudTrail trail of every region, with digests that show tampering, and logging on.

A trail that someone stopped is drift: the plan starts it again.
AWS: AWS CloudTrail API Reference, CreateTrail, StartLogging; AWS CloudTrail User Guide, "Creating a trail".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError
from keyhole.naming import Scope
from keyhole.resources.kind import Foreign, missing_tags, removal, tag_dict, tag_list

NAME = "trail"
DEPENDS_ON = ("bucket",)
FOREIGN = Foreign.REFUSED
TAG_BATCH = 20  # AWS: AWS CloudTrail API Reference, ListTags


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail as it shall be."""

    address: str
    arn: str
    bucket: str
    tags: dict[str, str]
    depends_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.arn


@dataclass(frozen=True, slots=True)
class ExistingTrail:
    arn: str
    bucket: str
    is_complete: bool
    """Hold iff it logs every region and the global services, and writes digests."""
    is_logging: bool
    tags: dict[str, str]

    @property
    def name(self) -> str:
        return self.arn


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the ARNs of the trails at home in the scope's region that carry its tags."""
    arns = [
        trail["TrailARN"]
        for trail in aws.pages("cloudtrail", "ListTrails", "Trails")
        if trail["HomeRegion"] == aws.region
    ]
    for start in range(0, len(arns), TAG_BATCH):
        batch = arns[start : start + TAG_BATCH]
        for found in aws.pages("cloudtrail", "ListTags", "ResourceTagList", ResourceIdList=batch):
            if scope.owns(tag_dict(found.get("TagsList"))):
                yield str(found["ResourceId"])


def read(aws: Aws, _scope: Scope, name: str) -> ExistingTrail | None:
    """Give the trail of this ARN, and whether it logs."""
    try:
        trail = aws.call("cloudtrail", "GetTrail", Name=name)["Trail"]
        status = aws.call("cloudtrail", "GetTrailStatus", Name=name)
        tags = list(aws.pages("cloudtrail", "ListTags", "ResourceTagList", ResourceIdList=[name]))
    except AwsError as error:
        if error.code in {"TrailNotFoundException", "ResourceNotFoundException"}:
            return None
        raise
    return ExistingTrail(
        arn=name,
        bucket=str(trail["S3BucketName"]),
        is_complete=all(trail.get(member) for member in _COMPLETE_READ),
        is_logging=bool(status["IsLogging"]),
        tags=tag_dict(tags[0].get("TagsList")) if tags else {},
    )


_COMPLETE = {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True, "EnableLogFileValidation": True}
_COMPLETE_READ = ("IsMultiRegionTrail", "IncludeGlobalServiceEvents", "LogFileValidationEnabled")


def calls(want: Trail | None, have: ExistingTrail | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`."""
    if want is None:
        if have is not None:
            name = have.arn.rpartition("/")[2]
            yield removal("cloudtrail", "DeleteTrail", {"Name": name}, "delete the trail; its log files stay")
        return
    params: dict[str, Any] = {"Name": want.arn.rpartition("/")[2], "S3BucketName": want.bucket, **_COMPLETE}
    if have is None:
        yield Call("cloudtrail", "CreateTrail", {**params, "TagsList": tag_list(want.tags)}, why="create the trail")
        have = ExistingTrail(want.arn, want.bucket, True, False, want.tags)
    if lacking := missing_tags(want.tags, have.tags):
        tagging = {"ResourceId": want.arn, "TagsList": tag_list(lacking)}
        yield Call("cloudtrail", "AddTags", tagging, why="tag it as this app's")
    if have.bucket != want.bucket or not have.is_complete:
        yield Call("cloudtrail", "UpdateTrail", params, why=f"log every region into {want.bucket}")
    if not have.is_logging:
        yield Call("cloudtrail", "StartLogging", {"Name": want.arn}, why="start logging")
