"""Every condition operator in every form: plain, IfExists, ForAllValues, ForAnyValue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keyhole.iam.conditions import evaluate_condition
from keyhole.iam.model import Condition, Context, Truth
from keyhole.iam.operators.date import parse_date
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
        ("true", "", Truth.UNKNOWN),
        ("true", ("",), Truth.TRUE),
        ("false", ("", "x"), Truth.TRUE),
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
    _, detail = evaluate_condition(replace(condition, values=tuple("abcd")), Context({KEY: "z"}), "2012-10-17")
    assert detail == "`aws:Test` is `z`: `StringEquals` does not hold against `a`, `b`, `c`, `d`"


def test_equals_and_like_are_the_same_for_arns() -> None:
    """AWS: "The ArnEquals and ArnLike condition operators behave identically", and so do their negated forms."""
    for equals, like in (("arnequals", "arnlike"), ("arnnotequals", "arnnotlike")):
        assert replace(OPERATORS[equals], name="x") == replace(OPERATORS[like], name="x")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970", 0),
        ("1970-02", 31 * 86400),
        ("1970-01-02T00:00Z", 86400),
        ("1970-01-01T00:00:01.5Z", 1.5),
        ("1970-01-01T05:30:00+05:30", 0),
        ("1970-01-01T05:30+0530", 0),
        ("1969-12-31T20:15:00-03:45", 0),
        ("1970-01-02T23:59:00+23:59", 86400),
        ("1970-01-01T00:00:00+24:00", None),
        ("1970-01-01T00:00:00+00:60", None),
        ("1970-01-01T24:00:00Z", None),
        ("1970-01-01T00Z", None),
        ("12345", 12345),
        ("123", None),
    ],
)
def test_dates(text: str, seconds: float | None) -> None:
    """A date is the seconds since 1970 that it names."""
    assert parse_date(text) == seconds


@pytest.mark.parametrize(
    ("name", "given", "detail"),
    [
        ("Bool", None, "`aws:Test` is absent: `Bool` does not hold then"),
        ("BoolIfExists", None, "`aws:Test` is absent: `BoolIfExists` holds then"),
        ("Bool", "true", "`aws:Test` is `true`: `Bool` holds against `true`"),
        ("Bool", ("a", "b"), "`aws:Test` has several values (`a`, `b`), which takes a set operator"),
        ("Null", None, "`aws:Test` is absent: `Null` wants `true`"),
        ("Null", ("",), "`aws:Test` is empty: `Null` wants `true`"),
        ("Null", "", "`aws:Test` is empty, which `Null` may take for absent"),
        ("ForAnyValue:Null", "x", "`ForAnyValue:Null` does not look at `aws:Test`"),
        ("ArnLike", "x", "`aws:Test` is `x`: `ArnLike` does not hold against `true`"),
        ("NotIpAddress", "10.0.0.1", "`aws:Test` is `10.0.0.1`: `NotIpAddress` cannot be compared with all of `true`"),
        ("Null", "x", "`aws:Test` is present: `Null` wants `true`"),
    ],
)
def test_the_detail_says_what_was_compared(name: str, given: str | tuple[str, ...] | None, detail: str) -> None:
    """A trace names the key, what the request has, and what the policy wants."""
    qualifier, operator, if_exists = split_operator(name)
    condition = Condition(operator, KEY, ("true",), qualifier, if_exists)
    context = Context({} if given is None else {KEY: given})
    assert evaluate_condition(condition, context, "2012-10-17")[1] == detail


def test_sets_are_judged_value_by_value() -> None:
    """A value that decides does so whatever cannot be compared; where none decides, the rest is UNKNOWN."""
    block, inside, outside, nonsense = "10.0.0.0/8", "10.0.0.1", "11.0.0.1", "x"
    assert evaluate("ForAllValues:NotIpAddress", block, (outside, nonsense)) is Truth.UNKNOWN
    assert evaluate("ForAllValues:NotIpAddress", block, (nonsense, inside)) is Truth.FALSE
    assert evaluate("ForAnyValue:NotIpAddress", block, (inside, nonsense)) is Truth.UNKNOWN
    assert evaluate("ForAnyValue:NotIpAddress", block, (nonsense, outside)) is Truth.TRUE
    assert evaluate("ForAnyValue:IpAddress", block, (nonsense, outside)) is Truth.FALSE
