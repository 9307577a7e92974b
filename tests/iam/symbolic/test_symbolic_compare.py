"""Comparing policies is sound: no request contradicts an answer, every witness replays, the order is an order."""

import os
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iam_strategies import ACCOUNT, OTHER, USER, policies, requests

from keyhole.iam import (
    Context,
    Effect,
    Element,
    Policy,
    PolicyKind,
    Principal,
    PrincipalKind,
    Request,
    Statement,
    decide,
    parse_policy,
)
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.compare import Relation, compare, everything, is_within, policy_set
from keyhole.iam.symbolic.keys import may_have_several
from keyhole.iam.symbolic.question import Verdict

ALICE = Principal(PrincipalKind.USER, USER, ACCOUNT)
KINDS = [PolicyKind.IDENTITY, PolicyKind.RESOURCE, PolicyKind.TRUST]
EXAMPLES = int(os.environ.get("KEYHOLE_EXAMPLES", "0"))
"""How many examples a long run by hand takes."""


def agrees(request: Request, first: Policy, second: Policy, kind: PolicyKind) -> bool:
    """Hold iff the request does not show that the first allows more, whatever the caller's own policies are."""
    for identity in ((), (everything(),)):
        is_first = decide(request, policy_set(first, kind, identity)).is_allowed
        if is_first and not decide(request, policy_set(second, kind, identity)).is_allowed:
            return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_what_holds_is_contradicted_by_no_request(kind: PolicyKind) -> None:
    """Random pairs, each with random requests that are near what the policies speak of."""

    @settings(max_examples=EXAMPLES or 50, deadline=None)
    @given(policies(kind), policies(kind), st.lists(requests, min_size=10, max_size=10))
    def check(first: Policy, second: Policy, asked: list[Request]) -> None:
        answer = is_within(first, second, kind, Budget())
        if answer.verdict is Verdict.HOLDS:
            for request, owner in product(asked, (ACCOUNT, OTHER, "000000000001")):
                ours = replace(coherent(request, kind), resource_account=owner)
                assert agrees(ours, first, second, kind), ours
        if answer.witness is not None:
            assert not agrees(answer.witness, first, second, kind)

    check()


def coherent(request: Request, kind: PolicyKind) -> Request:
    """Give the request as AWS would fill it in: a user's name is the caller's, and others have none."""
    caller = ALICE if kind is PolicyKind.IDENTITY else request.principal
    context = {
        key: value
        for key, value in request.context.items()
        if key != "aws:username" and (isinstance(value, str) or may_have_several(key, is_read_as_set=True))
    }
    if kind is PolicyKind.IDENTITY and "aws:username" in request.context:
        context["aws:username"] = request.context["aws:username"]
    elif caller.kind is PrincipalKind.USER:
        context["aws:username"] = caller.arn.rpartition("/")[2]
    if caller.account:
        # Of one of them a policy speaks.
        is_named = isinstance(request.context.get("s3:max-keys"), str)
        context["aws:userid"] = "AIDACKCEVSQ6C2EXAMPLE" if is_named else "AIDAOTHER"
    action = "sts:AssumeRole" if kind is PolicyKind.TRUST else request.action
    return replace(request, action=action, principal=caller, context=Context(context))


@settings(max_examples=EXAMPLES or 40, deadline=None)
@given(policies(PolicyKind.IDENTITY), policies(PolicyKind.IDENTITY))
def test_it_is_an_order(first: Policy, second: Policy) -> None:
    """A policy equals itself unless something in it cannot be told; the two directions mirror each other."""
    itself = compare(first, first, PolicyKind.IDENTITY).relation
    assert itself in {Relation.EQUAL, Relation.UNKNOWN}
    there, back = compare(first, second, PolicyKind.IDENTITY), compare(second, first, PolicyKind.IDENTITY)
    mirrored = {Relation.NARROWER: Relation.WIDER, Relation.WIDER: Relation.NARROWER}
    assert back.relation is mirrored.get(there.relation, there.relation)


@settings(max_examples=EXAMPLES or 30, deadline=None)
@given(*[policies(PolicyKind.IDENTITY)] * 3)
def test_what_is_within_what_is_within_is_within(first: Policy, second: Policy, third: Policy) -> None:
    """Where the three answers are known. Each is made wider by the statements of the one before."""
    wider = replace(second, version=first.version, statements=(*first.statements, *second.statements))
    widest = replace(third, version=first.version, statements=(*wider.statements, *third.statements))
    verdicts = [
        is_within(*pair, PolicyKind.IDENTITY, Budget()).verdict
        for pair in ((first, wider), (wider, widest), (first, widest))
    ]
    if verdicts[:2] == [Verdict.HOLDS, Verdict.HOLDS]:
        assert verdicts[2] is not Verdict.FAILS


@settings(max_examples=EXAMPLES or 40, deadline=None)
@given(policies(PolicyKind.IDENTITY), st.sampled_from(["s3:GetObject", "s3:*", "iam:PassRole"]))
def test_one_deny_more_never_widens(policy: Policy, action: str) -> None:
    """Whatever is denied in addition."""
    deny = Statement(Effect.DENY, Element((action,)), Element(("arn:aws:s3:::masks/*",)))
    less = replace(policy, statements=(*policy.statements, deny))
    assert compare(less, policy, PolicyKind.IDENTITY).relation in {Relation.EQUAL, Relation.NARROWER, Relation.UNKNOWN}


def test_a_witness_is_one_that_a_person_believes() -> None:
    """An action that AWS has, a resource that looks like one."""
    narrow = parse_policy(statement("s3:GetObject", "arn:aws:s3:::b/up/*"), PolicyKind.IDENTITY)
    wide = parse_policy(statement("s3:*", "arn:aws:s3:::b/*"), PolicyKind.IDENTITY)
    found = compare(narrow, wide, PolicyKind.IDENTITY)
    assert found.relation is Relation.NARROWER
    assert found.contains.witness is not None
    assert (found.contains.witness.action, found.contains.witness.resource) == (
        "s3:PutObject",
        "arn:aws:s3:::b/example",
    )


def statement(action: str, resource: str) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}
