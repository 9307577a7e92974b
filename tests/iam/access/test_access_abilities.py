"""What somebody can do is said shortly, and is what it can do."""

from __future__ import annotations

from typing import Any

import pytest
from access_accounts import ACCOUNT, account, allow, boundary, deny, managed, role, role_arn, user, user_arn

from keyhole.iam.access.abilities import Abilities, describe_abilities
from keyhole.iam.access.action_names import shorten_actions
from keyhole.iam.catalogue import expand_action, find_service

OBJECTS = "arn:aws:s3:::masks/*"


def tell(*statements: dict[str, Any], **more: Any) -> Abilities:
    found = account(
        user("me", *statements, **more),
        role("web", {"AWS": ACCOUNT}),
        policies=[managed("limits", allow("s3:Get*"), allow("sts:*"))],
    )
    return describe_abilities(found, found.find("me"))


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
