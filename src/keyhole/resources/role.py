"""IAM role: its trust policy, boundary, and exactly the policies that the file gives it.

A policy that someone else attached to a role of ours is drift: the plan detaches it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError
from keyhole.iam.text import same_document, write_document
from keyhole.naming import Scope
from keyhole.resources.inline_policy import unwanted_policies
from keyhole.resources.kind import Foreign, missing_tags, removal, tag_dict, tag_list

NAME = "role"
DEPENDS_ON = ("policy", "oidc-provider")
FOREIGN = Foreign.REFUSED


@dataclass(frozen=True, slots=True)
class Role:
    """A role as it shall be.

    `inline_policy` is the name of the one inline policy that it has, "" for none; `outgoing_arn` the managed policy
    that it may have had in its place: that one stays until the inline policy is there, and is detached as it goes.
    """

    address: str
    name: str
    path: str
    trust: dict[str, Any]
    policy_arns: tuple[str, ...]
    tags: dict[str, str]
    description: str = ""
    boundary_arn: str = ""
    inline_policy: str = ""
    outgoing_arn: str = ""
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExistingRole:
    name: str
    path: str
    trust: dict[str, Any]
    policy_arns: tuple[str, ...]
    inline_policies: tuple[str, ...]
    boundary_arn: str
    tags: dict[str, str]


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the names of the roles under the scope's path."""
    for role in aws.pages("iam", "ListRoles", "Roles", PathPrefix=scope.iam_path):
        yield role["RoleName"]


def read(aws: Aws, _scope: Scope, name: str) -> ExistingRole | None:
    """Give the role with everything that is attached to it."""
    try:
        role = aws.call("iam", "GetRole", RoleName=name)["Role"]
        attached = list(aws.pages("iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName=name))
        inline = aws.call("iam", "ListRolePolicies", RoleName=name)["PolicyNames"]
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    return ExistingRole(
        name=name,
        path=role["Path"],
        trust=dict(role["AssumeRolePolicyDocument"]),
        policy_arns=tuple(sorted(policy["PolicyArn"] for policy in attached)),
        inline_policies=tuple(inline),
        boundary_arn=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        tags=tag_dict(role.get("Tags")),
    )


def calls(want: Role | None, have: ExistingRole | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`."""
    if want is None:
        if have is not None:
            yield from _detach(have, have.policy_arns, have.inline_policies)
            yield removal("iam", "DeleteRole", {"RoleName": have.name}, "delete the role")
        return
    if have is None:
        yield _create(want)
        have = ExistingRole(want.name, want.path, want.trust, (), (), want.boundary_arn, want.tags)
    role = {"RoleName": want.name}
    if lacking := missing_tags(want.tags, have.tags):
        yield Call("iam", "TagRole", {**role, "Tags": tag_list(lacking)}, why="tag it as this app's")
    if not same_document(want.trust, have.trust):
        params = {**role, "PolicyDocument": write_document(want.trust)}
        yield Call("iam", "UpdateAssumeRolePolicy", params, why="set who may assume it")
    if want.boundary_arn and want.boundary_arn != have.boundary_arn:
        params = {**role, "PermissionsBoundary": want.boundary_arn}
        yield Call("iam", "PutRolePermissionsBoundary", params, why="set its permissions boundary")
    if have.boundary_arn and not want.boundary_arn:
        yield removal("iam", "DeleteRolePermissionsBoundary", role, "remove its permissions boundary")
    for arn in want.policy_arns:
        if arn not in have.policy_arns:
            yield Call("iam", "AttachRolePolicy", {**role, "PolicyArn": arn}, why=f"attach {arn.rpartition('/')[2]}")
    left = unwanted_policies(want.policy_arns, want.inline_policy, want.outgoing_arn, have)
    yield from _detach(have, *left)


def _create(want: Role) -> Call:
    params: dict[str, Any] = {
        "RoleName": want.name,
        "Path": want.path,
        "AssumeRolePolicyDocument": write_document(want.trust),
        "Description": want.description,
        "Tags": tag_list(want.tags),
    }
    if want.boundary_arn:
        params["PermissionsBoundary"] = want.boundary_arn
    return Call("iam", "CreateRole", params, why="create the role")


def _detach(have: ExistingRole, policy_arns: tuple[str, ...], inline_policies: tuple[str, ...]) -> Iterator[Call]:
    role = {"RoleName": have.name}
    for arn in policy_arns:
        why = f"detach {arn.rpartition('/')[2]}"
        yield Call("iam", "DetachRolePolicy", {**role, "PolicyArn": arn}, destructive=True, why=why)
    for name in inline_policies:
        params = {**role, "PolicyName": name}
        yield removal("iam", "DeleteRolePolicy", params, f"delete inline policy {name}")
