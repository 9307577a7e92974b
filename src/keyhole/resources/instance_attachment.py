"""The association of an instance profile with a running EC2 instance: swapped in place, without a restart.

An association carries no tags. It is ours iff the profile in it stands under the scope's IAM path; the instance itself
is never ours and only its profile and its metadata options are touched.
AWS: EC2 API Reference, AssociateIamInstanceProfile; EC2 User Guide, "Use the IMDS" (a container is one hop further).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import KeyholeError, NotOursError
from keyhole.naming import Scope
from keyhole.resources import instance_profile
from keyhole.resources.kind import Foreign, removal

NAME = "instance-attachment"
DEPENDS_ON = ("instance-profile",)
FOREIGN = Foreign.REPLACED
LIVE_STATES = ["pending", "running", "stopping", "stopped"]


@dataclass(frozen=True, slots=True)
class InstanceAttachment:
    """`name` selects the instance: its id, or the value of its Name tag."""

    address: str
    name: str
    profile_arn: str
    region: str
    depends_on: tuple[str, ...] = ()
    hop_limit: int = 2


@dataclass(frozen=True, slots=True)
class ExistingInstanceAttachment:
    """An instance and what is attached to it now. `association_id` and `profile_arn` are empty if nothing is.

    `tags` speak of the association, not of the instance: the scope's own if the profile in it is the scope's.
    """

    name: str
    association_id: str
    profile_arn: str
    tags: dict[str, str]
    hop_limit: int
    tokens_required: bool


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the ids of the instances whose attached profile is the scope's; without such a profile there is none."""
    profiles = aws.pages("iam", "ListInstanceProfiles", "InstanceProfiles", PathPrefix=scope.iam_path)
    if not scope.elsewhere and next(profiles, None) is None:
        return
    associations = aws.pages("ec2", "DescribeIamInstanceProfileAssociations", "IamInstanceProfileAssociations")
    for association in associations:
        is_live = association["State"] in {"associating", "associated"}
        if is_live and _is_ours(aws, association["IamInstanceProfile"]["Arn"], scope):
            yield association["InstanceId"]


def read(aws: Aws, scope: Scope, name: str) -> ExistingInstanceAttachment | None:
    """Give the instance that `name` selects and its association, None if there is no such instance.

    Raises: KeyholeError if the name selects more than one instance.
    """
    instances = find_instances(aws, name)
    if not instances:
        return None
    if len(instances) > 1:
        ids = ", ".join(instance["InstanceId"] for instance in instances)
        raise NotOursError(
            f"{len(instances)} instances are named `{name}` in {scope.region}: {ids}",
            hint="write the id of the one that is meant as `instance` in the spec",
        )
    instance = instances[0]
    association = _association(aws, instance["InstanceId"])
    profile_arn = association["IamInstanceProfile"]["Arn"] if association else ""
    options = instance.get("MetadataOptions", {})
    return ExistingInstanceAttachment(
        name=instance["InstanceId"],
        association_id=association["AssociationId"] if association else "",
        profile_arn=profile_arn,
        tags=scope.tags if not profile_arn or _is_ours(aws, profile_arn, scope) else {},
        hop_limit=int(options.get("HttpPutResponseHopLimit", 1)),
        tokens_required=options.get("HttpTokens") == "required",
    )


def calls(want: InstanceAttachment | None, have: ExistingInstanceAttachment | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`; attaching needs an instance, so `have` says which.

    Raises: KeyholeError if there is no instance to attach to.
    """
    if want is None:
        if have is not None and have.association_id:
            params: dict[str, Any] = {"AssociationId": have.association_id}
            yield removal(
                "ec2", "DisassociateIamInstanceProfile", params, f"detach it from {have.name}; it stays on IMDSv2"
            )
        return
    if have is None:
        raise KeyholeError(
            f"there is no instance `{want.name}` in {want.region} to attach the role to",
            hint="`instance` in the file is an instance id or the value of a Name tag; in a local AWS "
            f"`keyhole local instance {want.name} --region {want.region}` runs one",
        )
    profile = {"Arn": want.profile_arn}
    if not have.association_id:
        params = {"IamInstanceProfile": profile, "InstanceId": have.name}
        yield Call("ec2", "AssociateIamInstanceProfile", params, why=f"attach it to {have.name}")
    elif have.profile_arn != want.profile_arn:
        params = {"IamInstanceProfile": profile, "AssociationId": have.association_id}
        why = f"replace {have.profile_arn.rpartition('/')[2]} on {have.name}"
        yield Call("ec2", "ReplaceIamInstanceProfileAssociation", params, destructive=True, why=why)
    if not have.tokens_required or have.hop_limit < want.hop_limit:
        params = {
            "InstanceId": have.name,
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": max(want.hop_limit, have.hop_limit),
            "HttpEndpoint": "enabled",
        }
        yield Call("ec2", "ModifyInstanceMetadataOptions", params, why="IMDSv2 only, reachable from a container")


def find_instances(aws: Aws, name: str) -> list[dict[str, Any]]:
    """Give the instances with this id or Name tag that are not on their way out. Raises: AwsError."""
    field = "instance-id" if name.startswith("i-") else "tag:Name"
    filters = [{"Name": field, "Values": [name]}, {"Name": "instance-state-name", "Values": LIVE_STATES}]
    reservations = aws.pages("ec2", "DescribeInstances", "Reservations", Filters=filters)
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def _association(aws: Aws, instance_id: str) -> dict[str, Any] | None:
    filters = [
        {"Name": "instance-id", "Values": [instance_id]},
        {"Name": "state", "Values": ["associating", "associated"]},
    ]
    found = aws.pages(
        "ec2", "DescribeIamInstanceProfileAssociations", "IamInstanceProfileAssociations", Filters=filters
    )
    return next(iter(found), None)


def _is_in_scope(profile_arn: str, scope: Scope) -> bool:
    return f":{scope.account}:instance-profile{scope.iam_path}" in profile_arn


def _is_ours(aws: Aws, profile_arn: str, scope: Scope) -> bool:
    """Hold iff the profile stands under the scope's path; at another path its tags say it."""
    if _is_in_scope(profile_arn, scope):
        return True
    name = profile_arn.rpartition("/")[2]
    if not any(kind == "instance-profile" and known == name for kind, known, _ in scope.elsewhere):
        return False
    found = instance_profile.read(aws, scope, name)
    return found is not None and scope.owns(found.tags)
