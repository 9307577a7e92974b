"""Compiled policies answer as the plain path does: on the corpus, and on whatever hypothesis thinks of."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iam_strategies import policy_sets, requests
from test_iam_cases import build_policies, build_request, read_cases

from keyhole.iam import (
    Context,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalKind,
    Request,
    compile_policies,
    compiled,
    decide,
    parse_policy,
)

ALICE = Principal(PrincipalKind.USER, "arn:aws:iam::111122223333:user/alice", "111122223333")


def agree(policies: PolicySet, asked: list[Request]) -> None:
    """Ask compiled and plain policies the same, one after the other, with and without trace."""
    evaluator = compile_policies(policies)
    for request in asked:
        plain = decide(request, policies)
        assert evaluator.decide(request) == replace(plain, trace=())
        assert evaluator.trace(request) == plain
        assert compile_policies(policies).trace(request) == plain


@settings(max_examples=200)
@given(policy_sets, st.lists(requests, min_size=1, max_size=4))
def test_compiled_policies_decide_as_the_plain_path(policies: PolicySet, asked: list[Request]) -> None:
    """Outcome, reason, layers and trace are the same, for every request, in any order."""
    agree(policies, asked)


@pytest.mark.parametrize("case", read_cases())
def test_compiled_policies_decide_the_corpus(case: dict[str, Any]) -> None:
    """Every case of the corpus, for its own caller, for a user of its account and for one of another."""
    request = build_request(case["request"])
    account = request.principal.account or "111122223333"
    user = Principal(PrincipalKind.USER, f"arn:aws:iam::{account}:user/compiled", account)
    outsider = Principal(PrincipalKind.USER, "arn:aws:iam::999999999999:user/x", "999999999999")
    agree(build_policies(case["policies"]), [request, *(replace(request, principal=who) for who in (user, outsider))])


def allow(condition: Mapping[str, Any] | None = None, **elements: Any) -> PolicySet:
    """Give identity policies of one statement, which allows."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", **(elements or {"Resource": "*"})}
    if condition:
        statement["Condition"] = condition
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return PolicySet(identity=(parse_policy(document, PolicyKind.IDENTITY),))


VALUES: list[Any] = [
    *("alice", "Alice", "", "bob", "10.1.2.3", "true", "TRUE", "no"),
    *((), ("alice",), ("alice", "bob"), ("",)),
]
OPERATORS = [
    *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike"),
    *("StringNotLike", "Bool", "IpAddress", "NotIpAddress", "Null", "NumericLessThan", "ArnLike"),
]
WANTED = {
    "Bool": ["true"],
    "IpAddress": ["10.0.0.0/8", "none"],
    "NotIpAddress": ["10.0.0.0/8"],
    "Null": ["true"],
    "NumericLessThan": ["7"],
    "ArnLike": ["arn:aws:iam::*:user/*"],
}


@pytest.mark.parametrize("qualifier", ["", "ForAllValues:", "ForAnyValue:"])
@pytest.mark.parametrize("suffix", ["", "IfExists"])
@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_is_bound_as_it_is_evaluated(operator: str, suffix: str, qualifier: str) -> None:
    """Absent, single, empty and several values, under every form of every operator."""
    name = f"{qualifier}{operator}{'' if operator == 'Null' else suffix}"
    policies = allow({name: {"aws:TagKeys": WANTED.get(operator, ["alice", "al*e", "x?"])}})
    contexts = [Context(), *(Context({"aws:TagKeys": value}) for value in VALUES)]
    agree(policies, [Request(ALICE, "s3:GetObject", "arn:aws:s3:::b/k", context) for context in contexts])


@pytest.mark.parametrize(
    "patterns",
    [
        ["*"],
        ["**"],
        ["arn:aws:s3:::b/k"],
        ["arn:aws:s3:::b/*"],
        ["arn:aws:s3:::?/k"],
        ["arn:aws:s3:::*/k", "arn:aws:s3:::c/*"],
        ["arn:aws:s3:::c/k", "arn:aws:s3:::b/?*"],
        ["arn:*:s3:::b/k", "arn:aws:sqs:*"],
    ],
)
@pytest.mark.parametrize("element", ["Resource", "NotResource"])
def test_every_shape_of_resource_is_bound_as_it_is_matched(patterns: list[str], element: str) -> None:
    """Exact texts, prefixes and globs, one or several, negated or not, also for actions without a resource."""
    elements: dict[str, Any] = {element: patterns}
    policies = allow(**elements)
    resources = ["*", "arn:aws:s3:::b/k", "arn:aws:s3:::b/", "arn:aws:s3:::bb/k", "arn:aws:sqs:eu-west-1:1:q", "x"]
    agree(policies, [Request(ALICE, "s3:GetObject", resource) for resource in resources])


def test_programs_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """An evaluator that is asked about ever new actions stays small, and right."""
    monkeypatch.setattr(compiled, "MOST_PROGRAMS", 2)
    actions = ["s3:GetObject", "s3:PutObject", "S3:GETOBJECT", "ec2:RunInstances", "s3:GetObject"]
    agree(allow(), [Request(ALICE, action, "arn:aws:s3:::b/k") for action in actions])


def document(effect: str, **more: Any) -> dict[str, Any]:
    """Give a policy of one statement on everything."""
    return {"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": "*", "Resource": "*", **more}}


def test_scps_pass_over_those_whom_they_do_not_bind() -> None:
    """A Deny in an SCP hits a member's user, and not the management account's or a service-linked role."""
    scps = (tuple(parse_policy(document(effect), PolicyKind.SCP) for effect in ("Allow", "Deny")),)
    management = Context({"aws:PrincipalOrgMasterAccountId": ALICE.account})
    linked = Principal(
        PrincipalKind.ROLE_SESSION,
        "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s",
        "111122223333",
        "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
    )
    asked = [
        Request(who, "s3:GetObject", "arn:aws:s3:::b/k", context)
        for who, context in (
            (ALICE, Context()),
            (ALICE, management),
            (linked, Context()),
        )
    ]
    agree(replace(allow(), scps=scps), asked)


def test_an_endpoint_policy_that_cannot_be_evaluated_is_told_by_the_plain_path() -> None:
    """What is UNKNOWN in the endpoint's policy never allows, compiled or not."""
    unknown = document("Allow", Principal="*", Condition={"NoSuchOperator": {"aws:username": "alice"}})
    endpoint = parse_policy(unknown, PolicyKind.ENDPOINT)
    agree(replace(allow(), endpoint=endpoint), [Request(ALICE, "s3:GetObject", "arn:aws:s3:::b/k")])
