from dataclasses import replace

from keyhole.aws import Call
from keyhole.naming import Scope
from keyhole.resources import user
from keyhole.resources.user import ExistingUser, User

SCOPE = Scope("shop", "default", "111122223333", "eu-west-1")
POLICY = "arn:aws:iam::111122223333:policy/keyhole/shop/default/shop-web"
WANT = User("user.web", "shop-web", SCOPE.iam_path, (POLICY,), SCOPE.tags)
HAVE = ExistingUser("shop-web", SCOPE.iam_path, (POLICY,), (), (), ("AKIA1",), False, "", SCOPE.tags)


def operations(want: User | None, have: ExistingUser | None) -> list[str]:
    return [call.operation for call in user.calls(want, have)]


def test_a_user_comes_with_its_path_and_its_tags() -> None:
    """A crash right after the creation leaves a user that is known to be ours."""
    first = next(user.calls(WANT, None))
    assert first.params["Path"] == "/keyhole/shop/default/"
    assert {"Key": "keyhole:app", "Value": "shop"} in first.params["Tags"]
    assert operations(WANT, None) == ["CreateUser", "AttachUserPolicy"]


def test_a_user_as_it_shall_be_needs_nothing() -> None:
    """Its access keys are no concern of the user's: they stay."""
    assert operations(WANT, HAVE) == []


def test_every_other_way_to_more_is_taken_away() -> None:
    """A policy, a group and a password that someone else gave it are drift, marked as what they are."""
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    drifted = replace(
        HAVE, policy_arns=(POLICY, admin), inline_policies=("more",), groups=("admins",), has_password=True
    )
    found = list(user.calls(WANT, drifted))
    assert [call.operation for call in found] == [
        "DetachUserPolicy",
        "DeleteUserPolicy",
        "RemoveUserFromGroup",
        "DeleteLoginProfile",
    ]
    assert all(call.destructive for call in found)


def test_a_boundary_is_set_and_removed() -> None:
    """The boundary of the file is on the user from its creation on; one that is not in the file goes."""
    bound = replace(WANT, boundary_arn=POLICY)
    assert next(user.calls(bound, None)).params["PermissionsBoundary"] == POLICY
    assert operations(bound, HAVE) == ["PutUserPermissionsBoundary"]
    assert operations(WANT, replace(HAVE, boundary_arn=POLICY)) == ["DeleteUserPermissionsBoundary"]


def test_a_user_goes_with_its_keys() -> None:
    """IAM deletes no user that has keys, policies, groups or a password: they go first, the keys before all."""
    full = replace(HAVE, access_keys=("AKIA1", "AKIA2"), inline_policies=("x",), groups=("g",), has_password=True)
    found: list[Call] = list(user.calls(None, full))
    assert [call.operation for call in found] == [
        "DeleteAccessKey",
        "DeleteAccessKey",
        "DetachUserPolicy",
        "DeleteUserPolicy",
        "RemoveUserFromGroup",
        "DeleteLoginProfile",
        "DeleteUser",
    ]
