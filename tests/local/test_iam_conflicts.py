"""What IAM's calls name, what hangs on it, and how much of it there can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gate_errors import refusal

from gate_clients import Aws, allow, document

ANY = document(allow("s3:*", "*"))
TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
S3_FULL = "arn:aws:iam::aws:policy/AmazonS3FullAccess"


def conflict(call: Any, **params: Any) -> str:
    """The sentence with which a deletion is refused."""
    code, message, status = refusal(call, **params)
    assert (code, status) == ("DeleteConflict", 409)
    return message


def test_users_go_without_what_they_have(aws: Aws) -> None:
    """Keys, groups, password, MFA device, attached and inline policies each keep a user, in AWS's sentences."""
    iam = aws.client("iam")
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"]
    iam.create_login_profile(UserName="u", Password="correct horse")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="d")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(UserName="u", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321")
    iam.attach_user_policy(UserName="u", PolicyArn=S3_FULL)
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=ANY)
    steps: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("remove users from group", lambda: iam.remove_user_from_group(GroupName="g", UserName="u")),
        ("delete access keys", lambda: iam.delete_access_key(UserName="u", AccessKeyId=key)),
        ("delete login profile", lambda: iam.delete_login_profile(UserName="u")),
        ("delete MFA device", lambda: iam.deactivate_mfa_device(UserName="u", SerialNumber=serial)),
        ("detach all policies", lambda: iam.detach_user_policy(UserName="u", PolicyArn=S3_FULL)),
        ("delete policies", lambda: iam.delete_user_policy(UserName="u", PolicyName="p")),
    )
    for what, undo in steps:
        assert conflict(iam.delete_user, UserName="u") == f"Cannot delete entity, must {what} first."
        undo()
    iam.delete_user(UserName="u")


def test_roles_and_profiles_go_without_each_other(aws: Aws) -> None:
    """A role in a profile, and one with policies, stay; so does a profile with a role in it."""
    iam = aws.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="r")
    iam.add_role_to_instance_profile(InstanceProfileName="r", RoleName="r")
    in_profile = "Cannot delete entity, must remove roles from instance profile first."
    assert conflict(iam.delete_role, RoleName="r") == in_profile
    assert conflict(iam.delete_instance_profile, InstanceProfileName="r") == in_profile
    iam.create_role(RoleName="s", AssumeRolePolicyDocument=TRUST)
    code, message, _ = refusal(iam.add_role_to_instance_profile, InstanceProfileName="r", RoleName="s")
    assert (code, message) == ("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    assert refusal(iam.remove_role_from_instance_profile, InstanceProfileName="r", RoleName="s")[0] == "NoSuchEntity"
    iam.remove_role_from_instance_profile(InstanceProfileName="r", RoleName="r")
    iam.delete_instance_profile(InstanceProfileName="r")
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=ANY)
    assert conflict(iam.delete_role, RoleName="r") == "Cannot delete entity, must delete policies first."
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    iam.delete_role(RoleName="r")


def test_groups_go_without_users_and_policies(aws: Aws) -> None:
    """A group with a user or a policy stays."""
    iam = aws.client("iam")
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="u")
    assert conflict(iam.delete_group, GroupName="g") == "Cannot delete entity, must remove users from group first."
    iam.remove_user_from_group(GroupName="g", UserName="u")
    iam.attach_group_policy(GroupName="g", PolicyArn=S3_FULL)
    assert conflict(iam.delete_group, GroupName="g") == "Cannot delete entity, must detach all policies first."
    iam.detach_group_policy(GroupName="g", PolicyArn=S3_FULL)
    iam.delete_group(GroupName="g")


def test_policies_go_unused_and_with_one_version(aws: Aws) -> None:
    """A policy that is attached, is a boundary, or has versions, stays; so does a default version."""
    iam = aws.client("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=ANY)["Policy"]["Arn"]
    iam.create_user(UserName="u", PermissionsBoundary=arn)
    assert conflict(iam.delete_policy, PolicyArn=arn) == "Cannot delete a policy attached to entities."
    iam.delete_user_permissions_boundary(UserName="u")
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=ANY, SetAsDefault=True)
    assert refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=ANY)[:2] == (
        "LimitExceeded",
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
        "version.",
    )
    default = conflict(iam.delete_policy_version, PolicyArn=arn, VersionId="v5")
    assert default == "Cannot delete the default version of a policy."
    assert conflict(iam.delete_policy, PolicyArn=arn).startswith("This policy has more than one version.")
    assert refusal(iam.set_default_policy_version, PolicyArn=arn, VersionId="v9")[:2] == (
        "NoSuchEntity",
        f"Policy {arn} version v9 does not exist or is not attachable.",
    )
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["IsDefaultVersion"]
    for version in ("v1", "v3", "v4", "v5"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    iam.delete_policy(PolicyArn=arn)


def test_names_are_taken_in_any_case(aws: Aws) -> None:
    """Users, roles, groups, profiles and policies are unique in an account, whatever the case and path."""
    iam = aws.client("iam")
    iam.create_user(UserName="bob")
    iam.create_user(UserName="eve")
    iam.create_role(RoleName="bob", AssumeRolePolicyDocument=TRUST)
    iam.create_group(GroupName="bob")
    iam.create_instance_profile(InstanceProfileName="bob")
    iam.create_policy(PolicyName="bob", PolicyDocument=ANY)
    cases: tuple[tuple[Any, dict[str, str], str], ...] = (
        (iam.create_user, {"UserName": "Bob"}, "User with name Bob already exists."),
        (iam.update_user, {"UserName": "eve", "NewUserName": "BOB"}, "User with name BOB already exists."),
        (
            iam.create_role,
            {"RoleName": "Bob", "AssumeRolePolicyDocument": TRUST},
            "Role with name Bob already exists.",
        ),
        (iam.create_group, {"GroupName": "BOB"}, "Group with name BOB already exists."),
        (
            iam.create_instance_profile,
            {"InstanceProfileName": "Bob"},
            "Instance Profile Bob already exists.",
        ),
        (
            iam.create_policy,
            {"PolicyName": "Bob", "Path": "/x/", "PolicyDocument": ANY},
            "A policy called Bob already exists. Duplicate names are not allowed.",
        ),
    )
    for call, params, sentence in cases:
        assert refusal(call, **params) == ("EntityAlreadyExists", sentence, 409)


def test_what_is_not_there_is_said_in_awss_sentences(aws: Aws) -> None:
    """Users, roles, groups, profiles, policies, versions and inline policies each have their NoSuchEntity."""
    iam = aws.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    missing = "arn:aws:iam::123456789012:policy/none"
    cases: tuple[tuple[Any, dict[str, str], str], ...] = (
        (iam.get_user, {"UserName": "x"}, "The user with name x cannot be found."),
        (iam.delete_role, {"RoleName": "x"}, "The role with name x cannot be found."),
        (iam.get_group, {"GroupName": "x"}, "The group with name x cannot be found."),
        (iam.get_instance_profile, {"InstanceProfileName": "x"}, "Instance Profile x cannot be found."),
        (iam.get_policy, {"PolicyArn": missing}, f"Policy {missing} was not found."),
        (
            iam.attach_role_policy,
            {"RoleName": "r", "PolicyArn": missing},
            f"Policy {missing} does not exist or is not attachable.",
        ),
        (iam.detach_role_policy, {"RoleName": "r", "PolicyArn": S3_FULL}, f"Policy {S3_FULL} was not found."),
        (
            iam.get_role_policy,
            {"RoleName": "r", "PolicyName": "p"},
            "The role policy with name p cannot be found.",
        ),
    )
    for call, params, sentence in cases:
        assert refusal(call, **params) == ("NoSuchEntity", sentence, 404)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        (
            {"UserName": "a b"},
            "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the "
            "following: +=,.@_-",
        ),
        (
            {"UserName": "a", "Path": "x"},
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "
            "characters and/or / characters.",
        ),
        (
            {"UserName": "a" * 65},
            f"1 validation error detected: Value '{'a' * 65}' at 'userName' failed to satisfy constraint: Member must "
            "have length less than or equal to 64",
        ),
    ],
)
def test_names_and_paths_have_a_form(aws: Aws, params: dict[str, str], sentence: str) -> None:
    """IAM speaks of names and paths in words of its own, of lengths as every service does."""
    assert refusal(aws.client("iam").create_user, **params) == ("ValidationError", sentence, 400)


def test_sessions_last_twelve_hours_at_most(aws: Aws) -> None:
    """MaxSessionDuration has a most; UpdateRole leaves the description that it is not given."""
    iam = aws.client("iam")
    code, message, _ = refusal(iam.create_role, RoleName="r", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=43201)
    assert (code, "'maxSessionDuration'" in message) == ("ValidationError", True)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Description="mine")
    iam.update_role(RoleName="r", MaxSessionDuration=43200)
    role = iam.get_role(RoleName="r")["Role"]
    assert (role["MaxSessionDuration"], role["Description"]) == (43200, "mine")


def test_entities_have_quotas(aws: Aws) -> None:
    """Two keys and ten groups a user, ten policies each, fifty tags; what is there already counts once."""
    iam = aws.client("iam")
    iam.create_user(UserName="u")
    arns = [iam.create_policy(PolicyName=f"p{n}", PolicyDocument=ANY)["Policy"]["Arn"] for n in range(11)]
    for number in range(10):
        iam.attach_user_policy(UserName="u", PolicyArn=arns[number])
        iam.create_group(GroupName=f"g{number}")
        iam.add_user_to_group(GroupName=f"g{number}", UserName="u")
    iam.create_group(GroupName="g10")
    iam.attach_user_policy(UserName="u", PolicyArn=arns[0])
    for _ in range(2):
        iam.create_access_key(UserName="u")
    iam.tag_user(UserName="u", Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    cases: tuple[tuple[Any, dict[str, Any], str], ...] = (
        (iam.attach_user_policy, {"PolicyArn": arns[10]}, "Cannot exceed quota for PoliciesPerUser: 10"),
        (iam.add_user_to_group, {"GroupName": "g10"}, "Cannot exceed quota for GroupsPerUser: 10"),
        (iam.create_access_key, {}, "Cannot exceed quota for AccessKeysPerUser: 2"),
        (iam.tag_user, {"Tags": [{"Key": "more", "Value": ""}]}, "The number of tags has reached the maximum limit."),
    )
    for call, params, sentence in cases:
        assert refusal(call, UserName="u", **params) == ("LimitExceeded", sentence, 409)
