"""Who can, in the corners: each way is that of the one who is asked about, and what was not decided is unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from access_accounts import (
    ACCOUNT,
    BUCKET,
    ROOT,
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
    user_arn,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from iam_strategies import ACCOUNT as NAMED
from iam_strategies import ROLE, SESSION, USER, policies, requests

from keyhole.iam import (
    Context,
    Policy,
    PolicyKind,
    Principal,
    PrincipalKind,
    Request,
    Truth,
    decide,
    parse_policy,
    render_policy,
)
from keyhole.iam.access.account import Account, Holder
from keyhole.iam.access.document import Document
from keyhole.iam.access.outsiders import find_outsiders, find_outsiders_of_all
from keyhole.iam.access.standing import Can, Standing, Target
from keyhole.iam.access.who import find_who, find_who_of_all
from keyhole.iam.decide import describe_statement
from keyhole.iam.symbolic.budget import Budget

OBJECTS = f"{BUCKET}/*"
OTHER = "999988887777"
RED = {"StringEquals": {"aws:PrincipalTag/color": "red"}}
ODD = {"NewOperator": {"aws:username": "x"}}
"""What nobody can evaluate."""


def bucket_policy(*statements: dict[str, Any]) -> Policy:
    return parse_policy(policy(*statements), PolicyKind.RESOURCE, name="masks")


def ask(found: Account, bucket: Policy | None = None, **more: Any) -> dict[str, Standing]:
    target = Target("s3:GetObject", OBJECTS, ACCOUNT, bucket, **more)
    return {standing.arn: standing for standing in find_who(found, target, Budget(60.0))}


def numbers(standing: Standing) -> list[str]:
    return [way.statement.split()[1] for way in standing.ways]


@pytest.mark.parametrize("order", [("anna", "bob"), ("bob", "anna")])
def test_each_way_is_ones_own_among_those_with_the_same_policies(order: tuple[str, str]) -> None:
    """Whoever was asked about first: the statement for those with a tag is no way of one without it."""
    red, plain = order
    found = account(
        user(red, GroupList=["g"], Tags=[{"Key": "color", "Value": "red"}]),
        user(plain, GroupList=["g"]),
        groups=[group("g", allow("s3:GetObject", OBJECTS, Condition=RED), allow("s3:GetObject", OBJECTS))],
    )
    answers = ask(found)
    assert numbers(answers[user_arn(red)]) == ["0", "1"]
    assert numbers(answers[user_arn(plain)]) == ["1"]


def test_a_policy_that_names_one_session_says_nothing_of_the_others() -> None:
    """However it is called: a deny for one leaves all others, a grant to one is that one's alone."""
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/session"
    denied = bucket_policy(deny("s3:*", OBJECTS, Principal={"AWS": session}))
    standing = ask(account(role("web", {"AWS": ACCOUNT}, allow("s3:*"))), denied)[role_arn("web")]
    assert standing.verdict is Can.CAN
    assert standing.ways[0].witness.principal.arn != session
    granted = bucket_policy(allow("s3:GetObject", OBJECTS, Principal={"AWS": session}))
    standing = ask(account(role("web", {"AWS": ACCOUNT})), granted)[role_arn("web")]
    assert standing.ways[0].witness.principal.arn == session


def test_of_several_sessions_the_doubt_about_one_is_told() -> None:
    """It is unknown whether one can, the others cannot."""
    sessions = [f"arn:aws:sts::{ACCOUNT}:assumed-role/web/{name}" for name in ("a", "b", "c")]
    closed = bucket_policy(
        allow("s3:GetObject", OBJECTS, Principal={"AWS": sessions[0]}, Condition=ODD),
        allow("s3:GetObject", OBJECTS, Principal={"AWS": sessions[1]}),
        deny("s3:*", OBJECTS, Principal={"AWS": sessions[1:]}),
    )
    assert ask(account(role("web", {"AWS": ACCOUNT})), closed)[role_arn("web")].verdict is Can.UNKNOWN


def test_a_sessions_user_id_is_the_roles_and_its_own() -> None:
    """A condition on it names the session; that of a session which a policy names is its own."""
    named = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/bob"
    unique = role("web", {"AWS": ACCOUNT})["RoleId"]
    like = {"StringLike": {"aws:userid": f"{unique}:al*"}}
    found = account(role("web", {"AWS": ACCOUNT}, allow("s3:GetObject", OBJECTS, Condition=like)))
    witness = ask(found)[role_arn("web")].ways[0].witness
    assert witness.principal.arn.rpartition("/")[2] == str(witness.context["aws:userid"]).partition(":")[2]
    assert witness.principal.arn.rpartition("/")[2].startswith("al")
    only_bob = bucket_policy(allow("s3:GetObject", OBJECTS, Principal={"AWS": named}, Condition=like))
    assert ask(account(role("web", {"AWS": ACCOUNT})), only_bob)[role_arn("web")].verdict is Can.CANNOT


def test_tags_of_a_session_may_be_any_where_the_trust_policy_lets_them() -> None:
    """Whoever assumes the role chooses them; where trust does not let it tag the session, they are the role's."""
    for actions, verdict in (("sts:AssumeRole", Can.CANNOT), (["sts:AssumeRole", "sts:TagSession"], Can.CAN)):
        trust = policy({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": actions})
        web = role("web", {"AWS": ACCOUNT}, allow("s3:GetObject", OBJECTS, Condition=RED))
        found = account({**web, "AssumeRolePolicyDocument": trust})
        assert ask(found)[role_arn("web")].verdict is verdict


def test_a_variable_that_is_free_is_tried_with_a_value() -> None:
    """The witness says which; the tag is one that the session may have."""
    trust = policy({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession"]})
    own = f"{BUCKET}/${{aws:PrincipalTag/team}}/*"
    for statements, verdict in (
        ([allow("s3:GetObject", own)], Can.CAN),
        ([allow("s3:GetObject", OBJECTS), deny("s3:GetObject", own)], Can.CAN),
        ([allow("s3:GetObject", own), deny("s3:GetObject", OBJECTS)], Can.CANNOT),
        ([allow("s3:GetObject", own, Condition=ODD)], Can.UNKNOWN),
    ):
        web = role("web", {"AWS": ACCOUNT}, *statements)
        found = account({**web, "AssumeRolePolicyDocument": trust})
        assert ask(found)[role_arn("web")].verdict is verdict


def test_what_nobody_can_evaluate_is_unknown() -> None:
    """An operator that is new: of the user, of the root, and of those outside."""
    found = account(user("alice", allow("s3:*", OBJECTS, Condition=ODD)))
    assert ask(found)[user_arn("alice")].verdict is Can.UNKNOWN
    closed = bucket_policy(deny("s3:*", OBJECTS, Principal="*", Condition=ODD))
    assert ask(account(user("alice", allow("s3:*"))), closed)[ROOT].verdict is Can.UNKNOWN
    opened = Target(
        "s3:GetObject", OBJECTS, ACCOUNT, bucket_policy(allow("s3:*", OBJECTS, Principal="*", Condition=ODD))
    )
    assert {each.verdict for each in find_outsiders(ACCOUNT, opened)} == {Can.UNKNOWN}


def test_what_takes_no_permission_anybody_can() -> None:
    """No policy grants it, and the reason says so."""
    found = account(user("alice", deny("*")), role("web", {"AWS": ACCOUNT}))
    standings = list(find_who(found, Target("sts:GetCallerIdentity", "*", ACCOUNT), Budget(60.0)))
    assert {each.verdict for each in standings} == {Can.CAN}
    assert "takes no permission" in standings[1].ways[0].statement


def test_only_what_lies_within_and_not_outside_is_asked_about() -> None:
    """Of a pattern of resources one bucket alone, or all that is of none."""
    found = account(user("alice", allow("s3:GetObject", OBJECTS)))
    for more, verdict in (
        ({"within": (BUCKET, OBJECTS)}, Can.CAN),
        ({"within": ("arn:aws:s3:::other", "arn:aws:s3:::other/*")}, Can.CANNOT),
        ({"outside": (f"{BUCKET}*",)}, Can.CANNOT),
    ):
        assert ask(found, **more)[user_arn("alice")].verdict is verdict


def test_whoever_may_assume_roles_is_told_which_trust_policy_keeps_it_out() -> None:
    """The reason is that of the whole decision; a policy that is broken elsewhere leaves it out."""
    broken = {"PolicyName": "odd", "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "iam:*"}}}
    fine = {"PolicyName": "own", "PolicyDocument": policy(allow("sts:AssumeRole"))}
    found = account(
        user("alice", allow("sts:AssumeRole")),
        user("bob", UserPolicyList=[fine, broken]),
        role("web", {"AWS": ACCOUNT}, allow("s3:*")),
    )
    trusted = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    without = {"Effect": "Deny", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    trust = parse_policy(policy(trusted, without), PolicyKind.TRUST, name="trust of web")
    target = Target("sts:AssumeRole", role_arn("web"), ACCOUNT, trust, PolicyKind.TRUST)
    answers = {each.arn: each for each in find_who(found, target, Budget(60.0))}
    assert answers[user_arn("alice")].reason == "statement 1 of role trust policy `trust of web` denies it"
    assert answers[user_arn("bob")].verdict is Can.CANNOT
    assert answers[user_arn("bob")].reason == "what would allow it does not apply to it"


def test_a_boundary_without_a_word_on_it_allows_nothing() -> None:
    """Also where it speaks of something else altogether."""
    found = account(
        user("alice", allow("s3:*"), PermissionsBoundary=boundary("b")), policies=[managed("b", allow("iam:*"))]
    )
    assert ask(found)[user_arn("alice")].verdict is Can.CANNOT


def test_when_the_time_is_over_the_rest_is_unknown() -> None:
    """Who was not looked at is named with the reason; nobody is taken to be kept out."""
    found = account(user("alice", allow("s3:*")), user("bob"), role("web", {"AWS": ACCOUNT}))
    opened = bucket_policy(allow("s3:GetObject", OBJECTS, Principal="*"))
    target = Target("s3:GetObject", OBJECTS, ACCOUNT, opened)
    _, *inside = find_who(found, target, Budget(0.0))
    assert {user_arn("alice"), user_arn("bob"), role_arn("web")} <= {each.arn for each in inside}
    for standing in (*inside, *find_outsiders(ACCOUNT, target, Budget(0.0))):
        assert standing.verdict is Can.UNKNOWN
        assert standing.reason == "all 0 s were over before its turn"


def test_of_many_resources_those_that_were_not_looked_at_are_told_once() -> None:
    """Everybody is unknown for the rest, and so are others outside; nothing is counted out one by one."""
    found = account(user("alice", allow("s3:*")), user("bob"))
    targets = [Target("s3:GetObject", f"arn:aws:s3:::{name}/*", ACCOUNT) for name in ("a", "b", "c")]
    assert len(list(find_who_of_all(found, targets, Budget(60.0)))) == 9
    (root, *late) = find_who_of_all(found, targets, Budget(0.0))
    assert root.arn == ROOT
    assert [(each.arn, each.verdict) for each in late] == [(user_arn(name), Can.UNKNOWN) for name in ("alice", "bob")]
    (others,) = find_outsiders_of_all(ACCOUNT, targets, Budget(0.0))
    assert (others.arn, others.verdict) == ("others outside the account", Can.UNKNOWN)
    assert list(find_outsiders_of_all(ACCOUNT, targets, Budget(60.0))) == []


def test_one_that_takes_long_leaves_time_for_the_others() -> None:
    """A part of a budget is a quarter of what is left; many parts together are never more than the whole."""
    whole = Budget(60.0, steps=7)
    part = whole.part()
    assert 0 < part.seconds <= 15
    assert part.steps == 7
    assert part.part().seconds <= part.seconds / 4
    assert Budget(0.0).part().seconds == 0


def test_federated_users_are_named_where_a_policy_lets_them_in_by_itself() -> None:
    """One by name, and one of another account outside; through the account alone they are what their user is."""
    bob = f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
    eve = f"arn:aws:sts::{OTHER}:federated-user/eve"
    named = bucket_policy(
        allow("s3:GetObject", OBJECTS, Principal={"AWS": [bob, eve]}),
        allow("s3:GetObject", OBJECTS, Principal={"AWS": ACCOUNT}),
    )
    found = account(user("alice"))
    answers = ask(found, named)
    assert set(answers) == {ROOT, user_arn("alice"), bob}
    assert answers[bob].verdict is Can.CAN
    outside = list(find_outsiders(ACCOUNT, Target("s3:GetObject", OBJECTS, ACCOUNT, named)))
    assert [each.arn for each in outside] == [eve]
    assert decide(answers[bob].ways[0].witness, replace(found.holders[0].policies(), resource=named)).is_allowed


def test_whose_the_resource_is_nobody_outside_chooses() -> None:
    """A statement for the resources of another account lets nobody into this one's."""
    others = {"StringEquals": {"aws:ResourceAccount": OTHER}}
    closed = bucket_policy(allow("s3:GetObject", OBJECTS, Principal="*", Condition=others))
    target = Target("s3:GetObject", OBJECTS, ACCOUNT, closed)
    assert list(find_outsiders(ACCOUNT, target)) == []
    assert list(find_outsiders(ACCOUNT, Target("s3:GetObject", OBJECTS, ACCOUNT))) == []


def holder_of(own: Policy, *, is_role: bool) -> Holder:
    """A user or role whom the random policies may name."""
    principal = Principal(PrincipalKind.USER, USER, NAMED)
    if is_role:
        principal = Principal(PrincipalKind.ROLE_SESSION, f"{SESSION.rpartition('/')[0]}/session", NAMED, ROLE)
    unique_id = "AIDACKCEVSQ6C2EXAMPLE" if is_role else "AIDAOTHER"
    arn = principal.role_arn or principal.arn
    return Holder(principal, arn, unique_id, (Document(render_policy(own), PolicyKind.IDENTITY, "own"),))


def as_asked_by(holder: Holder, request: Request, session: str) -> Request:
    """Give the request as AWS would fill it in where this one asks, in a session of this name."""
    principal, user_id = holder.principal, holder.unique_id
    known = {"aws:username": principal.arn.rpartition("/")[2]}
    if holder.is_role:
        principal = replace(principal, arn=f"{principal.arn.rpartition('/')[0]}/{session}")
        user_id, known = f"{user_id}:{session}", {}
    others = {key: value for key, value in request.context.by_key.items() if key != "aws:username"}
    return replace(
        request,
        principal=principal,
        context=Context({**others, **known, "aws:userid": user_id}),
        resource_account=NAMED,
    )


@settings(max_examples=150)
@given(
    st.booleans(),
    policies(PolicyKind.IDENTITY),
    policies(PolicyKind.RESOURCE),
    st.lists(requests, min_size=6, max_size=6),
)
def test_no_session_contradicts_an_answer(is_role: bool, own: Policy, bucket: Policy, asked: list[Request]) -> None:
    """Whoever cannot, cannot in any session; each way is by a statement that applies to its request."""
    holder = holder_of(own, is_role=is_role)
    whole = replace(holder.policies(), resource=bucket)
    target = Target(asked[0].action, asked[0].resource, NAMED, bucket)
    standings = find_who(Account(NAMED, "aws", (holder,)), target, Budget(60.0))
    standing = next(each for each in standings if each.arn == holder.arn)
    for way in standing.ways:
        decision = decide(way.witness, whole)
        applying = {describe_statement(trace) for trace in decision.trace if trace.truth is Truth.TRUE}
        assert decision.is_allowed
        assert way.statement in {*applying, decision.reason}
    if standing.verdict is Can.CANNOT:
        for request in asked:
            for session in ("session", "i-1", "other"):
                same = replace(request, action=target.action, resource=target.resource)
                assert not decide(as_asked_by(holder, same, session), whole).is_allowed


def test_a_tag_that_a_condition_compares_with_is_the_callers_own() -> None:
    """Without the tag there is nothing to compare with."""
    mine = {"StringEquals": {"aws:SourceIdentity": "${aws:PrincipalTag/color}"}}
    color = {"StringEquals": {"aws:SourceIdentity": "red"}}
    statements = (allow("s3:GetObject", OBJECTS, Condition=mine), deny("s3:*", Condition=color))
    for tag, verdict in (("blue", Can.CAN), ("red", Can.CANNOT), ("", Can.CANNOT)):
        tags = [{"Key": "color", "Value": tag}] if tag else []
        assert ask(account(user("alice", *statements, Tags=tags)))[user_arn("alice")].verdict is verdict
