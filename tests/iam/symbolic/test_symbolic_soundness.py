"""Cases in which an answer could be too good to be true, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from keyhole.iam import Policy, PolicyKind, parse_policy
from keyhole.iam.symbolic.compare import Comparison, Relation, compare
from keyhole.iam.symbolic.question import Verdict

BUCKET = "arn:aws:s3:::b/*"
EVERYONE: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": BUCKET}
NOBODY: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": BUCKET}
ALL: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def bucket_policy(*statements: dict[str, Any]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, PolicyKind.RESOURCE)


def identity_policy(*statements: dict[str, Any]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, PolicyKind.IDENTITY)


def of(first: Policy, second: Policy, kind: PolicyKind = PolicyKind.IDENTITY) -> Comparison:
    return compare(first, second, kind)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalAccount": "555566667777"}},
        {"StringLike": {"aws:PrincipalAccount": "5*7"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::555566667777:role/x"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::5*:role/x"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws-cn:iam::*:user/*"}},
        {"StringEquals": {"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"}},
        {"StringEquals": {"aws:PrincipalType": "FederatedUser"}},
        {"StringLike": {"aws:userid": "AROAEXAMPLE:*"}},
    ],
)
def test_callers_that_only_a_condition_names_count(condition: dict[str, Any]) -> None:
    """Everyone is named, and the condition leaves some: more than nobody."""
    found = of(bucket_policy({**EVERYONE, "Condition": condition}), bucket_policy(NOBODY), PolicyKind.RESOURCE)
    assert found.relation is Relation.WIDER
    assert found.within.witness is not None


@pytest.mark.parametrize(
    "principal",
    [
        "arn:aws:iam::111122223333:user/x",
        "arn:aws:iam::111122223333:role/x",
        "arn:aws:sts::111122223333:assumed-role/x/s",
        "arn:aws:iam::111122223333:root",
        "999999999999",
        "AIDACKCEVSQ6C2EXAMPLE",
        "AROACKCEVSQ6C2EXAMPLE",
    ],
)
def test_whoever_is_named_is_let_in(principal: str) -> None:
    """Whichever account owns the bucket, and by whatever the caller is named."""
    statement = {**EVERYONE, "Principal": {"AWS": principal}}
    found = of(bucket_policy(statement), bucket_policy(NOBODY), PolicyKind.RESOURCE)
    assert found.relation is Relation.WIDER
    denied = of(bucket_policy(EVERYONE), bucket_policy(EVERYONE, {**statement, "Effect": "Deny"}), PolicyKind.RESOURCE)
    assert denied.within.verdict is Verdict.FAILS


def test_a_user_of_the_account_is_more_than_the_account() -> None:
    """Named itself it needs no policy of its own; the account's entry only lets such policies count."""
    user = {**EVERYONE, "Principal": {"AWS": "arn:aws:iam::555566667777:user/x"}}
    account = {**EVERYONE, "Principal": {"AWS": "555566667777"}}
    found = of(bucket_policy(user), bucket_policy(account), PolicyKind.RESOURCE)
    assert found.within.verdict is Verdict.FAILS


def test_a_principal_that_nobody_can_look_up_is_not_nobody() -> None:
    """Nor is it taken for different from itself."""
    other = {**EVERYONE, "Principal": {"CanonicalUser": "0" * 64}}
    assert of(bucket_policy(other), bucket_policy(NOBODY), PolicyKind.RESOURCE).relation is not Relation.EQUAL
    assert of(bucket_policy(other), bucket_policy(other), PolicyKind.RESOURCE).relation is Relation.EQUAL


def test_a_number_may_be_a_date() -> None:
    """Operators of two types on one key: neither's samples say what both together leave."""
    both = {"NumericGreaterThan": {"k:v": "10"}, "DateGreaterThan": {"k:v": "2020-01-01T00:00:00Z"}}
    found = of(identity_policy({**ALL, "Condition": both}), identity_policy({**ALL, "Effect": "Deny"}))
    assert found.within.verdict is not Verdict.HOLDS


def test_an_operator_of_another_type_never_fires() -> None:
    """`aws:CurrentTime` is never a number: denies that cover all numbers deny nothing."""
    denies = [
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {operator: {"aws:CurrentTime": "5"}}}
        for operator in ("NumericLessThan", "NumericGreaterThanEquals")
    ]
    found = of(identity_policy(ALL, *denies), identity_policy({**ALL, "Effect": "Deny"}))
    assert found.within.verdict is not Verdict.HOLDS


@pytest.mark.parametrize(("low", "high"), [("0.000000001", "0.000000004"), ("999999999999999990", "")])
def test_moments_between_two_moments_count(low: str, high: str) -> None:
    """However near they are to each other, or to the last one that can be written."""
    condition = {"DateGreaterThan": {"k:v": f"2020-01-01T00:00:00{low[1:]}Z" if high else low}}
    if high:
        condition["DateLessThan"] = {"k:v": f"2020-01-01T00:00:00{high[1:]}Z"}
    found = of(identity_policy({**ALL, "Condition": condition}), identity_policy({**ALL, "Effect": "Deny"}))
    assert found.within.verdict is Verdict.FAILS


def test_a_variable_without_a_value_may_fail_any_text() -> None:
    """A negated operator on it is then nothing that anyone can tell."""
    some = {**ALL, "Condition": {"StringEquals": {"k:v": "zzz"}}}
    other = {**ALL, "Condition": {"StringNotEquals": {"k:v": "prefix-${k:w}"}}}
    assert of(identity_policy(some), identity_policy(other)).within.verdict is not Verdict.HOLDS


def test_a_variable_may_bring_the_colons_of_an_arn() -> None:
    """The pattern has six fields once it is filled in."""
    some = {**ALL, "Condition": {"ArnLike": {"k:v": "arn:aws:s3:${k:w}"}}}
    found = of(identity_policy(some), identity_policy({**ALL, "Effect": "Deny"}))
    assert found.within.verdict is not Verdict.HOLDS


def test_an_empty_text_among_others_is_a_text() -> None:
    """Alone it is none to a set operator."""
    some = {**ALL, "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": ""}}}
    assert of(identity_policy(some), identity_policy({**ALL, "Effect": "Deny"})).within.verdict is Verdict.FAILS


def test_a_key_that_has_several_values_is_none_that_a_plain_operator_reads() -> None:
    """`aws:TagKeys` equal or not equal to a text is not everything."""
    halves = [{**ALL, "Condition": {f"String{name}": {"aws:TagKeys": "x"}}} for name in ("Equals", "NotEquals")]
    assert of(identity_policy(ALL), identity_policy(*halves)).within.verdict is Verdict.FAILS
