"""IAM: operation → action; the resource is the user, role, policy, group or instance profile that it names.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management".
"""

from __future__ import annotations

from collections.abc import Mapping

from keyhole.local.actions.row import ContextOf, Need, Place, ResourcesOf, Row, every
from keyhole.local.call import ApiCall


def _new(kind: str, member: str) -> ResourcesOf:
    """Something that the call creates, under the path that it gives."""

    def resources(call: ApiCall, place: Place) -> tuple[str, ...]:
        path = call.params.get("Path") or "/"
        return (f"arn:aws:iam::{place.account}:{kind}{path}{call.params.get(member, '')}",)

    return resources


def user(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The user that the call names; one that names none means the caller."""
    name = str(call.params.get("UserName") or place.user_name)
    found = place.backend.find_user(place.account, name)
    return (found.arn if found else f"arn:aws:iam::{place.account}:user/{name}",)


def role(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The role that the call names."""
    name = str(call.params.get("RoleName", ""))
    found = place.backend.find_role(place.account, name)
    return (found.arn if found else f"arn:aws:iam::{place.account}:role/{name}",)


def profile(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The instance profile that the call names."""
    name = str(call.params.get("InstanceProfileName", ""))
    found = place.backend.find_profile(place.account, name)
    return (found.arn if found else f"arn:aws:iam::{place.account}:instance-profile/{name}",)


def group(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The group that the call names."""
    name = str(call.params.get("GroupName", ""))
    return (place.backend.group_arn(place.account, name) or f"arn:aws:iam::{place.account}:group/{name}",)


def _renamed(resource: ResourcesOf, member: str) -> ResourcesOf:
    """What the user or group will be.

    AWS: IAM API Reference, UpdateUser and UpdateGroup: one must have the permission on both names.
    """

    def resources(call: ApiCall, place: Place) -> tuple[str, ...]:
        if not (call.params.get(member) or call.params.get("NewPath")):
            return ()
        prefix, _, name = resource(call, place)[0].rpartition("/")
        if path := call.params.get("NewPath"):
            prefix = f"{prefix.partition('/')[0]}{path}".removesuffix("/")
        return (f"{prefix}/{call.params.get(member) or name}",)

    return resources


def _key_holder(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The user whose access key the call names."""
    key = place.backend.find_access_key(str(call.params.get("AccessKeyId", "")))
    if key is None or key.account != place.account:
        return (f"arn:aws:iam::{place.account}:user/*",)
    found = place.backend.find_user(key.account, key.user_name)
    return (found.arn if found else f"arn:aws:iam::{place.account}:user/*",)


def policy(call: ApiCall, _place: Place) -> tuple[str, ...]:
    """The managed policy that the call names by its ARN."""
    return (str(call.params.get("PolicyArn", "")),)


def _account_wide(kind: str) -> ResourcesOf:
    return lambda _call, place: (f"arn:aws:iam::{place.account}:{kind}/",)


def _policy_arn(call: ApiCall, _place: Place) -> Mapping[str, str]:
    return {"iam:PolicyARN": str(call.params.get("PolicyArn", ""))}


def _boundary(call: ApiCall, _place: Place) -> Mapping[str, str]:
    arn = call.params.get("PermissionsBoundary")
    return {"iam:PermissionsBoundary": str(arn)} if arn else {}


def _existing_boundary(call: ApiCall, place: Place) -> Mapping[str, str]:
    """The boundary that the user or role has already: conditions on it keep people from shedding it."""
    params = call.params
    holder = (
        place.backend.find_role(place.account, str(params["RoleName"]))
        if "RoleName" in params
        else place.backend.find_user(place.account, str(params.get("UserName") or place.user_name))
    )
    return {"iam:PermissionsBoundary": holder.boundary.name} if holder and holder.boundary else {}


def _attachment(call: ApiCall, place: Place) -> Mapping[str, str]:
    return {**_existing_boundary(call, place), **_policy_arn(call, place)}


def _passed_role_to_ec2(call: ApiCall, place: Place) -> Mapping[str, str]:
    arns = profile(call, place)
    return {"iam:PassedToService": "ec2.amazonaws.com", "iam:AssociatedResourceArn": arns[0]}


def _rows(resource: ResourcesOf, *operations: str, context: ContextOf | None = None) -> dict[str, Row]:
    return {name: (Need(f"iam:{name}", resource, context=context),) for name in operations}


def _create(kind: str, member: str, operation: str, tag_action: str) -> Row:
    resource = _new(kind, member)
    return (Need(f"iam:{operation}", resource, context=_boundary), Need(tag_action, resource, ("Tags",)))


_ROLES: dict[str, Row] = {
    "CreateRole": _create("role", "RoleName", "CreateRole", "iam:TagRole"),
    **_rows(
        role,
        *("GetRole", "DeleteRole", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy", "GetRolePolicy"),
        *("ListRolePolicies", "ListAttachedRolePolicies", "ListRoleTags", "TagRole", "UntagRole"),
        "ListInstanceProfilesForRole",
    ),
    **_rows(role, "PutRolePolicy", "DeleteRolePolicy", "DeleteRolePermissionsBoundary", context=_existing_boundary),
    **_rows(role, "PutRolePermissionsBoundary", context=_boundary),
    **_rows(role, "AttachRolePolicy", "DetachRolePolicy", context=_attachment),
    **_rows(_account_wide("role"), "ListRoles"),
}

_USERS: dict[str, Row] = {
    "CreateUser": _create("user", "UserName", "CreateUser", "iam:TagUser"),
    **_rows(
        user,
        *("GetUser", "DeleteUser", "GetUserPolicy", "ListUserPolicies", "ListAttachedUserPolicies"),
        *("ListUserTags", "TagUser", "UntagUser", "CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey"),
        *("ListAccessKeys", "ListGroupsForUser", "ListMFADevices", "CreateLoginProfile"),
        *("GetLoginProfile", "DeleteLoginProfile", "UpdateLoginProfile", "ListSSHPublicKeys"),
        *("ListSigningCertificates", "ListServiceSpecificCredentials"),
    ),
    **_rows(user, "PutUserPolicy", "DeleteUserPolicy", "DeleteUserPermissionsBoundary", context=_existing_boundary),
    **_rows(user, "PutUserPermissionsBoundary", context=_boundary),
    **_rows(user, "AttachUserPolicy", "DetachUserPolicy", context=_attachment),
    "UpdateUser": (Need("iam:UpdateUser", user), Need("iam:UpdateUser", _renamed(user, "NewUserName"))),
    "GetAccessKeyLastUsed": every("iam:GetAccessKeyLastUsed", _key_holder),
    **_rows(_account_wide("user"), "ListUsers"),
}

_GROUPS: dict[str, Row] = {
    "CreateGroup": every("iam:CreateGroup", _new("group", "GroupName")),
    **_rows(
        group,
        *("GetGroup", "DeleteGroup", "PutGroupPolicy", "GetGroupPolicy", "DeleteGroupPolicy"),
        *("ListGroupPolicies", "ListAttachedGroupPolicies", "AddUserToGroup", "RemoveUserFromGroup"),
    ),
    **_rows(group, "AttachGroupPolicy", "DetachGroupPolicy", context=_policy_arn),
    "UpdateGroup": (Need("iam:UpdateGroup", group), Need("iam:UpdateGroup", _renamed(group, "NewGroupName"))),
    **_rows(_account_wide("group"), "ListGroups"),
}

_POLICIES: dict[str, Row] = {
    "CreatePolicy": _create("policy", "PolicyName", "CreatePolicy", "iam:TagPolicy"),
    **_rows(
        policy,
        *("GetPolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion", "GetPolicyVersion"),
        *("ListPolicyVersions", "SetDefaultPolicyVersion", "ListEntitiesForPolicy", "ListPolicyTags"),
        *("TagPolicy", "UntagPolicy"),
    ),
    **_rows(_account_wide("policy"), "ListPolicies"),
}

_PROFILES: dict[str, Row] = {
    "CreateInstanceProfile": _create(
        "instance-profile", "InstanceProfileName", "CreateInstanceProfile", "iam:TagInstanceProfile"
    ),
    **_rows(
        profile,
        *("GetInstanceProfile", "DeleteInstanceProfile", "RemoveRoleFromInstanceProfile"),
        *("ListInstanceProfileTags", "TagInstanceProfile", "UntagInstanceProfile"),
    ),
    "AddRoleToInstanceProfile": (
        Need("iam:AddRoleToInstanceProfile", profile),
        Need("iam:PassRole", role, context=_passed_role_to_ec2),
    ),
    **_rows(_account_wide("instance-profile"), "ListInstanceProfiles"),
}

ROWS: dict[str, Row] = {
    **_ROLES,
    **_USERS,
    **_GROUPS,
    **_POLICIES,
    **_PROFILES,
    "GetAccountSummary": every("iam:GetAccountSummary"),
    "ListAccountAliases": every("iam:ListAccountAliases"),
    "GetAccountAuthorizationDetails": every("iam:GetAccountAuthorizationDetails"),
}
