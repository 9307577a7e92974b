"""Who can give itself more is found with a path whose every step is allowed; who cannot is told so."""

from __future__ import annotations

from typing import Any

import pytest
from access_accounts import (
    ACCOUNT,
    account,
    allow,
    attached,
    boundary,
    deny,
    group,
    managed,
    role,
    role_arn,
    user,
    user_arn,
)

from keyhole.iam.access.escalation import find_escalation
from keyhole.iam.access.escalation_search import Escalation
from keyhole.iam.symbolic.question import Verdict

ME = user_arn("me")
BOSS = user("boss", allow("*"))
ADMIN = role("admin", {"Service": "ec2.amazonaws.com"}, allow("*"))
BUILDER = role("builder", {"Service": "codedeploy.amazonaws.com"}, allow("*"))
CHAIN = role("chain", {"AWS": ACCOUNT}, allow("iam:CreateAccessKey", user_arn("boss")))
TEAM = group("team", allow("s3:*"))


def look(*statements: dict[str, Any], **more: Any) -> Escalation:
    mine = user("me", *statements, AttachedManagedPolicies=attached("mine"), **more)
    policies = [managed("mine", allow("s3:GetObject", "arn:aws:s3:::b/*")), managed("limits", allow("iam:*"))]
    found = account(mine, BOSS, ADMIN, BUILDER, CHAIN, groups=[TEAM], policies=policies)
    return find_escalation(found, found.find(ME), 60.0)


@pytest.mark.parametrize(
    ("statements", "actions"),
    [
        ([allow("iam:PutUserPolicy", "arn:aws:iam::*:user/${aws:username}")], ["iam:PutUserPolicy"]),
        ([allow("iam:AttachUserPolicy", ME)], ["iam:AttachUserPolicy"]),
        ([allow("iam:CreatePolicyVersion")], ["iam:CreatePolicyVersion"]),
        ([allow("iam:SetDefaultPolicyVersion")], ["iam:SetDefaultPolicyVersion"]),
        ([allow("iam:AddUserToGroup")], ["iam:AddUserToGroup"]),
        ([allow("iam:CreateAccessKey")], ["iam:CreateAccessKey"]),
        ([allow("iam:CreateLoginProfile", user_arn("boss"))], ["iam:CreateLoginProfile"]),
        ([allow("iam:UpdateLoginProfile", user_arn("b*"))], ["iam:UpdateLoginProfile"]),
        ([allow("iam:UpdateAssumeRolePolicy", role_arn("admin"))], ["iam:UpdateAssumeRolePolicy", "sts:AssumeRole"]),
        ([allow("sts:AssumeRole")], ["sts:AssumeRole"]),
        ([allow("iam:PassRole"), allow("ec2:RunInstances")], ["iam:PassRole", "ec2:RunInstances"]),
        ([allow("s3:PutBucketPolicy", "arn:aws:s3:::b*")], ["s3:PutBucketPolicy"]),
        ([allow("kms:PutKeyPolicy")], ["kms:PutKeyPolicy"]),
        ([allow("kms:CreateGrant")], ["kms:CreateGrant"]),
    ],
    ids=lambda value: value[0] if isinstance(value[0], str) else "",
)
def test_a_path_is_found(statements: list[dict[str, Any]], actions: list[str]) -> None:
    """One step is enough, and the gain is something new."""
    found = look(*statements)
    assert found.verdict is Verdict.FAILS
    assert [request.action for step in found.steps for request in step.requests] == actions
    assert found.gain is not None


@pytest.mark.parametrize(
    "statements",
    [
        [allow("s3:GetObject")],
        [allow("s3:*", "arn:aws:s3:::b*")],
        [allow("*")],
        [allow("iam:PutUserPolicy", user_arn("other"))],
        [allow("iam:PutRolePolicy")],
        [allow("iam:PassRole", role_arn("admin")), allow("lambda:*")],
        [allow("iam:PassRole", role_arn("chain")), allow("ec2:RunInstances")],
        [allow("iam:*"), deny("iam:*")],
        [allow("s3:Put*", "arn:aws:s3:::b/*"), deny("s3:Put*Acl")],
        [allow("iam:CreateAccessKey", ME)],
    ],
)
def test_without_a_path_it_is_shown_that_there_is_none(statements: list[dict[str, Any]]) -> None:
    """What is allowed leads nowhere, or to nothing new."""
    assert look(*statements).verdict is Verdict.HOLDS


MADE = "arn:aws:iam::*:user/made/*"
LIMITED = {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/limits"}}


@pytest.mark.parametrize(
    ("making", "verdict"),
    [
        (allow(["iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey"], MADE), Verdict.FAILS),
        (allow(["iam:CreateUser", "iam:CreateAccessKey"], MADE), Verdict.HOLDS),
        (allow(["iam:CreateRole", "iam:AttachRolePolicy"], role_arn("made-*")), Verdict.FAILS),
        (allow(["iam:CreateRole", "iam:PutRolePolicy"], role_arn("made-*"), Condition=LIMITED), Verdict.UNKNOWN),
    ],
)
def test_whom_it_makes_itself_counts(making: dict[str, Any], verdict: Verdict) -> None:
    """A new user or role with every right; what a boundary that it must have leaves is not known."""
    assert look(making).verdict is verdict


def test_a_boundary_that_must_be_there_is_not_made_up() -> None:
    """Only those within a boundary may be changed, and it has none."""
    assert look(allow("iam:PutUserPolicy", "*", Condition=LIMITED)).verdict is Verdict.HOLDS


def test_a_chain_is_followed_to_its_end() -> None:
    """Assuming one role, with it another's key."""
    chain = role("chain", {"AWS": ACCOUNT}, allow("iam:PutRolePolicy", role_arn("next")))
    following = role("next", {"AWS": role_arn("chain")}, allow("s3:GetObject", "arn:aws:s3:::b/*"))
    mine = user("me", allow("sts:AssumeRole"), allow("s3:GetObject"), allow("iam:PutRolePolicy", role_arn("next")))
    found = account(mine, chain, following)
    path = find_escalation(found, found.find(ME), 60.0)
    actions = [request.action for step in path.steps for request in step.requests]
    assert actions == ["sts:AssumeRole", "sts:AssumeRole", "iam:PutRolePolicy"]


def test_a_boundary_holds_until_it_can_be_taken_away() -> None:
    """Within one a policy of one's own gives no more than it lets through."""
    assert look(allow("iam:*"), PermissionsBoundary=boundary("limits")).verdict is Verdict.FAILS
    mine = user("me", allow("iam:PutUserPolicy", ME), PermissionsBoundary=boundary("own"))
    kept = account(mine, policies=[managed("own", allow("iam:PutUserPolicy", ME))])
    assert find_escalation(kept, kept.find(ME), 60.0).verdict is Verdict.HOLDS
    both = [allow("iam:PutUserPolicy", ME), allow("iam:DeleteUserPermissionsBoundary", ME)]
    loose = account(user("me", *both, PermissionsBoundary=boundary("own")), policies=[managed("own", *both)])
    path = find_escalation(loose, loose.find(ME), 60.0)
    assert {step.requests[0].action for step in path.steps} == {
        "iam:PutUserPolicy",
        "iam:DeleteUserPermissionsBoundary",
    }


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (
            [
                allow(
                    "iam:AttachUserPolicy", Condition={"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/Other"}}
                )
            ],
            "what they give is not known",
        ),
        ([allow("iam:PassRole", role_arn("builder"))], "which may run what it is told"),
        ([allow("s3:PutObjectAcl", "arn:aws:s3:::c/*")], "ACL"),
    ],
)
def test_what_cannot_be_told_is_said(statements: list[dict[str, Any]], reason: str) -> None:
    """Never a guess."""
    found = look(*statements)
    assert found.verdict is Verdict.UNKNOWN
    assert reason in found.reason


def test_where_others_may_be_becoming_one_is_a_doubt() -> None:
    """Of a file's account not everybody is known; who may do everything has nothing to gain."""
    for statement, verdict in (
        (allow("sts:AssumeRole"), Verdict.UNKNOWN),
        (allow("iam:CreateAccessKey", user_arn("x*")), Verdict.UNKNOWN),
        (allow("s3:*"), Verdict.HOLDS),
        (allow("*"), Verdict.HOLDS),
    ):
        found = account(user("me", statement))
        assert find_escalation(found, found.find(ME), 60.0, is_whole=False).verdict is verdict


def test_a_policy_that_is_not_there_leaves_it_open() -> None:
    """Its details name one that they do not have."""
    found = account(user("me", AttachedManagedPolicies=attached("gone")))
    assert find_escalation(found, found.find(ME), 60.0).verdict is Verdict.UNKNOWN
