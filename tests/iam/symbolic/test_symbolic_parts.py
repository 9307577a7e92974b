"""The parts of questions about all requests by themselves, where the random tests seldom come."""

from __future__ import annotations

import pytest

from keyhole.iam import (
    ANONYMOUS,
    Condition,
    Context,
    Effect,
    Element,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalKind,
    Request,
    Statement,
    decide,
    parse_policy,
)
from keyhole.iam.match import Wildcard, is_action_pattern, split_wildcards
from keyhole.iam.symbolic.allowed import allowed
from keyhole.iam.symbolic.atoms import KEY, Atom, Quantifier, State, Value
from keyhole.iam.symbolic.budget import Budget, BudgetError
from keyhole.iam.symbolic.callers import Caller, callers_of
from keyhole.iam.symbolic.compare import Relation, compare, is_within
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import And, Formula, Lit, Or, disjoin, negate
from keyhole.iam.symbolic.language import Language, make_pattern
from keyhole.iam.symbolic.question import Verdict, refute
from keyhole.iam.symbolic.search import Model, find_models
from keyhole.iam.symbolic.strings import find_string
from keyhole.iam.symbolic.telling import describe_request, request_as_json
from keyhole.iam.symbolic.theory import Theory

ALICE = Principal(PrincipalKind.USER, "arn:aws:iam::111122223333:user/alice", "111122223333")
ANY = Element(("*",))
ALLOW_ALL = Statement(Effect.ALLOW, ANY, ANY)


def language(*patterns: str) -> Language:
    return Language(tuple(make_pattern(split_wildcards(text)) for text in patterns))


def allowing(*conditions: Condition, resource: str = "*") -> Policy:
    return Policy((Statement(Effect.ALLOW, ANY, Element((resource,)), conditions=conditions),))


NOTHING = Policy((Statement(Effect.DENY, ANY, ANY),))


@pytest.mark.parametrize(
    ("within", "outside", "expected"),
    [
        ([["a/*"], ["a/b", "c*"]], [], "a/b"),
        ([["a/*"], ["a/b"]], [["a/b"]], None),
        ([["a/*"], ["a/b*"]], [["a/b*"]], None),
        ([["a/*"], ["b/*", "b"]], [], None),
        ([["a*"], ["a", "b"]], [], "a"),
        ([["*"], ["a*"]], [["ab*"], ["aexample"]], "a"),
        ([["a/*"], ["a/b", "a/c"]], [["a/b"]], "a/c"),
        ([["a/*"], ["a/b*", "a/c*"]], [["a/b*"]], "a/c"),
        ([["a/b*"], ["a/", "a/bcd"]], [], "a/bcd"),
        ([["a*"], ["ab", "ac"], ["ab*", "ad*"]], [], "ab"),
        ([["a*"], ["ab", "ac"], ["ad*", "ae*"]], [], None),
    ],
)
def test_simple_languages_meet_where_their_heads_do(
    within: list[list[str]], outside: list[list[str]], expected: str | None
) -> None:
    """What two have in common is the longer one."""
    assert find_string([language(*x) for x in within], [language(*x) for x in outside], Budget()) == expected


def test_the_last_resort_is_a_letter_that_is_free() -> None:
    """All that is usually tried is taken, as are all letters of the usual ones."""
    endings = ["example", "file.txt", "x", "0", "-1", "~", ""]
    letters = "xyzabcdefghijklmnopqrstuvw0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_."
    outside = language(*(f"a/{ending}" for ending in endings), *(f"a/{letter}*" for letter in letters), "~*")
    found = find_string([language("a/*")], [outside], Budget())
    assert found is not None
    assert found.startswith("a/")
    assert not outside.holds(found)


def test_formulas_are_small() -> None:
    """What is known stands for itself."""
    lit = Lit(Atom(KEY + "k", language("a")))
    assert disjoin((lit, True)) is True
    assert negate(And((lit, negate(lit)))) == Or((negate(lit), lit))
    known = Model(Theory(Budget()))
    assert (known.simplify(True), known.simplify(False)) == (True, False)


def test_choices_within_choices_without_end_are_given_up() -> None:
    """The reason says so, and nothing recurs too deep for Python."""
    goals: list[Formula] = [
        Or(tuple(Lit(Atom(f"{KEY}{number}{side}", language("a"))) for side in "ab")) for number in range(410)
    ]
    with pytest.raises(BudgetError, match="choices one within the other"):
        next(find_models(goals, Theory(Budget(60.0))))


def test_what_a_dimension_holds_is_told_by_each_atom() -> None:
    """Several texts are not one, and the star is no text."""
    atom = Atom(KEY + "k", language("a"), several=True)
    assert atom.holds(Value(State.SEVERAL, ("b", "b")))
    assert not Atom("resource", language("a")).holds(Value(State.STAR))
    everyone = Atom(KEY + "k", language(""), quantifier=Quantifier.ALL)
    someone = Atom(KEY + "k", language("a"), quantifier=Quantifier.ANY)
    assert everyone.holds(Value(State.ONE, ("",)))
    assert not someone.holds(Value(State.ONE, ("",)))
    several = Theory(Budget(), frozenset({KEY + "k"}))
    assert several.solve(KEY + "k", frozenset({(everyone, True), (someone, True)})) is None


def test_a_service_s_own_role_is_bound_by_no_organization() -> None:
    """Neither by SCPs nor by RCPs."""
    role = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/X"
    session = Principal(PrincipalKind.ROLE_SESSION, "arn:aws:sts::111122223333:assumed-role/X/s", ALICE.account, role)
    request = Request(session, "s3:GetObject", "*", resource_account=ALICE.account)
    policies = PolicySet((Policy((ALLOW_ALL,)),), scps=((NOTHING,),), rcps=((NOTHING,),))
    assert allowed(Encoder(request), policies, sure=True) is not False
    assert decide(request, policies).is_allowed


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Condition("Null", "k:v", ("true",), "ForAllValues"), Relation.EQUAL),
        (Condition("Null", "k:v", ("true",), "ForAnyValue"), Relation.NARROWER),
        (Condition("StringEqualsIgnoreCase", "k:v", ("É",)), Relation.UNKNOWN),
        (Condition("StringLike", "k:v", ("a${*}", "b${?}")), Relation.NARROWER),
    ],
)
def test_conditions_of_rare_forms(condition: Condition, expected: Relation) -> None:
    """A `Null` with a qualifier does not look at the key; letters that fold in odd ways are not told apart."""
    assert compare(allowing(condition), allowing(), PolicyKind.IDENTITY).relation is expected or (
        expected is Relation.UNKNOWN
    )
    assert is_within(allowing(), allowing(condition), PolicyKind.IDENTITY, Budget()).verdict is not (
        Verdict.HOLDS if expected is not Relation.EQUAL else Verdict.FAILS
    )


def test_a_variable_in_the_front_of_an_arn_is_in_doubt() -> None:
    """AWS takes none there: it surely allows nothing."""
    policy = allowing(resource="arn:aws:s3:${k:v}::b/*")
    assert is_within(policy, NOTHING, PolicyKind.IDENTITY, Budget()).verdict is Verdict.HOLDS


def test_what_is_known_of_a_key_stays_so_where_a_value_is_not() -> None:
    """The key is given, what it is compared with is not: the witness has what is given."""
    condition = Condition("StringLike", "k:v", ("a${k:w}",))
    policies = PolicySet((allowing(condition),))
    for given, expected in (({"k:v": "b"}, Verdict.HOLDS), ({"k:v": None}, Verdict.HOLDS)):
        encoder = Encoder(Request(ALICE, "", "", resource_account=ALICE.account), given)
        goals = [encoder.action_in(("s3:*",)), allowed(encoder, policies, sure=True)]
        answer = refute(encoder, goals, lambda request: decide(request, policies).is_allowed, Budget())
        assert answer.verdict is expected
    encoder = Encoder(Request(ALICE, "", "", resource_account=ALICE.account), {"k:v": ("a", "b")})
    goals = [encoder.action_in(("s3:*",)), allowed(encoder, policies, sure=True)]
    assert refute(encoder, goals, lambda request: False, Budget()).verdict is Verdict.UNKNOWN


def test_what_never_is_confirmed_is_given_up() -> None:
    """There are many ways, and none of them is one that the plain engine takes."""
    encoder = Encoder(Request(ALICE, "", ""))
    ways = Or(tuple(Lit(Atom(f"{KEY}{number}", language("a"))) for number in range(80)))
    answer = refute(encoder, [ways], lambda request: False, Budget())
    assert (answer.verdict, answer.reason != "") == (Verdict.UNKNOWN, True)


def test_an_action_that_takes_no_resource_is_a_witness_too() -> None:
    """Only the lone star is left of the resources."""
    every = Policy((ALLOW_ALL, Statement(Effect.DENY, ANY, Element(("?*", "")))))
    found = is_within(every, NOTHING, PolicyKind.IDENTITY, Budget())
    assert found.witness is not None
    assert found.witness.resource == "*"


def test_callers_are_who_is_named_and_strangers() -> None:
    """Of each sort that a Principal can name."""
    statement = {
        "Effect": "Allow",
        "Action": "sts:*",
        "Principal": {
            "AWS": ["arn:aws:sts::444455556666:federated-user/bob", "arn:aws:sts::444455556666:assumed-role/r/s"],
            "Federated": "cognito-identity.amazonaws.com",
            "Service": "ec2.amazonaws.com",
        },
    }
    policy = parse_policy({"Version": "2012-10-17", "Statement": statement}, PolicyKind.TRUST)
    callers = [caller.request.principal for caller in callers_of([policy], PolicyKind.TRUST)]
    assert {caller.kind for caller in callers} == set(PrincipalKind)
    assert Principal(PrincipalKind.WEB_IDENTITY, "cognito-identity.amazonaws.com") in callers


def test_a_caller_whose_name_is_not_its_own_is_no_witness() -> None:
    """What a request says of its caller agrees with the caller."""
    free = {"aws:principalarn": ("arn:aws:iam::111122223333:user/?*",)}
    caller = Caller(Request(ALICE, "s3:GetObject", "*"), free=free)
    for name, expected in (("alice", True), ("bob", False)):
        context = Context({"aws:PrincipalArn": ALICE.arn, "aws:username": name})
        asked = caller.complete(Request(ALICE, "s3:GetObject", "*", context))
        assert caller.is_coherent(asked) is expected
    renamed = caller.complete(Request(ALICE, "s3:GetObject", "*", Context({"aws:username": "carol"})))
    assert renamed.principal.arn.endswith(":user/carol")


def test_a_witness_is_told_in_the_words_of_aws() -> None:
    """Keys in AWS's spelling, as far as it is known, and nothing that follows from the caller itself."""
    context = Context(
        {"aws:sourceip": "203.0.113.7", "aws:username": "alice", "aws:principaltag/team": "x", "k:v": ("a", "b")}
    )
    request = Request(ALICE, "s3:GetObject", "arn:aws:s3:::b/k", context, "111122223333")
    assert describe_request(request) == [
        ALICE.arn,
        "s3:GetObject on arn:aws:s3:::b/k",
        "with aws:SourceIp = 203.0.113.7",
        "with aws:PrincipalTag/team = x",
        "with k:v = a, b",
    ]
    told = request_as_json(request)
    assert told["context"]["aws:SourceIp"] == "203.0.113.7"
    assert told["context"]["k:v"] == ["a", "b"]
    assert describe_request(Request(ANONYMOUS, "s3:GetObject", "*"))[0] == "anyone on the web"
    assert request_as_json(Request(ANONYMOUS, "s3:GetObject", "*"))["principal"] == "anonymous"


def test_the_star_is_an_action_s_pattern() -> None:
    """It names all of them, also as one pattern among others."""
    assert is_action_pattern("*")
    encoder = Encoder(Request(ALICE, "", ""))
    assert encoder.action_in(("*",)).atom.passes("s3:getobject")
    assert make_pattern((Wildcard.ANY,)).holds("")
