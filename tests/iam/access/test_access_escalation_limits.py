"""What is more at all: boundaries, other accounts, other resources, doubts, and that the search ends."""

from __future__ import annotations

from typing import Any

import pytest
from access_accounts import (
    ACCOUNT,
    account,
    allow,
    boundary,
    deny,
    group,
    managed,
    policy,
    role,
    role_arn,
    user,
)
from escalation_looks import ME, ODD, WEB, actions, look

from keyhole.iam.access.escalation import find_escalation
from keyhole.iam.access.escalation_resources import RESOURCE_STEPS
from keyhole.iam.access.escalation_steps import (
    GROUP_STEPS,
    POLICY_STEPS,
    ROLE_FREEING,
    ROLE_STEPS,
    RUNNERS,
    TAKEOVERS,
    USER_DOORS,
    USER_FREEING,
    USER_STEPS,
)
from keyhole.iam.catalogue import find_action
from keyhole.iam.symbolic.question import Verdict


def test_a_boundary_is_only_as_good_as_who_may_write_it() -> None:
    """It is a policy of the account; AWS's own nobody writes."""
    own = [allow("s3:*"), allow("iam:CreatePolicyVersion", "arn:aws:iam::*:policy/limits")]
    limits = managed("limits", allow("s3:GetObject"), allow("iam:CreatePolicyVersion"))
    found = look(user("me", *own, PermissionsBoundary=boundary("limits")), policies=[limits])
    assert actions(found) == ["iam:CreatePolicyVersion"]
    aws = "arn:aws:iam::aws:policy/limits"
    kept = user("me", *own, PermissionsBoundary={"PermissionsBoundaryArn": aws})
    assert look(kept, policies=[{**limits, "Arn": aws}]).verdict is Verdict.HOLDS


def test_a_role_gives_more_by_keys_and_by_roles_of_other_accounts() -> None:
    """What these say themselves is not known: they may leave it to the account's policies."""
    for more in (
        allow("kms:Decrypt", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/x"),
        allow("sts:AssumeRole", "arn:aws:iam::999988887777:role/admin"),
        allow("s3:GetObject", Condition={"StringEquals": {"aws:ResourceAccount": "999988887777"}}),
    ):
        own = allow("s3:*", Condition={"StringEquals": {"aws:ResourceAccount": ACCOUNT}})
        mine = user("me", allow("sts:AssumeRole", WEB), own)
        assert actions(look(mine, role("web", {"AWS": ACCOUNT}, more))) == ["sts:AssumeRole"]
        assert look(user("me", allow("sts:AssumeRole", WEB), more), role("web", {"AWS": ACCOUNT}, more)).verdict is (
            Verdict.HOLDS
        )


def test_a_role_that_trusts_one_session_is_reached_by_it() -> None:
    """Whoever has the role may have it in this session; where one is denied, by the others."""
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/me/session"
    mine, own = role("me", {"AWS": ACCOUNT}, allow("sts:AssumeRole")), role_arn("me")
    trusting = [
        {"Effect": effect, "Principal": {"AWS": who}, "Action": "sts:AssumeRole"}
        for effect, who in (("Allow", session), ("Allow", own), ("Deny", session))
    ]
    for trust, verdict in (
        (trusting[:1], Verdict.FAILS),
        (trusting[1:], Verdict.FAILS),
        ([trusting[0], trusting[2]], Verdict.HOLDS),
    ):
        web = role("web", {"AWS": ACCOUNT}, allow("s3:*"), AssumeRolePolicyDocument=policy(*trust))
        found = account(mine, web)
        assert find_escalation(found, found.find(own), 60.0).verdict is verdict


@pytest.mark.parametrize(
    ("action", "resource", "gain"),
    [
        ("sqs:AddPermission", f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "sqs:"),
        ("sns:SetTopicAttributes", "*", "sns:"),
        ("secretsmanager:PutResourcePolicy", "*", "secretsmanager:"),
        ("lambda:AddPermission", "*", "lambda:InvokeFunction"),
        ("dynamodb:PutResourcePolicy", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t", "dynamodb:"),
    ],
)
def test_policies_of_other_resources_let_their_writer_in(action: str, resource: str, gain: str) -> None:
    """Queues, topics, secrets, functions, tables: by a policy that names it."""
    found = look(user("me", allow(action, resource)))
    assert actions(found) == [action]
    assert found.gain is not None
    assert found.gain.action.startswith(gain)


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        ([allow("iam:PutUserPolicy", ME, Condition=ODD)], "may call `iam:PutUserPolicy` cannot be told"),
        (
            [allow("s3:PutBucketPolicy", "arn:aws:s3:::b"), deny("s3:*", "arn:aws:s3:::b", Condition=ODD)],
            "cannot be told",
        ),
        ([allow("kms:CreateGrant"), deny("kms:Decrypt", Condition=ODD)], "what `kms:CreateGrant` gives cannot be told"),
        (
            [allow("sts:AssumeRole", WEB), deny("s3:*", Condition=ODD)],
            "can more cannot be told",
        ),
    ],
)
def test_what_nobody_can_evaluate_is_a_doubt(statements: list[dict[str, Any]], reason: str) -> None:
    """In a step, in what it gives, and in what there was before."""
    mine = user("me", *statements, Tags=[{"Key": "team", "Value": "b"}])
    web = role("web", {"AWS": ACCOUNT}, allow("s3:GetObject", "arn:aws:s3:::b/*", Condition=ODD))
    found = look(mine, web)
    assert found.verdict is Verdict.UNKNOWN
    assert reason in found.reason


def test_what_is_ones_own_by_a_variable_gives_nothing_more() -> None:
    """A folder by a user's name is known; by a session's id it may be any, and that is a doubt."""
    for variable, verdict in (("aws:username", Verdict.HOLDS), ("aws:PrincipalTag/none", Verdict.HOLDS)):
        assert look(user("me", allow("s3:*", f"arn:aws:s3:::b/${{{variable}}}/*"))).verdict is verdict
    found = account(role("me", {"AWS": ACCOUNT}, allow("s3:*", "arn:aws:s3:::b/${aws:userid}/*")))
    assert find_escalation(found, found.find(role_arn("me")), 60.0).verdict is Verdict.UNKNOWN
    mine = user("me", allow("s3:PutBucketPolicy", "arn:aws:s3:::${aws:username}-*"))
    assert actions(look(mine)) == ["s3:PutBucketPolicy"]
    trust = policy({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession"]})
    own = allow("s3:PutBucketPolicy", "arn:aws:s3:::${aws:PrincipalTag/team}-masks")
    found = account(role("me", {"AWS": ACCOUNT}, own, AssumeRolePolicyDocument=trust))
    assert actions(find_escalation(found, found.find(role_arn("me")), 60.0)) == ["s3:PutBucketPolicy"]


def test_what_does_not_parse_is_a_doubt() -> None:
    """A group's policies, a role's, and the start's own."""
    odd = {"PolicyName": "odd", "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "s3:*"}}}
    broken = {**group("broken", allow("s3:*")), "GroupPolicyList": [odd]}
    for found in (
        look(user("me", allow("iam:AddUserToGroup")), groups=[broken]),
        look(user("me", allow("sts:AssumeRole")), role("web", {"AWS": ACCOUNT}, RolePolicyList=[odd])),
        look(user("me", UserPolicyList=[odd])),
    ):
        assert found.verdict is Verdict.UNKNOWN
        assert "as the account has it" in found.reason


def test_a_group_that_one_is_in_gives_nothing_new() -> None:
    """Being in it twice is being in it."""
    found = look(user("me", allow("iam:AddUserToGroup"), GroupList=["mine"]), groups=[group("mine", allow("s3:*"))])
    assert found.verdict is Verdict.HOLDS


def test_a_role_that_can_be_opened_and_not_assumed_is_no_path() -> None:
    """To change whom it trusts is one thing, to call STS another."""
    web = role("web", {"Service": "ec2.amazonaws.com"}, allow("s3:*"))
    opening = allow("iam:UpdateAssumeRolePolicy", WEB)
    assert look(user("me", opening, deny("sts:*")), web).verdict is Verdict.HOLDS
    assert look(user("me", opening, allow("iam:PassRole", WEB), deny("sts:*")), web).verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([allow("iam:PassRole"), allow(["lambda:CreateFunction", "lambda:AddPermission"])], Verdict.FAILS),
        ([allow("iam:PassRole"), allow("lambda:CreateFunction")], Verdict.HOLDS),
        ([allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "x"}}), allow("lambda:*")], None),
    ],
)
def test_to_pass_a_role_takes_a_service_that_then_runs_something(
    statements: list[dict[str, Any]], verdict: Verdict | None
) -> None:
    """A function that nobody can call runs nothing; a role is passed to the services that the condition lets."""
    web = role("web", {"Service": "lambda.amazonaws.com"}, allow("s3:*"))
    found = look(user("me", *statements), web)
    if verdict is None:
        assert not any(request.action == "iam:PassRole" for step in found.steps for request in step.requests)
    else:
        assert found.verdict is verdict


def test_a_role_that_gives_nothing_more_may_be_passed() -> None:
    """To run something with the rights that one has is no gain."""
    web = role("web", {"Service": "ec2.amazonaws.com"}, allow("s3:GetObject"))
    mine = user("me", allow("iam:PassRole"), allow(["ec2:RunInstances", "s3:GetObject"]))
    assert look(mine, web).verdict is Verdict.HOLDS


def test_a_service_of_which_it_is_not_known_what_it_runs_is_a_doubt_only_if_there_is_more() -> None:
    """And only if the role can be passed to it."""
    mine = user("me", allow("iam:PassRole"), allow("s3:*"))
    for trusted, more, verdict in (
        ("codedeploy.amazonaws.com", allow("iam:*"), Verdict.UNKNOWN),
        ("codedeploy.amazonaws.com", allow("s3:GetObject"), Verdict.HOLDS),
    ):
        assert look(mine, role("web", {"Service": trusted}, more)).verdict is verdict
    elsewhere = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    narrow = user("me", allow("iam:PassRole", Condition=elsewhere))
    assert look(narrow, role("web", {"Service": "codedeploy.amazonaws.com"}, allow("s3:*"))).verdict is Verdict.HOLDS


def test_a_role_looks_for_more_than_any_of_its_sessions_has() -> None:
    """Its own name and id are those of a session before and after."""
    mine = role(
        "me", {"AWS": ACCOUNT}, allow("s3:GetObject", "arn:aws:s3:::b/${aws:userid}/*"), allow("iam:PutRolePolicy")
    )
    found = account(mine, policies=[managed("limits", allow("iam:*"))])
    assert actions(find_escalation(found, found.find(role_arn("me")), 60.0)) == ["iam:PutRolePolicy"]
    kept = account({**mine, "PermissionsBoundary": boundary("limits")}, policies=[managed("limits", allow("s3:*"))])
    assert find_escalation(kept, kept.find(role_arn("me")), 60.0).verdict is Verdict.HOLDS


def test_every_step_is_an_action_that_aws_has() -> None:
    """One that is misspelt would be found with nobody."""
    named = [action for runner in RUNNERS for action in runner.actions]
    named += [action for takeover in TAKEOVERS for action in takeover.actions]
    named += [step.action for steps in (USER_STEPS, ROLE_STEPS, GROUP_STEPS, POLICY_STEPS) for step in steps]
    named += [step.action for step in (*USER_FREEING, *ROLE_FREEING)]
    named += [action for action, _ in USER_DOORS]
    named += [step.action for step in RESOURCE_STEPS]
    assert [action for action in named if find_action(action) is None] == []


def test_when_the_time_is_over_it_cannot_be_told() -> None:
    """Whatever was found so far: no path is no proof that there is none."""
    found = account(user("me", allow("iam:PutUserPolicy", ME)), role("web", {"AWS": ACCOUNT}))
    answer = find_escalation(found, found.find(ME), 0.0)
    assert (answer.verdict, answer.reason) == (Verdict.UNKNOWN, "it takes longer than 0 s")
