"""Attacks on `compare` that once worked: each answer here was wrong, or there was none."""

from __future__ import annotations

from itertools import count, islice
from typing import Any

import pytest

from keyhole.iam import Policy, PolicyKind, PrincipalKind, Request, parse_policy
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.compare import Relation, compare, is_within
from keyhole.iam.symbolic.question import Verdict

ACCOUNT = "555566667777"
EVERYONE: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::b/*",
}
ALL: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NOTHING: dict[str, Any] = {**ALL, "Effect": "Deny"}


def policy(kind: PolicyKind, *statements: dict[str, Any]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, kind)


def bucket(*statements: dict[str, Any]) -> Policy:
    return policy(PolicyKind.RESOURCE, *statements)


def identity(*statements: dict[str, Any]) -> Policy:
    return policy(PolicyKind.IDENTITY, *statements)


def witness_of_more(first: Policy, second: Policy, kind: PolicyKind = PolicyKind.RESOURCE) -> Request:
    """Give the request that shows that the first allows more."""
    answer = is_within(first, second, kind, Budget())
    assert answer.verdict is Verdict.FAILS
    assert answer.witness is not None
    return answer.witness


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/admin"),
        ("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/*"),
        ("sts:*", "arn:aws:iam::111122223333:role/admin"),
    ],
)
def test_what_the_other_side_must_let_in_is_not_nothing(action: str, resource: str) -> None:
    """Roles and keys have policies of their own, most of which leave it to IAM."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert compare(identity(statement), identity(NOTHING), PolicyKind.IDENTITY).relation is Relation.WIDER


def test_an_incomplete_arn_is_completed_where_aws_does() -> None:
    """In identity-based policies it is, in those of organizations it names nothing."""
    statements = ({**ALL, "Resource": "arn:aws:s3:::*"}, {**NOTHING, "Resource": "arn:aws:s3"})
    for kind, relation in ((PolicyKind.SCP, Relation.WIDER), (PolicyKind.IDENTITY, Relation.EQUAL)):
        assert compare(policy(kind, *statements), policy(kind, NOTHING), kind).relation is relation


@pytest.mark.parametrize(
    ("named", "condition"),
    [
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/{{}}"}, {"aws:PrincipalType": "User"}),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/{{}}"}, {"aws:PrincipalType": "AssumedRole"}),
        ({"AWS": f"arn:aws:sts::{ACCOUNT}:federated-user/{{}}"}, {"aws:PrincipalType": "FederatedUser"}),
        ({"Service": "{}"}, {"aws:PrincipalIsAWSService": "true"}),
    ],
)
def test_a_stranger_is_never_called_as_somebody_who_is_named(named: dict[str, str], condition: dict[str, str]) -> None:
    """Whatever a policy calls those whom it names, there are others."""
    of_account = {} if "Service" in named else {"aws:PrincipalAccount": ACCOUNT}
    wide = bucket({**EVERYONE, "Condition": {"StringEquals": {**condition, **of_account}}})
    (sort, text), names = next(iter(named.items())), ["someone", "something", "example.amazonaws.com", "someone"]
    narrow = bucket({**EVERYONE, "Principal": {sort: [text.format(name) for name in names]}})
    for number in range(3):
        other = witness_of_more(wide, narrow).principal
        shown = (other.role_arn or other.arn).rpartition("/")[2]
        narrow = bucket({**EVERYONE, "Principal": {sort: [text.format(name) for name in (*names, shown)]}})
        assert shown not in names, number
        names.append(shown)


def test_a_session_is_never_called_as_one_that_is_named() -> None:
    """A role is all its sessions, whatever name one of them has."""
    role = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}
    session = {"AWS": [f"arn:aws:sts::{ACCOUNT}:assumed-role/x/{name}" for name in ("session", "2.session")]}
    witness_of_more(bucket({**EVERYONE, "Principal": role}), bucket({**EVERYONE, "Principal": session}))


def test_the_role_of_a_named_session_may_have_a_path() -> None:
    """Its own ARN does not say so; `aws:PrincipalArn` does."""
    session = {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/x/s"}
    under = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/team/*"}}
    nobody = bucket({**EVERYONE, "Principal": {"Service": "x.amazonaws.com"}})
    found = witness_of_more(bucket({**EVERYONE, "Principal": session, "Condition": under}), nobody)
    assert found.principal.role_arn == f"arn:aws:iam::{ACCOUNT}:role/team/x"
    denied = {**EVERYONE, "Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}}
    witness_of_more(bucket({**EVERYONE, "Principal": session}, denied), nobody)


def test_there_is_always_another_account() -> None:
    """Even where all numbers that are easily told apart are taken."""
    numbers = [*(digit * 12 for digit in "123456789"), *(f"{n:012d}" for n in range(1, 4))]
    named = bucket({**EVERYONE, "Principal": {"AWS": numbers}})
    found = witness_of_more(bucket(EVERYONE), bucket({**EVERYONE, "Principal": {"AWS": numbers}}))
    assert found.principal.account not in numbers
    others = {"StringNotEquals": {"aws:PrincipalAccount": numbers}, "StringLike": {"aws:PrincipalAccount": "?" * 12}}
    found = witness_of_more(bucket({**EVERYONE, "Condition": others}), named)
    assert found.principal.account not in numbers
    assert found.principal.account.isdecimal()


def test_an_exception_that_is_whole_needs_no_unique_id() -> None:
    """All of the session is excepted by ARN, so that an id beside it changes nothing."""
    listed = [
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:iam::{ACCOUNT}:role/x",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/x/s",
        "AROACKCEVSQ6C2EXAMPLE",
    ]
    denied = {**EVERYONE, "Effect": "Deny", "NotPrincipal": {"AWS": listed}}
    del denied["Principal"]
    first = bucket({**EVERYONE, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/x"}}, denied)
    witness_of_more(first, bucket({**EVERYONE, "Effect": "Deny"}))


def test_whom_nobody_can_look_up_is_somebody() -> None:
    """It cannot be told, even beside a policy that names somebody else."""
    unknown = {**EVERYONE, "Principal": {"CanonicalUser": "0" * 64}}
    other = {**EVERYONE, "Principal": {"Service": "x.amazonaws.com"}}
    assert compare(bucket(unknown), bucket(other), PolicyKind.RESOURCE).within.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "condition",
    [
        {"DateGreaterThan": {"k:v": "-99999999999"}, "DateLessThan": {"k:v": "-99999999998"}},
        {"DateLessThan": {"k:v": "-999999999999999999"}},
        {"DateLessThan": {"k:v": "0001-01-01T00:00:00Z"}},
    ],
)
def test_moments_before_the_year_one_count(condition: dict[str, Any]) -> None:
    """They are written as seconds, with a sign and a fraction."""
    assert (
        compare(identity({**ALL, "Condition": condition}), identity(NOTHING), PolicyKind.IDENTITY).relation
        is Relation.WIDER
    )


@pytest.mark.parametrize("value", ["999999999999", "9*", "${aws:PrincipalAccount}"])
def test_whose_the_resource_is_agrees_with_what_is_said_of_it(value: str) -> None:
    """A request whose resource belongs to one account while its key says another is none that there can be."""
    operator = "StringLike" if "*" in value else "StringEquals"
    first = bucket({**EVERYONE, "Condition": {operator: {"aws:ResourceAccount": value}}})
    found = witness_of_more(first, bucket({**EVERYONE, "Principal": {"Service": "x.amazonaws.com"}}))
    assert found.context["aws:ResourceAccount"] == found.resource_account
    assert found.context.get("aws:PrincipalAccount", found.principal.account) == found.principal.account


def test_many_accounts_end_within_the_budget() -> None:
    """Each account and each pair of them is a question of its own: after the budget none is asked any more."""
    numbers = list(islice((f"{n:012d}" for n in count(1)), 400))
    conditions = {"StringLike": {f"aws:PrincipalTag/{n}": f"*a*b*{n}*" for n in range(10)}}
    wide = bucket({**EVERYONE, "Principal": {"AWS": numbers}, "Condition": conditions})
    budget = Budget(0.2)
    answer = is_within(wide, wide, PolicyKind.RESOURCE, budget)
    assert answer.verdict is Verdict.UNKNOWN or not budget.is_over


def test_a_resource_of_one_account_with_callers_of_another() -> None:
    """Both are named: the one as the resource's owner, the other in the Principal."""
    user = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/x"}
    owned = {"StringEquals": {"aws:ResourceAccount": "444455556666"}}
    first = bucket({**EVERYONE, "Principal": user, "Condition": owned})
    found = witness_of_more(first, bucket({**EVERYONE, "Principal": {"Service": "x.amazonaws.com"}}))
    assert (found.principal.account, found.resource_account) == (ACCOUNT, "444455556666")


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}, PrincipalKind.ROLE_SESSION),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, PrincipalKind.ROLE_SESSION),
        ({"StringEquals": {"aws:username": "bob"}}, PrincipalKind.USER),
        ({"StringLike": {"aws:PrincipalAccount": "9*"}}, PrincipalKind.USER),
    ],
)
@pytest.mark.parametrize("action", ["s3:GetObject", "kms:Decrypt", "sts:AssumeRole"])
def test_a_witness_is_who_it_says_it_is(condition: dict[str, Any], kind: PrincipalKind, action: str) -> None:
    """What a condition asks of the caller is true of the caller that is shown."""
    first = identity({**ALL, "Action": action, "Condition": condition})
    found = witness_of_more(first, identity(NOTHING), PolicyKind.IDENTITY)
    caller = found.principal
    assert caller.kind is kind
    own = {
        "aws:principalarn": caller.role_arn or caller.arn,
        "aws:principalaccount": caller.account,
        "aws:username": caller.arn.rpartition("/")[2],
        "aws:principaltype": {"user": "User", "role-session": "AssumedRole"}[kind],
    }
    told = {key: value for key, value in found.context.items() if key in own}
    assert told
    assert told == {key: own[key] for key in told}
    assert found.resource_account == caller.account


def test_a_client_need_not_say_what_it_is() -> None:
    """Who lets in those that send no `User-Agent` lets in everyone."""
    unnamed = {**EVERYONE, "Condition": {"Null": {"aws:UserAgent": "true"}}}
    witness_of_more(bucket(unnamed), bucket({**EVERYONE, "Principal": {"Service": "x.amazonaws.com"}}))


def test_an_action_without_resources_is_asked_about_none() -> None:
    """Listing all buckets is not done to an object."""
    listing = {**ALL, "Action": "s3:ListAllMyBuckets"}
    assert witness_of_more(identity(listing), identity(NOTHING), PolicyKind.IDENTITY).resource == "*"


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotEquals": {"aws:SecureTransport": ["true", "false"]}},
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
        {"ForAllValues:StringEquals": {"aws:SourceIp": "x"}, "StringNotEquals": {"aws:SourceIp": "x"}},
    ],
)
def test_a_request_that_cannot_be_is_no_witness(condition: dict[str, Any]) -> None:
    """Flags are true or false, services have no policies, and an address is never several."""
    given = {**condition, "Null": {key: "false" for keys in condition.values() for key in keys}}
    first = identity({**ALL, "Condition": given})
    assert is_within(first, identity(NOTHING), PolicyKind.IDENTITY, Budget()).verdict is Verdict.HOLDS
