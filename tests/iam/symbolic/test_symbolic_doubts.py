"""What hangs on what nobody knows: each bound errs on its own side, and a value is tried for a witness."""

from __future__ import annotations

import pytest

from keyhole.iam import (
    Condition,
    Effect,
    Element,
    Policy,
    PolicyKind,
    Principal,
    PrincipalElement,
    PrincipalKind,
    PrincipalPattern,
    Request,
    Statement,
    decide,
    parse_policy,
)
from keyhole.iam.match import split_wildcards
from keyhole.iam.model import PolicySet
from keyhole.iam.symbolic.allowed import allowed
from keyhole.iam.symbolic.atoms import KEY, Atom
from keyhole.iam.symbolic.budget import Budget, BudgetError
from keyhole.iam.symbolic.compare import Relation, compare, is_within
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import And, Formula, Lit, Or
from keyhole.iam.symbolic.language import Language, make_pattern
from keyhole.iam.symbolic.question import Verdict, refute
from keyhole.iam.symbolic.search import Model, find_models
from keyhole.iam.symbolic.strings import find_string
from keyhole.iam.symbolic.theory import Theory

ACCOUNT = "111122223333"
ALICE = Principal(PrincipalKind.USER, f"arn:aws:iam::{ACCOUNT}:user/alice", ACCOUNT)
ALL = Element(("*",))
NEW = Condition("NewOperator", "aws:username", ("x",))
MINE = Element(("arn:aws:s3:::b/${aws:PrincipalTag/team}/*",), negated=True)
ALL_BUT_MINE = Policy((Statement(Effect.ALLOW, Element(("s3:*",)), MINE),))
TEAM = "${aws:PrincipalTag/team}"
HANGING = (
    Condition("ArnLike", "aws:SourceArn", (f"arn:aws:s3:::{TEAM}",)),
    Condition("ArnLike", "aws:SourceArn", ("arn:aws:s3:::b",)),
    Condition("StringEqualsIgnoreCase", "aws:SourceIdentity", ("\N{LATIN SMALL LETTER A WITH DIAERESIS}",)),
    Condition("StringNotEquals", "aws:SourceIdentity", (TEAM,)),
    Condition("NumericLessThan", "s3:max-keys", ("10",)),
    Condition("StringEquals", "aws:TagKeys", ("a", "b"), qualifier="ForAllValues"),
    Condition("StringEquals", "aws:TagKeys", ("a", "b"), qualifier="ForAnyValue"),
    Condition("StringEquals", "aws:TagKeys", (), qualifier="ForAnyValue"),
)
"""Conditions each of which is equal to itself, whatever the values are on which it hangs."""


def allowing(resource: str = "*", *conditions: Condition) -> Policy:
    return Policy((Statement(Effect.ALLOW, Element(("s3:*",)), Element((resource,)), conditions=conditions),))


@pytest.mark.parametrize(
    "condition",
    [
        Condition("ArnNotLike", "aws:SourceArn", ("masks*",)),
        Condition("ArnNotLike", "aws:SourceArn", ("arn:aws:s3",)),
        Condition("StringNotEquals", "aws:SourceArn", ("${aws:username}",)),
    ],
)
def test_a_negation_of_what_cannot_be_told_is_never_counted_on(condition: Condition) -> None:
    """A pattern of an ARN that is none may fit or not: with such a condition less is allowed for certain."""
    found = compare(allowing("*", condition), allowing(), PolicyKind.IDENTITY)
    assert found.relation is Relation.NARROWER
    assert found.contains.witness is not None
    assert not decide(found.contains.witness, PolicySet((allowing("*", condition),))).is_allowed


def test_a_negation_without_a_value_to_compare_with_holds_for_nobody_for_certain() -> None:
    """The caller has no such tag, so nobody can say that the text is not it."""
    condition = Condition("StringNotEquals", "aws:SourceArn", ("${aws:PrincipalTag/team}",))
    is_there = Condition("Null", "aws:SourceArn", ("false",))
    for sure, verdict in ((True, Verdict.HOLDS), (False, Verdict.UNKNOWN)):
        encoder = Encoder(Request(ALICE, "", ""), {"aws:principaltag/team": None})
        policies = PolicySet((allowing("*", condition, is_there),))
        goals = [encoder.action_in(("s3:*",)), allowed(encoder, policies, sure=sure)]
        answer = refute(encoder, goals, lambda request, p=policies: decide(request, p).is_allowed, Budget())  # type: ignore[misc]
        assert answer.verdict is verdict


def test_a_variable_that_is_free_is_tried_with_a_value() -> None:
    """A witness says which."""
    folder = allowing("arn:aws:s3:::b/${aws:PrincipalTag/team}/*")
    answer = is_within(folder, allowing("arn:aws:s3:::c/*"), PolicyKind.IDENTITY, Budget())
    assert answer.witness is not None
    team = answer.witness.context["aws:PrincipalTag/team"]
    assert answer.witness.resource.startswith(f"arn:aws:s3:::b/{team}/")


def test_unique_ids_beside_others_leave_the_others_as_they_are() -> None:
    """An entry by id hangs on `aws:userid`, one by ARN does not."""
    entries = [PrincipalPattern("AWS", "AIDACKCEVSQ6C2EXAMPLE"), PrincipalPattern("AWS", ALICE.arn)]
    both, one = (
        Policy((Statement(Effect.ALLOW, Element(("s3:*",)), ALL, PrincipalElement(tuple(named))),))
        for named in (entries, entries[1:])
    )
    assert compare(both, one, PolicyKind.RESOURCE).relation is Relation.WIDER
    assert compare(both, both, PolicyKind.RESOURCE).relation is Relation.EQUAL


def test_a_resources_policy_leaves_assuming_roles_to_trust_policies() -> None:
    """An account that is named in it grants nothing of that, as the plain engine has it."""
    named = PrincipalElement((PrincipalPattern("AWS", ACCOUNT),))
    resource = Policy((Statement(Effect.ALLOW, ALL, ALL, named),))
    policies = PolicySet((Policy((Statement(Effect.ALLOW, ALL, ALL),)),), resource)
    encoder = Encoder(Request(ALICE, "", "", resource_account=ACCOUNT))
    goals = [encoder.action_in(("sts:AssumeRole",)), allowed(encoder, policies, sure=False)]
    assert refute(encoder, goals, lambda _: True, Budget()).verdict is Verdict.HOLDS


def test_some_value_is_none_that_all_must_not_be() -> None:
    """Of several values each must be one of those that all must be."""
    everyone = Condition("StringEquals", "aws:TagKeys", ("a", "b"), qualifier="ForAllValues")
    someone = Condition("StringEquals", "aws:TagKeys", ("c",), qualifier="ForAnyValue")
    nothing = Policy((Statement(Effect.DENY, ALL, ALL),))
    for conditions, verdict in (((everyone, someone), Verdict.HOLDS), ((someone,), Verdict.FAILS)):
        assert is_within(allowing("*", *conditions), nothing, PolicyKind.IDENTITY, Budget()).verdict is verdict


def test_a_walk_takes_no_more_memory_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it cannot be told, whatever time is left."""
    monkeypatch.setattr("keyhole.iam.symbolic.strings._MOST_BYTES", 1 << 20)
    stars = [Language((make_pattern(split_wildcards(f"*{letter}*")),)) for letter in "abcdefghijklmnop"]
    with pytest.raises(BudgetError, match="more than 1 MiB"):
        find_string(stars, [Language((make_pattern(split_wildcards("*a*b*")),))], Budget(60.0))


@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [
        (allowing("arn:aws:s3:::a/*"), allowing("arn:aws:s3:::b/*"), Relation.INCOMPARABLE),
        (allowing("*", NEW), allowing("arn:aws:s3:::b/*"), Relation.UNKNOWN),
        (ALL_BUT_MINE, ALL_BUT_MINE, Relation.EQUAL),
        *((allowing("*", each), allowing("*", each), Relation.EQUAL) for each in HANGING),
    ],
)
def test_neither_within_the_other_is_one_thing_and_not_known_another(
    first: Policy, second: Policy, relation: Relation
) -> None:
    """An operator that nobody knows may hold for all or for nothing; what hangs on a variable is equal to itself."""
    assert compare(first, second, PolicyKind.IDENTITY).relation is relation


def test_a_set_operator_without_values_takes_what_is_absent_alone() -> None:
    """There is nothing to compare with: all of no values pass."""
    empty = Condition("StringEquals", "aws:TagKeys", (), qualifier="ForAllValues")
    absent = Condition("Null", "aws:TagKeys", ("true",))
    found = compare(allowing("*", absent), allowing("*", empty), PolicyKind.IDENTITY)
    assert found.within.verdict is Verdict.HOLDS
    there = Condition("StringLike", "aws:TagKeys", ("?*",), qualifier="ForAnyValue")
    nothing = Policy((Statement(Effect.DENY, ALL, ALL),))
    assert is_within(allowing("*", empty, there), nothing, PolicyKind.IDENTITY, Budget()).verdict is Verdict.HOLDS


def test_what_is_true_or_false_by_itself_asks_for_nothing() -> None:
    """Whatever is wished already."""
    known = Model(Theory(Budget()))
    assert (known.fulfils(True), known.fulfils(False)) == (True, False)
    known.commit(True)
    assert known.wishes == {}


def test_a_choice_that_is_left_within_a_choice_is_taken_too() -> None:
    """What is wished already falls away, also where it hangs on a variable; what is left may be a choice by itself."""
    language = Language((make_pattern(("x",)),))
    mine = Lit(Atom(f"{KEY}mine", language, opaque=True))
    one, other, last = (Lit(Atom(f"{KEY}{name}", language)) for name in ("one", "other", "last"))
    goals: list[Formula] = [Or((mine, last)), Or((And((mine, Or((one, other)))), last))]
    found = [{key.removeprefix(KEY) for key in model.values} for model in find_models(goals, Theory(Budget()))]
    assert {"mine", "one"} in found
    assert {"last"} in found


def test_an_identity_provider_may_be_who_shows_it() -> None:
    """Whoever comes by it has no account of its own."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    open_to = {**statement, "Principal": {"Federated": "cognito-identity.amazonaws.com"}}
    closed = {**statement, "Effect": "Deny", "Principal": "*"}
    first, second = (
        parse_policy({"Version": "2012-10-17", "Statement": each}, PolicyKind.RESOURCE) for each in (open_to, closed)
    )
    found = compare(first, second, PolicyKind.RESOURCE)
    assert found.relation is Relation.WIDER
    assert found.within.witness is not None
    assert found.within.witness.principal.kind is PrincipalKind.WEB_IDENTITY
