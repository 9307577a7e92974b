"""Paths to more that are no grant: denies that end, tags and roles that change, and what already runs."""

from __future__ import annotations

from typing import Any

import pytest
from access_accounts import (
    ACCOUNT,
    account,
    allow,
    attached,
    deny,
    group,
    managed,
    policy,
    role,
    role_arn,
    user,
    user_arn,
)
from escalation_looks import BLUE, ME, NO_DELETING, RED, SOME, WEB, actions, inline, look

from keyhole.iam.access.escalation import find_escalation
from keyhole.iam.symbolic.question import Verdict


@pytest.mark.parametrize(
    ("right", "action"),
    [
        (allow("iam:PutUserPolicy", ME), "iam:PutUserPolicy"),
        (allow("iam:DeleteUserPolicy", ME), "iam:DeleteUserPolicy"),
        (allow("iam:DeleteUserPolicy", user_arn("other")), ""),
    ],
)
def test_an_inline_policy_that_denies_may_be_written_anew_or_deleted(right: dict[str, Any], action: str) -> None:
    """It has everything but what is denied: to get at that is to have more."""
    mine = user("me", UserPolicyList=inline(own=allow("s3:*"), right=right, limits=NO_DELETING))
    found = look(mine)
    assert actions(found) == ([action] if action else [])
    assert found.verdict is (Verdict.FAILS if action else Verdict.HOLDS)


@pytest.mark.parametrize(
    ("right", "action"),
    [
        (allow("iam:DetachUserPolicy", ME), "iam:DetachUserPolicy"),
        (allow("iam:CreatePolicyVersion"), "iam:CreatePolicyVersion"),
        (
            allow("iam:DetachUserPolicy", ME, Condition={"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/x"}}),
            "",
        ),
        (allow("iam:DetachUserPolicy", ME, Condition={"Null": {"iam:PermissionsBoundary": "false"}}), ""),
    ],
)
def test_a_managed_policy_that_denies_may_be_detached_or_written_anew(right: dict[str, Any], action: str) -> None:
    """As far as the conditions let it detach this very one, of this very user."""
    mine = user("me", allow("s3:*"), right, AttachedManagedPolicies=attached("limits"))
    found = look(mine, policies=[managed("limits", NO_DELETING)])
    assert actions(found) == ([action] if action else [])
    assert found.verdict is (Verdict.FAILS if action else Verdict.HOLDS)


@pytest.mark.parametrize(
    ("right", "action"),
    [
        ("iam:RemoveUserFromGroup", "iam:RemoveUserFromGroup"),
        ("iam:PutGroupPolicy", "iam:PutGroupPolicy"),
        ("iam:DeleteGroupPolicy", "iam:DeleteGroupPolicy"),
        ("iam:DetachGroupPolicy", ""),
        ("iam:DetachUserPolicy", ""),
        ("iam:DeleteUserPolicy", ""),
    ],
)
def test_a_groups_denies_end_with_the_group_or_its_policy(right: str, action: str) -> None:
    """What is the group's is not the user's own."""
    limited = group("limited", NO_DELETING)
    found = look(
        user("me", allow("s3:*"), allow(right), GroupList=["limited", "other"]),
        groups=[limited, group("other", allow("s3:ListBucket"))],
    )
    assert actions(found) == ([action] if action else [])


def test_a_policy_that_stands_in_two_places_is_still_there_when_it_is_detached_from_one() -> None:
    """Written anew it is so everywhere."""
    limits = managed("limits", NO_DELETING)
    limited = {**group("limited", allow("s3:ListBucket")), "AttachedManagedPolicies": attached("limits")}
    for right, expected in (
        (["iam:DetachUserPolicy", "iam:DetachGroupPolicy"], []),
        ("iam:CreatePolicyVersion", ["iam:CreatePolicyVersion"]),
    ):
        own = allow(right, ["arn:aws:iam::*:user/me", "arn:aws:iam::*:group/limited", "arn:aws:iam::*:policy/*"])
        mine = user("me", allow("s3:*"), own, GroupList=["limited"], AttachedManagedPolicies=attached("limits"))
        assert actions(look(mine, groups=[limited], policies=[limits])) == expected
    alone = user("me", allow("s3:*"), allow("iam:DetachGroupPolicy"), GroupList=["limited"])
    assert actions(look(alone, groups=[limited], policies=[limits])) == ["iam:DetachGroupPolicy"]


def test_denies_of_others_are_taken_away_too() -> None:
    """Of a role that it can become; one that allows something as well takes that along."""
    mixed = {"PolicyName": "mixed", "PolicyDocument": policy(allow("s3:*"), NO_DELETING)}
    other = {"PolicyName": "other", "PolicyDocument": policy(allow("s3:DeleteObject", "arn:aws:s3:::b/*"))}
    mine = user("me", allow("sts:AssumeRole"), allow("s3:Get*"), allow("iam:DeleteRolePolicy", WEB))
    web = role("web", {"AWS": ACCOUNT}, RolePolicyList=[mixed, other])
    started = user("me", allow("sts:AssumeRole"), allow("iam:DeleteRolePolicy", WEB), allow("s3:*"), NO_DELETING)
    assert actions(look(mine, web)) == ["sts:AssumeRole"]
    assert actions(look(started, web)) == ["sts:AssumeRole", "iam:DeleteRolePolicy"]
    harmless = role("web", {"AWS": ACCOUNT}, RolePolicyList=[mixed])
    assert look(started, harmless).verdict is Verdict.HOLDS
    rewriting = user("me", allow("sts:AssumeRole"), allow("iam:PutRolePolicy", WEB), allow("s3:*"), NO_DELETING)
    assert look(rewriting, harmless).verdict is Verdict.FAILS


def test_a_deny_that_is_gone_is_no_gain_where_nothing_was_kept_out() -> None:
    """It denies what is not allowed anyway."""
    right = allow("iam:DeleteUserPolicy", ME)
    mine = user("me", UserPolicyList=inline(own=allow("s3:Get*"), right=right, limits=NO_DELETING))
    assert look(mine).verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("statements", "trust", "verdict"),
    [
        ([allow("iam:TagUser"), allow("s3:GetObject", Condition=RED)], None, Verdict.UNKNOWN),
        ([allow("iam:UntagUser"), allow("s3:GetObject"), deny("s3:*", Condition=BLUE)], None, Verdict.UNKNOWN),
        ([allow("iam:TagUser"), allow("s3:GetObject")], None, Verdict.HOLDS),
        ([allow("iam:TagUser", user_arn("other")), allow("s3:GetObject", Condition=RED)], None, Verdict.HOLDS),
        ([allow("iam:TagUser"), allow("s3:*"), allow("s3:GetObject", Condition=RED)], None, Verdict.HOLDS),
        ([allow("iam:TagUser")], RED, Verdict.UNKNOWN),
        ([allow("iam:TagUser"), allow("s3:*")], RED, Verdict.HOLDS),
        ([allow("iam:TagUser")], {}, Verdict.HOLDS),
    ],
)
def test_whoever_may_change_the_tags_on_which_rights_hang_is_a_doubt(
    statements: list[dict[str, Any]], trust: dict[str, Any] | None, verdict: Verdict
) -> None:
    """Its own rights, or who may assume a role that may do more."""
    trusting = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole", "Condition": trust or {}}
    web = role("web", {"AWS": ACCOUNT}, allow("s3:*"), AssumeRolePolicyDocument=policy(trusting))
    mine = user("me", *statements, Tags=[{"Key": "color", "Value": "blue"}])
    assert look(mine, web).verdict is verdict


@pytest.mark.parametrize("broken", ["AssumeRolePolicyDocument", "RolePolicyList"])
def test_tags_and_a_role_that_does_not_parse_are_a_doubt(broken: str) -> None:
    """Of which nobody can say what it gives, or to whom."""
    odd: dict[str, Any] = {"Statement": [{"Effect": "Allow", "Action": "s3:*"}]}
    trusting = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole", "Condition": RED}
    whole = {"AssumeRolePolicyDocument": policy(trusting), "RolePolicyList": inline(own=allow("s3:*"))}
    web = role("web", {"AWS": ACCOUNT}, **{**whole, broken: odd if "Assume" in broken else [
        {"PolicyName": "odd", "PolicyDocument": odd}
    ]})  # fmt: skip
    found = look(user("me", allow("iam:TagUser")), web)
    assert found.verdict is Verdict.UNKNOWN
    assert "as the account has it" in found.reason or "tags" in found.reason


@pytest.mark.parametrize(
    ("trusted", "right", "verdict"),
    [
        ({"Service": "lambda.amazonaws.com"}, "lambda:UpdateFunctionCode", Verdict.UNKNOWN),
        ({"Service": "ec2.amazonaws.com"}, "ssm:SendCommand", Verdict.UNKNOWN),
        ({"Service": "ec2.amazonaws.com"}, "lambda:UpdateFunctionCode", Verdict.HOLDS),
        ({"Service": "lambda.amazonaws.com"}, "lambda:GetFunction", Verdict.HOLDS),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/office"}, "iam:UpdateSAMLProvider", Verdict.UNKNOWN),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/office"}, "iam:GetSAMLProvider", Verdict.HOLDS),
        ({"AWS": "arn:aws:iam::999988887777:root"}, "lambda:UpdateFunctionCode", Verdict.HOLDS),
    ],
)
def test_what_runs_with_another_role_may_be_told_what_to_do(
    trusted: dict[str, str], right: str, verdict: Verdict
) -> None:
    """Which function or instance has which role the account's details do not say."""
    mine = user("me", allow(right))
    assert look(mine, role("web", trusted, allow("s3:*"))).verdict is verdict
    assert look(mine, role("web", trusted, allow(right))).verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("right", "attached_policies"),
    [
        (allow("iam:PutRolePolicy", WEB), []),
        (allow("iam:CreatePolicyVersion"), attached("mine")),
    ],
)
def test_a_role_that_can_be_changed_first_may_give_more(
    right: dict[str, Any], attached_policies: list[dict[str, str]]
) -> None:
    """It has nothing, and its policies can be written; who may do everything has nothing to gain by that."""
    web = role("web", {"Service": ["lambda.amazonaws.com", "codedeploy.amazonaws.com"]})
    web = {**web, "AttachedManagedPolicies": attached_policies}
    mine = [managed("mine", allow("s3:GetObject", "arn:aws:s3:::b/*"))]
    for reaching in (allow("lambda:UpdateFunctionCode"), allow("iam:PassRole", WEB)):
        own = [reaching, allow("s3:GetObject")]
        assert look(user("me", *own), web, policies=mine).verdict is Verdict.HOLDS
        assert look(user("me", *own, right), web, policies=mine).verdict is Verdict.UNKNOWN
        assert look(user("me", allow("*")), web, policies=mine).verdict is Verdict.HOLDS


def test_credentials_for_some_services_are_a_doubt() -> None:
    """Of a user who may do more."""
    for more, verdict in ((allow("codecommit:*"), Verdict.UNKNOWN), (allow("s3:GetObject"), Verdict.HOLDS)):
        mine = user("me", allow("iam:CreateServiceSpecificCredential"), allow("s3:*"))
        assert look(mine, user("boss", more)).verdict is verdict


def test_a_user_that_it_makes_can_be_put_into_a_group() -> None:
    """A role is in no group itself; under a boundary that the user must have, what is left is not known."""
    making = allow(["iam:CreateUser", "iam:CreateAccessKey"], "arn:aws:iam::*:user/made/*")
    attaching = allow("iam:AttachUserPolicy", Condition=SOME)
    limited = {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/limits"}}
    team = group("team", allow("s3:*"))
    for statements, expected in (
        ([making, allow("iam:AddUserToGroup")], Verdict.FAILS),
        ([making, allow("iam:AddUserToGroup"), allow("s3:*")], Verdict.HOLDS),
        ([making], Verdict.HOLDS),
        ([allow("iam:CreateUser"), allow("iam:AddUserToGroup")], Verdict.HOLDS),
        ([{**making, "Condition": limited}, allow("iam:AddUserToGroup")], Verdict.UNKNOWN),
        (
            [making, allow(["iam:AddUserToGroup", "s3:*"]), attaching],
            Verdict.UNKNOWN,
        ),
    ):
        found = account(role("me", {"AWS": ACCOUNT}, *statements), groups=[team])
        answer = find_escalation(found, found.find(role_arn("me")), 60.0)
        assert answer.verdict is expected
        assert actions(answer) == (
            ["iam:CreateUser", "iam:AddUserToGroup", "iam:CreateAccessKey"] if expected is Verdict.FAILS else []
        )


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        (allow("iam:AddUserToGroup"), Verdict.UNKNOWN),
        (
            allow(["iam:CreateUser", "iam:AddUserToGroup", "iam:CreateAccessKey"], "arn:aws:iam::*:*/m/*"),
            Verdict.UNKNOWN,
        ),
        (allow("iam:UpdateSAMLProvider"), Verdict.UNKNOWN),
        (allow("lambda:UpdateFunctionCode"), Verdict.UNKNOWN),
        (allow("iam:CreateUser"), Verdict.HOLDS),
        (allow("*"), Verdict.HOLDS),
    ],
)
def test_what_a_file_does_not_say_of_its_account_is_a_doubt(statement: dict[str, Any], verdict: Verdict) -> None:
    """Groups, roles that functions have, and whom providers vouch for."""
    found = account(user("me", statement))
    assert find_escalation(found, found.find(ME), 60.0, is_whole=False).verdict is verdict
