"""IAM user: its boundary, and exactly the policies that the file gives it: no group, no password, no other policy.

A policy, a group or a password that someone else gave to a user of ours is drift: the plan takes it away. Access keys
are another kind's; they go with the user when it goes.
AWS: IAM User Guide, "Remove or deactivate an IAM user" (what a user must be rid of first).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError
from keyhole.naming import Scope
from keyhole.resources.inline_policy import unwanted_policies
from keyhole.resources.kind import Foreign, missing_tags, removal, tag_dict, tag_list

NAME = "user"
DEPENDS_ON = ("policy",)
FOREIGN = Foreign.REFUSED


@dataclass(frozen=True, slots=True)
class User:
    """A user as it shall be; `inline_policy` and `outgoing_arn` are as with roles."""

    address: str
    name: str
    path: str
    policy_arns: tuple[str, ...]
    tags: dict[str, str]
    boundary_arn: str = ""
    inline_policy: str = ""
    outgoing_arn: str = ""
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExistingUser:
    """`access_keys`: the ids of its keys, active or not."""

    name: str
    path: str
    policy_arns: tuple[str, ...]
    inline_policies: tuple[str, ...]
    groups: tuple[str, ...]
    access_keys: tuple[str, ...]
    has_password: bool
    boundary_arn: str
    tags: dict[str, str]


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the names of the users under the scope's path."""
    for user in aws.pages("iam", "ListUsers", "Users", PathPrefix=scope.iam_path):
        yield user["UserName"]


def read(aws: Aws, _scope: Scope, name: str) -> ExistingUser | None:
    """Give the user with everything that is attached to it."""
    try:
        user = aws.call("iam", "GetUser", UserName=name)["User"]
        attached = list(aws.pages("iam", "ListAttachedUserPolicies", "AttachedPolicies", UserName=name))
        inline = aws.call("iam", "ListUserPolicies", UserName=name)["PolicyNames"]
        groups = list(aws.pages("iam", "ListGroupsForUser", "Groups", UserName=name))
        keys = list(aws.pages("iam", "ListAccessKeys", "AccessKeyMetadata", UserName=name))
        has_password = _has_password(aws, name)
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    return ExistingUser(
        name=name,
        path=user["Path"],
        policy_arns=tuple(sorted(policy["PolicyArn"] for policy in attached)),
        inline_policies=tuple(inline),
        groups=tuple(group["GroupName"] for group in groups),
        access_keys=tuple(key["AccessKeyId"] for key in keys),
        has_password=has_password,
        boundary_arn=user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        tags=tag_dict(user.get("Tags")),
    )


def calls(want: User | None, have: ExistingUser | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`."""
    if want is None:
        if have is not None:
            yield from _delete(have)
        return
    if have is None:
        yield _create(want)
        have = ExistingUser(want.name, want.path, (), (), (), (), False, want.boundary_arn, want.tags)
    user = {"UserName": want.name}
    if lacking := missing_tags(want.tags, have.tags):
        yield Call("iam", "TagUser", {**user, "Tags": tag_list(lacking)}, why="tag it as this app's")
    if want.boundary_arn and want.boundary_arn != have.boundary_arn:
        params = {**user, "PermissionsBoundary": want.boundary_arn}
        yield Call("iam", "PutUserPermissionsBoundary", params, why="set its permissions boundary")
    if have.boundary_arn and not want.boundary_arn:
        yield removal("iam", "DeleteUserPermissionsBoundary", user, "remove its permissions boundary")
    for arn in want.policy_arns:
        if arn not in have.policy_arns:
            yield Call("iam", "AttachUserPolicy", {**user, "PolicyArn": arn}, why=f"attach {arn.rpartition('/')[2]}")
    left = unwanted_policies(want.policy_arns, want.inline_policy, want.outgoing_arn, have)
    yield from _strip(have, *left)


def _has_password(aws: Aws, name: str) -> bool:
    try:
        aws.call("iam", "GetLoginProfile", UserName=name)
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return False
        raise
    return True


def _create(want: User) -> Call:
    params: dict[str, Any] = {"UserName": want.name, "Path": want.path, "Tags": tag_list(want.tags)}
    if want.boundary_arn:
        params["PermissionsBoundary"] = want.boundary_arn
    return Call("iam", "CreateUser", params, why="create the user")


def _strip(have: ExistingUser, policy_arns: tuple[str, ...], inline_policies: tuple[str, ...]) -> Iterator[Call]:
    """Take away every way to more than the file says: these policies, inline ones, groups, a console password."""
    user = {"UserName": have.name}
    for arn in policy_arns:
        params = {**user, "PolicyArn": arn}
        yield removal("iam", "DetachUserPolicy", params, f"detach {arn.rpartition('/')[2]}")
    for name in inline_policies:
        yield removal("iam", "DeleteUserPolicy", {**user, "PolicyName": name}, f"delete inline policy {name}")
    for group in have.groups:
        yield removal("iam", "RemoveUserFromGroup", {**user, "GroupName": group}, f"take it out of group {group}")
    if have.has_password:
        yield removal("iam", "DeleteLoginProfile", user, "delete its password for the console")


def _delete(have: ExistingUser) -> Iterator[Call]:
    user = {"UserName": have.name}
    for key in have.access_keys:
        yield removal("iam", "DeleteAccessKey", {**user, "AccessKeyId": key}, f"delete access key {key}")
    yield from _strip(have, have.policy_arns, have.inline_policies)
    yield removal("iam", "DeleteUser", user, "delete the user")
