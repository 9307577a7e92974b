"""What somebody can do is said shortly, and is what it can do."""

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
    managed,
    role,
    role_arn,
    user,
    user_arn,
)

from keyhole.iam.access.abilities import Abilities, describe_abilities
from keyhole.iam.access.account import Account, Holder
from keyhole.iam.access.action_names import shorten_actions
from keyhole.iam.access.standing import Can
from keyhole.iam.catalogue import expand_action, find_service

OBJECTS = "arn:aws:s3:::masks/*"


def tell(*statements: dict[str, Any], **more: Any) -> Abilities:
    found = account(
        user("me", *statements, **more),
        role("web", {"AWS": ACCOUNT}),
        policies=[managed("limits", allow("s3:Get*"), allow("sts:*"))],
    )
    return describe_abilities(found, found.find("me"), 60.0)


def test_grants_with_the_same_resources_and_conditions_are_one() -> None:
    """And all of a verb's actions are written by it."""
    gets = list(expand_action("s3:GetObject*"))
    found = tell(allow(gets, OBJECTS), allow("s3:PutObject", OBJECTS), allow("s3:ListBucket", "arn:aws:s3:::masks"))
    assert [grant.resources for grant in found.grants] == [OBJECTS, "arn:aws:s3:::masks"]
    assert "s3:PutObject" in found.grants[0].actions
    assert len(found.grants[0].statements) == 2


def test_what_is_denied_altogether_is_left_out_and_the_rest_is_said() -> None:
    """A deny of an action, a deny of a part of the resources, and the boundary."""
    found = tell(allow(["s3:GetObject", "s3:PutObject"], OBJECTS), deny("s3:PutObject"))
    assert [grant.actions for grant in found.grants] == [("s3:GetObject",)]
    assert found.grants[0].less == ()
    found = tell(allow("s3:GetObject", OBJECTS), deny("s3:*", "arn:aws:s3:::masks/x/*"))
    assert found.grants[0].less[0].startswith("s3:* on arn:aws:s3:::masks/x/* (")
    found = tell(allow(["s3:GetObject", "s3:PutObject"], OBJECTS), PermissionsBoundary=boundary("limits"))
    assert [grant.actions for grant in found.grants] == [("s3:GetObject",)]
    assert tell(allow("s3:PutObject"), PermissionsBoundary=boundary("limits")).grants == ()


def test_conditions_are_in_words_and_roles_are_named() -> None:
    """Whom it may become is a part of what it can do."""
    found = tell(
        allow("sts:AssumeRole", role_arn("web"), Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        allow("s3:GetObject", "*", Condition={"StringNotLike": {"aws:UserAgent": ["a*", "b*"]}}),
    )
    assert found.grants[1].conditions == "aws:UserAgent is not like a* nor b*"
    assert [standing.arn for standing in found.roles] == [role_arn("web")]
    assert found.roles[0].ways[0].conditions == ("aws:MultiFactorAuthPresent is true",)


def test_all_but_some_stays_as_it_is_written() -> None:
    """Nobody reads a list of ten thousand actions."""
    found = tell({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"})
    assert found.grants[0].actions == ("all but iam:*",)
    assert found.arn == user_arn("me")


def test_a_deny_elsewhere_takes_no_keys_and_roles_away() -> None:
    """What keys and roles themselves say is not known: it must not look as if nothing were left of them."""
    key, abroad = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/x", "arn:aws:iam::999988887777:role/x"
    theirs = {"StringEquals": {"aws:ResourceAccount": "999988887777"}}
    statements = [
        allow("kms:Decrypt", key),
        allow("sts:AssumeRole", abroad),
        allow("s3:GetObject", "arn:aws:s3:::theirs/*", Condition=theirs),
    ]
    found = tell(*statements, deny("*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}))
    assert [grant.actions for grant in found.grants] == [("kms:Decrypt",), ("sts:AssumeRole",), ("s3:GetObject",)]
    assert all("if aws:MultiFactorAuthPresent is false" in grant.less[0] for grant in found.grants)
    assert tell(*statements, deny(["kms:*", "sts:*", "s3:*"])).grants == ()


def test_a_boundary_that_lets_all_of_it_through_is_not_mentioned() -> None:
    """Also of keys and roles."""
    found = tell(allow("sts:AssumeRole", role_arn("web")), PermissionsBoundary=boundary("limits"))
    assert [(grant.actions, grant.less) for grant in found.grants] == [(("sts:AssumeRole",), ())]


def test_everything_less_something_is_said_so() -> None:
    """Patterns of all services are not taken apart; those of one are, into what is left of it."""
    found = tell(allow("*"), deny("s3:DeleteObject"))
    assert found.grants[0].actions == ("*",)
    assert found.grants[0].less[0].startswith("s3:DeleteObject on anything (")
    found = tell(allow("sqs:List*"), deny("sqs:ListQueues"))
    assert "sqs:ListQueues" not in found.grants[0].actions
    assert found.grants[0].less == ()


def test_what_cannot_be_told_is_said() -> None:
    """A deny that nobody can evaluate; a policy that the account lacks; a trust policy that is broken."""
    found = tell(allow("s3:GetObject", OBJECTS), deny("s3:*", Condition={"NewOperator": {"aws:username": "x"}}))
    assert found.grants[0].untold.startswith("whether it can s3:GetObject cannot be told: ")
    lacking = account(user("me", AttachedManagedPolicies=attached("gone")))
    assert "is not in the account's details" in describe_abilities(lacking, lacking.find("me")).untold
    broken = account(user("me", allow("sts:AssumeRole")), role("web", {"AWS": "nobody"}))
    (web,) = describe_abilities(broken, broken.find("me")).roles
    assert web.verdict is Can.UNKNOWN
    assert "`trust of web`, as the account has it" in web.reason
    planned = Holder(broken.roles[0].principal, role_arn("planned"), "AROAEXAMPLE")
    assert describe_abilities(Account(ACCOUNT, "aws", (planned,)), planned).roles == ()


def test_when_the_time_is_over_the_rest_is_untold() -> None:
    """What it may do is named all the same, never left out."""
    found = account(
        user("me", allow("s3:Get*", OBJECTS), allow("iam:GetUser"), deny("s3:GetObject")),
        role("web", {"AWS": ACCOUNT}),
    )
    told = describe_abilities(found, found.find("me"), 0.0)
    assert [grant.actions for grant in told.grants] == [("s3:Get*",), ("iam:GetUser",)]
    assert all("cannot be told: it takes longer than 0 s" in grant.untold for grant in told.grants)
    assert [(role.arn, role.verdict) for role in told.roles] == [(role_arn("web"), Can.UNKNOWN)]


@pytest.mark.parametrize(
    ("given", "short"),
    [
        (["s3:GetObject", "s3:Get*", "S3:getobject"], ("s3:Get*",)),
        (["s3:GetObject", "s3:*"], ("s3:*",)),
        (["s3:GetObject", "*"], ("*",)),
        (["s3:putobject"], ("s3:PutObject",)),
        (["s3:NoSuchThing", "nosuch:Thing"], ("nosuch:Thing", "s3:NoSuchThing")),
    ],
)
def test_actions_are_as_few_as_say_the_same(given: list[str], short: tuple[str, ...]) -> None:
    """In AWS's spelling where the catalogue knows them."""
    assert shorten_actions(given) == short


def test_all_actions_of_a_service_are_its_star() -> None:
    """Also where they are written one by one."""
    service = find_service("sqs")
    assert service is not None
    assert shorten_actions(f"sqs:{action.name}" for action in service.actions.values()) == ("sqs:*",)
