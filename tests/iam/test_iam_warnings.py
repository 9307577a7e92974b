"""Warnings: each is shown by a policy that earns it and a near miss that does not; good policies earn none."""

from typing import Any

import pytest
from good_policies import GOOD_POLICIES
from warning_cases import ANY_PHOTO, CASES, PHOTOS, C

from keyhole.iam import PolicyKind, parse_policy
from keyhole.iam.lint import PolicyWarning, WarningCode, find_warnings
from keyhole.iam.model import Condition, Effect, Element, Policy, Statement

VERSION = "2012-10-17"


def warn(kind: PolicyKind = PolicyKind.IDENTITY, version: str = VERSION, **elements: Any) -> tuple[PolicyWarning, ...]:
    """The warnings of a policy with one Allow, on objects of one bucket where nothing else is said."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ANY_PHOTO, **elements}
    statement = {name: value for name, value in statement.items() if value is not None}
    return find_warnings(parse_policy({"Version": version, "Statement": [statement]}, kind), kind)


def codes(warnings: tuple[PolicyWarning, ...]) -> list[WarningCode]:
    """The codes alone."""
    return [warning.code for warning in warnings]


@pytest.mark.parametrize(("name", "kind", "document"), GOOD_POLICIES, ids=[name for name, _, _ in GOOD_POLICIES])
def test_a_good_policy_earns_no_warning(name: str, kind: PolicyKind, document: dict[str, Any]) -> None:
    """Policies of the kind that AWS's guides show."""
    assert find_warnings(parse_policy(document, kind), kind) == ()


@pytest.mark.parametrize(
    ("code", "path", "earning", "_"), CASES, ids=[f"{c[0].value}-{i}" for i, c in enumerate(CASES)]
)
def test_a_policy_that_earns_a_warning_gets_it_and_no_other(
    code: WarningCode, path: str, earning: dict[str, Any], _: dict[str, Any]
) -> None:
    """One mistake, one warning, at its place, with a message in the house's style."""
    allowed_beside = {C.OPERATOR_OF_OTHER_TYPE: {C.VALUE_IMPOSSIBLE}}.get(code, set())
    warnings = warn(**earning)
    assert [(warning.code, warning.path) for warning in warnings if warning.code not in allowed_beside] == [
        (code, path)
    ]
    for warning in warnings:
        assert not warning.message.endswith(".")
        assert warning.hint
        assert not warning.hint.endswith(".")


@pytest.mark.parametrize(
    ("code", "_", "__", "near_miss"), CASES, ids=[f"{c[0].value}-{i}" for i, c in enumerate(CASES)]
)
def test_a_near_miss_earns_none(code: WarningCode, _: str, __: dict[str, Any], near_miss: dict[str, Any]) -> None:
    """The same policy, but right."""
    assert warn(**near_miss) == ()


def test_a_misspelt_action_comes_with_the_one_that_was_meant() -> None:
    """By its spelling, or by the API operation that has another name."""
    (spelling,) = warn(Action="s3:GetObjet")
    (operation,) = warn(Action="s3:ListObjectsV2")
    (service,) = warn(Action="dynamdb:GetItem")
    assert spelling.hint == "did you mean `s3:GetObject`?"
    assert operation.hint == "the action of that API operation is `s3:ListBucket`"
    assert service.hint == "did you mean `dynamodb`?"


def test_a_misspelt_key_comes_with_the_one_that_was_meant() -> None:
    """Global or the service's."""
    (key,) = warn(Condition={"StringEquals": {"aws:PrincipalOrgId2": "o-a1b2c3d4e5"}})
    assert key.hint == "did you mean `aws:PrincipalOrgID`?"


@pytest.mark.parametrize(
    "text", ["s3:GetObject,s3:PutObject", " s3:GetObject", "s3:Get Object", "s3", "s*:Get", "s3:é", ""]
)
def test_a_malformed_action_matches_nothing(text: str) -> None:
    """A comma, a blank, no colon, a wildcard in the prefix; judged as a Policy, whatever the parser refuses."""
    statement = Statement(Effect.ALLOW, Element((text,)), Element(("*",)))
    (warning,) = find_warnings(Policy((statement,)), PolicyKind.IDENTITY)
    assert (warning.code, warning.path) == (C.ACTION_MALFORMED, "Statement[0].Action[0]")


def test_an_operator_that_is_not_known_cannot_be_decided() -> None:
    """It is named once, whatever its key and values; a known one is not."""
    condition = Condition("StringEqual", "aws:Nope", ("x",))
    statement = Statement(Effect.ALLOW, Element(("s3:GetObject",)), Element(("*",)), conditions=(condition,))
    (warning,) = find_warnings(Policy((statement,)), PolicyKind.IDENTITY)
    assert (warning.code, warning.hint) == (C.OPERATOR_UNKNOWN, "did you mean `StringEquals`?")
    assert warning.path == "Statement[0].Condition.StringEqual.aws:Nope"


def test_a_service_that_is_not_known_is_said_once_and_not_judged() -> None:
    """One mild warning per service and policy, and none about its actions, resources and keys."""
    statement = {
        "Effect": "Allow",
        "Action": ["wonder:Do", "wonder:Do*", "wonder:Undo"],
        "Resource": "arn:aws:wonder:::thing",
        "Condition": {"StringEquals": {"wonder:color": "blue"}},
    }
    policy = parse_policy({"Version": VERSION, "Statement": [statement, statement]}, PolicyKind.IDENTITY)
    assert codes(find_warnings(policy, PolicyKind.IDENTITY)) == [C.SERVICE_UNKNOWN]


def test_what_spans_services_is_not_judged() -> None:
    """Neither `*` nor `*:Get*`, whatever the resource."""
    assert warn(Action=["*", "*:Get*"], Resource=PHOTOS, Condition={"StringEquals": {"s3:prefix": "a"}}) == ()


def test_limits_are_not_grants() -> None:
    """A boundary may say NotAction and pass any role: it only leaves what others grant."""
    elements: dict[str, Any] = {"Action": None, "NotAction": "iam:*", "Resource": "*"}
    assert warn(kind=PolicyKind.BOUNDARY, **elements) == ()
    assert codes(warn(**elements)) == [C.ALLOW_EXCEPT_ACTIONS]


def test_warnings_come_in_the_order_of_the_policy() -> None:
    """Statement by statement."""
    wrong = {"Effect": "Allow", "Action": "s3:GetObjet", "Resource": "*"}
    right = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    policy = parse_policy({"Version": VERSION, "Statement": [wrong, right, wrong]}, PolicyKind.IDENTITY)
    paths = [warning.path for warning in find_warnings(policy, PolicyKind.IDENTITY)]
    assert paths == ["Statement[0].Action[0]", "Statement[2].Action[0]"]
