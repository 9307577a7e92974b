"""Who can: what is said of every user and role is what `decide` says of each request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from access_accounts import (
    ACCOUNT,
    BUCKET,
    ROOT,
    account,
    allow,
    attached,
    boundary,
    deny,
    group,
    managed,
    policy,
    role,
    role_arn,
    user,
    user_arn,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from iam_strategies import policies, requests

from keyhole.errors import KeyholeError
from keyhole.iam import Policy, PolicyKind, PolicySet, Principal, PrincipalKind, Request, decide, parse_policy
from keyhole.iam import render_policy as render
from keyhole.iam.access.account import Account, Holder, read_details
from keyhole.iam.access.document import Asked, Document, may_overlap, part_of
from keyhole.iam.access.outsiders import find_outsiders
from keyhole.iam.access.standing import Can, Standing, Target
from keyhole.iam.access.who import find_who
from keyhole.iam.match import compile_glob, match_glob
from keyhole.iam.symbolic.budget import Budget

OBJECTS = f"{BUCKET}/*"
FROM_OFFICE = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}


def ask(found: Account, target: Target) -> dict[str, Standing]:
    return {standing.arn: standing for standing in find_who(found, target, Budget(60.0))}


def reading(bucket: Policy | None = None) -> Target:
    return Target("s3:GetObject", OBJECTS, ACCOUNT, bucket)


def bucket_policy(*statements: dict[str, object]) -> Policy:
    return parse_policy(policy(*statements), PolicyKind.RESOURCE, name="masks")


def test_every_way_of_getting_a_right_is_seen() -> None:
    """Own policies, groups', managed ones; boundaries and denies take away; the conditions are said."""
    found = account(
        user("alice", allow("s3:Get*", OBJECTS, Condition=FROM_OFFICE)),
        user("bob", GroupList=["readers"]),
        user("carol", AttachedManagedPolicies=attached("reading")),
        user("dave", allow("s3:*"), PermissionsBoundary=boundary("lists")),
        user("erin", allow("s3:*"), deny("s3:GetObject")),
        user("frank", allow("s3:PutObject", OBJECTS)),
        role("web", {"Service": "ec2.amazonaws.com"}, allow("*")),
        groups=[group("readers", allow("s3:GetObject", OBJECTS))],
        policies=[managed("reading", allow("s3:GetObject", OBJECTS)), managed("lists", allow("s3:List*"))],
    )
    answers = ask(found, reading())
    can = {ROOT, user_arn("alice"), user_arn("bob"), user_arn("carol"), role_arn("web")}
    assert {arn for arn, standing in answers.items() if standing.verdict is Can.CAN} == can
    assert {standing.verdict for standing in answers.values()} == {Can.CAN, Can.CANNOT}
    (way,) = answers[user_arn("alice")].ways
    assert way.conditions == ("aws:SourceIp is in 203.0.113.0/24",)
    assert way.witness.context["aws:SourceIp"] == "203.0.113.7"
    assert answers[user_arn("bob")].ways[0].statement.endswith("`group readers: own`")
    assert "denies it" in answers[user_arn("erin")].reason
    assert "no permissions boundary" in answers[user_arn("dave")].reason
    assert answers[user_arn("frank")].reason == "no policy allows it"


def test_the_resources_own_policy_grants_and_denies() -> None:
    """A user by name needs nothing else; a deny for everyone but one keeps even the root out."""
    found = account(user("alice"), user("bob", allow("s3:*")), role("web", {"Service": "ec2.amazonaws.com"}))
    named = bucket_policy(allow("s3:GetObject", OBJECTS, Principal={"AWS": [user_arn("alice"), role_arn("web")]}))
    answers = ask(found, reading(named))
    assert all(standing.verdict is Can.CAN for standing in answers.values())
    not_bob = {"ArnNotEquals": {"aws:PrincipalArn": user_arn("bob")}}
    closed = bucket_policy(deny("s3:*", [BUCKET, OBJECTS], Principal="*", Condition=not_bob))
    answers = ask(found, reading(closed))
    assert [arn for arn, standing in answers.items() if standing.verdict is Can.CAN] == [user_arn("bob")]


def test_one_session_of_a_role_that_a_policy_names_is_seen() -> None:
    """The role by itself cannot, one of its sessions can."""
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/alice"
    named = bucket_policy(allow("s3:GetObject", OBJECTS, Principal={"AWS": session}))
    answers = ask(account(role("web", {"AWS": ACCOUNT})), reading(named))
    assert answers[role_arn("web")].ways[0].witness.principal.arn == session


def test_variables_and_tags_are_those_of_the_principal() -> None:
    """A user's own name and tags; a tag that it does not have is absent."""
    own = allow("s3:GetObject", f"{BUCKET}/${{aws:username}}/*")
    red = allow("s3:GetObject", f"{BUCKET}/red/*", Condition={"StringEquals": {"aws:PrincipalTag/color": "red"}})
    found = account(user("alice", own), user("bob", red, Tags=[{"Key": "color", "Value": "red"}]), user("carol", red))
    answers = ask(found, reading())
    assert answers[user_arn("alice")].ways[0].witness.resource.startswith(f"{BUCKET}/alice/")
    assert answers[user_arn("bob")].verdict is Can.CAN
    assert answers[user_arn("carol")].verdict is Can.CANNOT


def test_roles_are_assumed_by_whom_they_trust() -> None:
    """Trust of the account leaves it to identity policies; trust by name is enough; outsiders are named."""
    trusted = {"AWS": [ACCOUNT, user_arn("bob"), "arn:aws:iam::999988887777:root"], "Service": "ec2.amazonaws.com"}
    found = account(
        user("alice", allow("sts:AssumeRole")), user("bob"), user("carol"), role("web", trusted, allow("s3:*"))
    )
    trust = found.find(role_arn("web")).trust
    assert trust is not None
    target = Target("sts:AssumeRole", role_arn("web"), ACCOUNT, trust.parse(), PolicyKind.TRUST)
    can = {arn for arn, standing in ask(found, target).items() if standing.verdict is Can.CAN}
    assert can == {user_arn("alice"), user_arn("bob")}
    outside = {standing.arn for standing in find_outsiders(ACCOUNT, target)}
    assert "ec2.amazonaws.com" in outside
    assert any("999988887777" in arn for arn in outside)


def test_what_is_not_there_is_unknown() -> None:
    """A policy that the details lack, and one that does not parse."""
    broken = {"PolicyName": "own", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": ["s3:*"]}]}}
    found = account(user("alice", AttachedManagedPolicies=attached("gone")), user("bob", UserPolicyList=[broken]))
    answers = ask(found, reading())
    assert "is not in the account's details" in answers[user_arn("alice")].reason
    assert {answers[user_arn(name)].verdict for name in ("alice", "bob")} == {Can.UNKNOWN}


@pytest.mark.parametrize("text", [{}, {"UserDetailList": []}, {"UserDetailList": [{"Arn": "x"}]}])
def test_what_is_no_account_is_refused(text: dict[str, object]) -> None:
    """With the command that writes one."""
    with pytest.raises(KeyholeError):
        read_details(text)


@settings(max_examples=150)
@given(
    policies(PolicyKind.IDENTITY),
    st.none() | policies(PolicyKind.BOUNDARY),
    st.none() | policies(PolicyKind.RESOURCE),
    st.lists(requests, min_size=8, max_size=8),
)
def test_no_request_contradicts_an_answer(
    own: Policy, limits: Policy | None, bucket: Policy | None, asked: list[Request]
) -> None:
    """Whoever cannot, is allowed nothing of what is asked; whoever can, has a request that is."""
    principal = Principal(PrincipalKind.USER, user_arn("alice"), ACCOUNT)
    holder = Holder(
        principal,
        principal.arn,
        "AIDAALICE",
        (Document(render(own), PolicyKind.IDENTITY, "own"),),
        Document(render(limits), PolicyKind.BOUNDARY, "limits") if limits is not None else None,
    )
    found = Account(ACCOUNT, "aws", (holder,))
    for request in asked[:2]:
        target = Target(request.action, request.resource, ACCOUNT, bucket)
        standing = list(find_who(found, target, Budget(60.0)))[1]
        whole = replace(holder.policies(), resource=bucket)
        for way in standing.ways:
            assert decide(way.witness, whole).is_allowed
        if standing.verdict is Can.CANNOT:
            for other in asked:
                context = {**other.context.by_key, "aws:username": "alice", "aws:userid": "AIDAALICE"}
                tried = Request(principal, request.action, request.resource, type(other.context)(context), ACCOUNT)
                assert not decide(tried, whole).is_allowed


@settings(max_examples=300)
@given(st.text("ab*?", max_size=5), st.text("ab*?", max_size=5), st.text("ab", max_size=5))
def test_patterns_that_cannot_overlap_share_no_text(one: str, other: str, text: str) -> None:
    """The shortcut errs on one side only."""
    if match_glob(compile_glob(one), text) and match_glob(compile_glob(other), text):
        assert may_overlap(one, other)


@settings(max_examples=200)
@given(policies(PolicyKind.IDENTITY), requests)
def test_leaving_out_what_does_not_apply_changes_nothing(policy: Policy, request: Request) -> None:
    """A policy's part decides as the whole does, for whatever fits what is asked."""
    part = part_of(policy, Asked(request.action, request.resource))
    assert [policy.statements[number] for number in part.numbers] == list(part.policy.statements)
    whole = decide(request, PolicySet((policy,)))
    assert decide(request, PolicySet((part.policy,))).outcome is whole.outcome
