"""Every condition operator in every form: plain, IfExists, ForAllValues, ForAnyValue."""

from __future__ import annotations

import pytest

from keyhole.iam.conditions import evaluate_condition
from keyhole.iam.model import Condition, Context, Truth
from keyhole.iam.operators.registry import OPERATORS, split_operator

KEY = "aws:Test"
ARN, OTHER_ARN = "arn:aws:s3:::masks", "arn:aws:s3:::other"
NOON, ONE, TWO = "2024-01-01T12:00:00Z", "2024-01-01T13:00:00Z", "2024-01-01T14:00:00Z"

# operator, policy value, a request value for which it holds, one for which it does not
TABLE = [
    ("StringEquals", "a", "a", "b"),
    ("StringNotEquals", "a", "b", "a"),
    ("StringEqualsIgnoreCase", "a", "A", "b"),
    ("StringNotEqualsIgnoreCase", "a", "b", "A"),
    ("StringLike", "a*", "ab", "ba"),
    ("StringNotLike", "a*", "ba", "ab"),
    ("NumericEquals", "10", "10", "11"),
    ("NumericNotEquals", "10", "11", "10"),
    ("NumericLessThan", "10", "9.5", "10"),
    ("NumericLessThanEquals", "10", "10", "10.5"),
    ("NumericGreaterThan", "10", "11", "10"),
    ("NumericGreaterThanEquals", "10", "10", "-11"),
    ("DateEquals", ONE, ONE, TWO),
    ("DateNotEquals", ONE, TWO, ONE),
    ("DateLessThan", ONE, NOON, ONE),
    ("DateLessThanEquals", ONE, ONE, TWO),
    ("DateGreaterThan", ONE, TWO, ONE),
    ("DateGreaterThanEquals", ONE, ONE, NOON),
    ("Bool", "true", "true", "false"),
    ("BinaryEquals", "QQ==", "QQ==", "Qg=="),
    ("IpAddress", "10.0.0.0/8", "10.1.2.3", "11.1.2.3"),
    ("NotIpAddress", "10.0.0.0/8", "11.1.2.3", "10.1.2.3"),
    ("ArnEquals", ARN, ARN, OTHER_ARN),
    ("ArnLike", "arn:aws:s3:::m*", ARN, OTHER_ARN),
    ("ArnNotEquals", ARN, OTHER_ARN, ARN),
    ("ArnNotLike", "arn:aws:s3:::m*", OTHER_ARN, ARN),
]
NEGATED = {name for name, *_ in TABLE if "Not" in name}


def evaluate(name: str, value: str, given: str | tuple[str, ...] | None) -> Truth:
    """The truth of one condition, named as a policy names it."""
    qualifier, operator, if_exists = split_operator(name)
    condition = Condition(operator, KEY, (value,), qualifier, if_exists)
    assert condition.name == name
    context = Context({} if given is None else {KEY: given})
    return evaluate_condition(condition, context, "2012-10-17")[0]


def truth(holds: bool) -> Truth:
    """A two-valued answer as a three-valued one."""
    return Truth.TRUE if holds else Truth.FALSE


def test_the_table_has_every_operator() -> None:
    """No operator is left untested: the table names them all but Null, which has cases of its own."""
    assert {name for name, *_ in TABLE} | {"Null"} == {operator.name for operator in OPERATORS.values()}
    assert {operator.name for operator in OPERATORS.values() if operator.negated} == NEGATED


@pytest.mark.parametrize("suffix", ["", "IfExists"])
@pytest.mark.parametrize(("name", "value", "good", "bad"), TABLE)
def test_plain(name: str, value: str, good: str, bad: str, suffix: str) -> None:
    """It holds or not by the value; absent keys satisfy IfExists and negated operators; several values are UNKNOWN."""
    full = name + suffix
    assert evaluate(full, value, good) is Truth.TRUE
    assert evaluate(full, value, bad) is Truth.FALSE
    assert evaluate(full, value, (good,)) is Truth.TRUE
    assert evaluate(full, value, None) is truth(bool(suffix) or name in NEGATED)
    assert evaluate(full, value, ()) is evaluate(full, value, None)
    assert evaluate(full, value, (good, bad)) is Truth.UNKNOWN


@pytest.mark.parametrize("suffix", ["", "IfExists"])
@pytest.mark.parametrize(("name", "value", "good", "bad"), TABLE)
def test_for_all_values(name: str, value: str, good: str, bad: str, suffix: str) -> None:
    """Every value of the request has to hold; none at all is fine."""
    full = f"ForAllValues:{name}{suffix}"
    assert evaluate(full, value, (good, good)) is Truth.TRUE
    assert evaluate(full, value, (good, bad)) is Truth.FALSE
    assert evaluate(full, value, good) is Truth.TRUE
    assert evaluate(full, value, bad) is Truth.FALSE
    assert evaluate(full, value, None) is Truth.TRUE
    assert evaluate(full, value, ()) is Truth.TRUE


@pytest.mark.parametrize("suffix", ["", "IfExists"])
@pytest.mark.parametrize(("name", "value", "good", "bad"), TABLE)
def test_for_any_value(name: str, value: str, good: str, bad: str, suffix: str) -> None:
    """One value of the request has to hold; none at all fails, but for IfExists."""
    full = f"ForAnyValue:{name}{suffix}"
    assert evaluate(full, value, (bad, good)) is Truth.TRUE
    assert evaluate(full, value, (bad, bad)) is Truth.FALSE
    assert evaluate(full, value, good) is Truth.TRUE
    assert evaluate(full, value, None) is truth(bool(suffix))
    assert evaluate(full, value, ()) is truth(bool(suffix))


@pytest.mark.parametrize(
    ("value", "given", "expected"),
    [
        ("true", None, Truth.TRUE),
        ("true", (), Truth.TRUE),
        ("true", "", Truth.FALSE),
        ("true", "x", Truth.FALSE),
        ("false", "x", Truth.TRUE),
        ("FALSE", ("x", "y"), Truth.TRUE),
        ("false", None, Truth.FALSE),
        ("maybe", None, Truth.FALSE),
    ],
)
def test_null(value: str, given: str | tuple[str, ...] | None, expected: Truth) -> None:
    """Null asks whether the key is there, and not for its value."""
    assert evaluate("Null", value, given) is expected


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("StringLike", ("", "StringLike", False)),
        ("stringlikeifexists", ("", "StringLike", True)),
        ("FORANYVALUE:bool", ("ForAnyValue", "Bool", False)),
        ("ForAllValues:Null", ("ForAllValues", "Null", False)),
        ("NullIfExists", ("", "NullIfExists", False)),
        ("ForAnyValue:Nonsense", ("", "ForAnyValue:Nonsense", False)),
        ("Nonsense:StringLike", ("", "Nonsense:StringLike", False)),
        ("StringLikeIfExistsIfExists", ("", "StringLikeIfExistsIfExists", False)),
        ("IfExists", ("", "IfExists", False)),
        ("", ("", "", False)),
    ],
)
def test_names_are_taken_apart(name: str, parts: tuple[str, str, bool]) -> None:
    """A known name has three parts in AWS's spelling; an unknown one is kept whole."""
    assert split_operator(name) == parts


def test_an_unknown_qualifier_is_unknown() -> None:
    """A condition that was not parsed but built is judged as strictly."""
    condition = Condition("StringLike", KEY, ("a",), qualifier="ForSomeValues")
    verdict, detail = evaluate_condition(condition, Context({KEY: "a"}), "2012-10-17")
    assert verdict is Truth.UNKNOWN
    assert "ForSomeValues:StringLike" in detail


def test_a_long_list_of_values_is_cut_short() -> None:
    """The detail names a few values and counts the rest."""
    condition = Condition("StringEquals", KEY, tuple("abcdefg"))
    _, detail = evaluate_condition(condition, Context({KEY: "z"}), "2012-10-17")
    assert detail == "`aws:Test` is `z`: `StringEquals` does not hold against `a`, `b`, `c`, `d` and 3 more"


@pytest.mark.parametrize(
    ("name", "given", "detail"),
    [
        ("Bool", None, "`aws:Test` is absent: `Bool` does not hold then"),
        ("BoolIfExists", None, "`aws:Test` is absent: `BoolIfExists` holds then"),
        ("Bool", "true", "`aws:Test` is `true`: `Bool` holds against `true`"),
        ("Bool", ("a", "b"), "`aws:Test` has several values (`a`, `b`), which takes a set operator"),
        ("Null", None, "`aws:Test` is absent: `Null` wants `true`"),
        ("Null", "x", "`aws:Test` is present: `Null` wants `true`"),
    ],
)
def test_the_detail_says_what_was_compared(name: str, given: str | tuple[str, ...] | None, detail: str) -> None:
    """A trace names the key, what the request has, and what the policy wants."""
    qualifier, operator, if_exists = split_operator(name)
    condition = Condition(operator, KEY, ("true",), qualifier, if_exists)
    context = Context({} if given is None else {KEY: given})
    assert evaluate_condition(condition, context, "2012-10-17")[1] == detail
