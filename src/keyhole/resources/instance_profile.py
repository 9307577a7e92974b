"""IAM instance profile: what carries a role onto an EC2 instance; it holds one role at most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError
from keyhole.naming import Scope
from keyhole.resources.kind import Foreign, missing_tags, removal, tag_dict, tag_list

NAME = "instance-profile"
DEPENDS_ON = ("role",)
FOREIGN = Foreign.REFUSED


@dataclass(frozen=True, slots=True)
class InstanceProfile:
    """A profile as it shall be."""

    address: str
    name: str
    path: str
    role_name: str
    tags: dict[str, str]
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExistingInstanceProfile:
    """`role_name` is empty while the profile holds no role."""

    name: str
    path: str
    role_name: str
    tags: dict[str, str]


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the names of the profiles under the scope's path."""
    for profile in aws.pages("iam", "ListInstanceProfiles", "InstanceProfiles", PathPrefix=scope.iam_path):
        yield profile["InstanceProfileName"]


def read(aws: Aws, _scope: Scope, name: str) -> ExistingInstanceProfile | None:
    """Give the profile and the role in it."""
    try:
        profile = aws.call("iam", "GetInstanceProfile", InstanceProfileName=name)["InstanceProfile"]
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    roles = profile.get("Roles", [])
    return ExistingInstanceProfile(
        name=name,
        path=profile["Path"],
        role_name=roles[0]["RoleName"] if roles else "",
        tags=tag_dict(profile.get("Tags")),
    )


def calls(want: InstanceProfile | None, have: ExistingInstanceProfile | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`."""
    if want is None:
        if have is not None:
            profile = {"InstanceProfileName": have.name}
            if have.role_name:
                yield _remove_role(have)
            yield removal("iam", "DeleteInstanceProfile", profile, "delete the instance profile")
        return
    profile = {"InstanceProfileName": want.name}
    if have is None:
        params = {**profile, "Path": want.path, "Tags": tag_list(want.tags)}
        yield Call("iam", "CreateInstanceProfile", params, why="create the instance profile")
        have = ExistingInstanceProfile(want.name, want.path, "", want.tags)
    if lacking := missing_tags(want.tags, have.tags):
        yield Call("iam", "TagInstanceProfile", {**profile, "Tags": tag_list(lacking)}, why="tag it as this app's")
    if have.role_name and have.role_name != want.role_name:
        yield _remove_role(have)
    if have.role_name != want.role_name:
        params = {**profile, "RoleName": want.role_name}
        yield Call("iam", "AddRoleToInstanceProfile", params, why=f"put role {want.role_name} in it")


def _remove_role(have: ExistingInstanceProfile) -> Call:
    params = {"InstanceProfileName": have.name, "RoleName": have.role_name}
    return removal("iam", "RemoveRoleFromInstanceProfile", params, f"take role {have.role_name} out of it")
