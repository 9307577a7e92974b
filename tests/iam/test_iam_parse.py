"""Parsing: what AWS accepts is a Policy, what it refuses is a PolicyError that says where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyhole.errors import PolicyError
from keyhole.iam import Condition, Effect, Element, PolicyKind, PrincipalPattern, parse_policy

IDENTITY, RESOURCE, TRUST = PolicyKind.IDENTITY, PolicyKind.RESOURCE, PolicyKind.TRUST
GOOD = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
SHARED = {**GOOD, "Principal": "*"}
TRUSTING = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}


def document(*statements: Any, **elements: Any) -> dict[str, Any]:
    """A document of the current version."""
    return {"Version": "2012-10-17", "Statement": list(statements), **elements}


def without(statement: dict[str, Any], name: str, **others: Any) -> dict[str, Any]:
    """The statement with an element left out and others put in."""
    return {**{key: value for key, value in statement.items() if key != name}, **others}


def test_single_values_stand_for_lists() -> None:
    """A single statement, action, resource or value is a list of one."""
    single = parse_policy({"Version": "2012-10-17", "Statement": GOOD}, IDENTITY)
    listed = parse_policy(document({**GOOD, "Action": ["s3:GetObject"], "Resource": ["*"]}), IDENTITY)
    assert single == listed


def test_every_element_is_kept() -> None:
    """Version, Id, Sid, principals, Not… forms, conditions and the label are all in the Policy."""
    source = document(
        {
            "Sid": "a b",
            "Effect": "Deny",
            "NotPrincipal": {"AWS": ["111122223333", "*"], "Service": "ec2.amazonaws.com"},
            "NotAction": ["s3:Get*", "s3:Put*"],
            "NotResource": "arn:aws:s3:::masks",
            "Condition": {"foranyvalue:stringlikeifexists": {"aws:TagKeys": ["a", 1, 1.50, True]}},
        },
        Id="i",
    )
    policy = parse_policy(json.dumps(source), RESOURCE, "label")
    (statement,) = policy.statements
    assert (policy.version, policy.id, policy.name, statement.sid) == ("2012-10-17", "i", "label", "a b")
    assert statement.effect is Effect.DENY
    assert statement.actions == Element(("s3:Get*", "s3:Put*"), negated=True)
    assert statement.resources == Element(("arn:aws:s3:::masks",), negated=True)
    assert statement.principals is not None
    assert statement.principals.negated
    assert statement.principals.patterns == (
        PrincipalPattern("AWS", "111122223333"),
        PrincipalPattern("AWS", "*"),
        PrincipalPattern("Service", "ec2.amazonaws.com"),
    )
    assert statement.conditions == (
        Condition("StringLike", "aws:TagKeys", ("a", "1", "1.5", "true"), "ForAnyValue", if_exists=True),
    )


def test_an_absent_version_is_the_old_one() -> None:
    """AWS: "IAM JSON policy elements: Version": the default is 2008-10-17."""
    assert parse_policy({"Statement": GOOD}, IDENTITY).version == "2008-10-17"


def test_numbers_keep_their_spelling() -> None:
    """A JSON number in a condition is the text that was written."""
    source = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"k":[1.0,-7]}}}}'
    assert parse_policy(source, IDENTITY).statements[0].conditions[0].values == ("1.0", "-7")


def test_bytes_text_and_mapping_are_the_same() -> None:
    """Each form of the same document gives the same Policy."""
    text = json.dumps(document(GOOD))
    assert (
        parse_policy(text, IDENTITY) == parse_policy(text.encode(), IDENTITY) == parse_policy(document(GOOD), IDENTITY)
    )


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        (RESOURCE, SHARED),
        (RESOURCE, {**SHARED, "Principal": {"CanonicalUser": "79a59df900b949e55d96a1e698fb"}}),
        (RESOURCE, {**SHARED, "Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access E1"}}),
        (RESOURCE, {**SHARED, "Resource": "execute-api:/prod/GET/*"}),
        (TRUST, TRUSTING),
        (
            TRUST,
            {**TRUSTING, "Action": ["sts:AssumeRole", "STS:TagSession"], "Principal": {"AWS": "AROAEXAMPLEEXAMPLEID1"}},
        ),
        (PolicyKind.SCP, {**GOOD, "Action": "*"}),
        (PolicyKind.RCP, {**SHARED, "Effect": "Deny"}),
        (PolicyKind.ENDPOINT, SHARED),
        (PolicyKind.BOUNDARY, {**GOOD, "Resource": "arn:aws:s3"}),
        (PolicyKind.SESSION, {**GOOD, "Resource": "arn:aws:s3:::*"}),
        (IDENTITY, {**GOOD, "Condition": {}}),
        (IDENTITY, {**GOOD, "Condition": {"Nonsense": {"k": []}}}),
        (IDENTITY, {**GOOD, "Condition": {"StringEquals": {}}}),
        (IDENTITY, {**GOOD, "Condition": {"Bool": {"k": "x"}, "StringEquals": {"K": "x"}}}),
        (PolicyKind.RCP, SHARED),
        (RESOURCE, {**SHARED, "Resource": "arn:aws:s3:::masken/größe/\U0001f431"}),
        (IDENTITY, {**GOOD, "Action": "s3:GetObject,s3:PutObject"}),
    ],
)
def test_accepts(kind: PolicyKind, statement: dict[str, Any]) -> None:
    """What AWS accepts where the policy is attached is a Policy."""
    assert len(parse_policy(document(statement), kind).statements) == 1


@pytest.mark.parametrize(
    ("kind", "statement", "where", "message"),
    [
        (IDENTITY, {**GOOD, "Actions": "x"}, "Statement[0]", "`Actions` is no element"),
        (IDENTITY, {**GOOD, "action": "x"}, "Statement[0]", "`action` is no element"),
        (IDENTITY, {**GOOD, "Effect": "allow"}, "Statement[0].Effect", "`allow` is no effect"),
        (IDENTITY, without(GOOD, "Effect"), "Statement[0]", "no `Effect`"),
        (IDENTITY, without(GOOD, "Action"), "Statement[0]", "neither `Action` nor `NotAction`"),
        (IDENTITY, without(GOOD, "Resource"), "Statement[0]", "neither `Resource` nor `NotResource`"),
        (IDENTITY, {**GOOD, "NotAction": "x"}, "Statement[0].NotAction", "both `Action` and `NotAction`"),
        (IDENTITY, {**GOOD, "NotResource": "*"}, "Statement[0].NotResource", "both `Resource` and"),
        (IDENTITY, {**GOOD, "Action": []}, "Statement[0].Action", "empty `Action`"),
        (IDENTITY, {**GOOD, "Resource": []}, "Statement[0].Resource", "empty `Resource`"),
        (IDENTITY, {**GOOD, "Action": 5}, "Statement[0].Action", "a number stands where a text belongs"),
        (IDENTITY, {**GOOD, "Action": ["s3:*", None]}, "Statement[0].Action[1]", "null stands where a text"),
        (IDENTITY, {**GOOD, "Resource": {"a": 1}}, "Statement[0].Resource", "an object stands where a text"),
        (IDENTITY, {**GOOD, "Resource": "masks"}, "Statement[0].Resource", "neither an ARN nor `*`"),
        (IDENTITY, {**GOOD, "Resource": ["*", ""]}, "Statement[0].Resource[1]", "neither an ARN nor `*`"),
        (IDENTITY, {**GOOD, "Principal": "*"}, "Statement[0].Principal", "takes no principal"),
        (IDENTITY, {**GOOD, "NotPrincipal": "*"}, "Statement[0].NotPrincipal", "takes no principal"),
        (IDENTITY, {**GOOD, "Sid": "a b"}, "Statement[0].Sid", "other characters"),
        (IDENTITY, {**GOOD, "Sid": 7}, "Statement[0].Sid", "a number stands"),
        (IDENTITY, {**GOOD, "Sid": "\ud800"}, "Statement[0].Sid", "half of a surrogate pair"),
        (IDENTITY, {**GOOD, "Condition": "x"}, "Statement[0].Condition", "a text stands where an object"),
        (IDENTITY, {**GOOD, "Condition": {"Bool": "x"}}, "Statement[0].Condition.Bool", "a text stands where"),
        (IDENTITY, {**GOOD, "Condition": {"Bool": {"k": None}}}, "Statement[0].Condition.Bool.k", "null stands"),
        (IDENTITY, {**GOOD, "Condition": {"Bool": {"k": [[]]}}}, "Statement[0].Condition.Bool.k[0]", "a list stands"),
        (IDENTITY, {**GOOD, "Condition": {"Bool": {"": "x"}}}, "Statement[0].Condition.Bool", "key is empty"),
        (IDENTITY, {**GOOD, "Condition": {"Bool": {}, "bool": {}}}, "Statement[0].Condition.bool", "is there twice"),
        (
            IDENTITY,
            {**GOOD, "Condition": {"Bool": {"k": "x", "K": "x"}}},
            "Statement[0].Condition.Bool",
            "`K` is there",
        ),
        (IDENTITY, {**GOOD, "Condition": {"Bool": {"k": 10**5000}}}, "Statement[0].Condition.Bool.k", "too long"),
        (IDENTITY, {**GOOD, "Condition": {"Bool": {"k": float("nan")}}}, "Statement[0].Condition.Bool.k", "a number"),
        (IDENTITY, "x", "Statement[0]", "a text stands where an object belongs"),
        (PolicyKind.SESSION, {**GOOD, "Resource": "arn:aws:s3"}, "Statement[0].Resource", "is incomplete"),
        (RESOURCE, GOOD, "Statement[0]", "no `Principal`"),
        (RESOURCE, {**SHARED, "NotPrincipal": "*"}, "Statement[0].NotPrincipal", "both `Principal` and"),
        (RESOURCE, {**SHARED, "Principal": "111122223333"}, "Statement[0].Principal", "has no type"),
        (RESOURCE, {**SHARED, "Principal": ["*"]}, "Statement[0].Principal", "a list stands where an object"),
        (RESOURCE, {**SHARED, "Principal": {}}, "Statement[0].Principal", "names no principal"),
        (RESOURCE, {**SHARED, "Principal": {"AWS": []}}, "Statement[0].Principal", "names no principal"),
        (RESOURCE, {**SHARED, "Principal": {"User": "x"}}, "Statement[0].Principal", "`User` is no element"),
        (RESOURCE, {**SHARED, "Principal": {"AWS": "x"}}, "Statement[0].Principal.AWS", "no principal of type AWS"),
        (
            RESOURCE,
            {**SHARED, "Principal": {"AWS": ["*", "arn:aws:iam::111122223333:role/*"]}},
            "Statement[0].Principal.AWS[1]",
            "no principal of type AWS",
        ),
        (RESOURCE, {**SHARED, "Principal": {"Service": "*"}}, "Statement[0].Principal.Service", "of type Service"),
        (TRUST, without(TRUSTING, "Principal"), "Statement[0]", "no `Principal`"),
        (
            TRUST,
            without(TRUSTING, "Principal", NotPrincipal={"AWS": "111122223333"}),
            "Statement[0].NotPrincipal",
            "takes no `NotPrincipal`",
        ),
        (TRUST, {**TRUSTING, "Resource": "*"}, "Statement[0].Resource", "takes no resource"),
        (TRUST, {**TRUSTING, "NotResource": "*"}, "Statement[0].NotResource", "takes no resource"),
        (TRUST, {**TRUSTING, "Action": ["sts:*", "s3:*"]}, "Statement[0].Action[1]", "no action of STS"),
        (PolicyKind.RCP, {**SHARED, "Principal": {"AWS": "111122223333"}}, "Statement[0].Principal", "only"),
        (
            PolicyKind.RCP,
            without(SHARED, "Action", Effect="Deny", NotAction="s3:Get*"),
            "Statement[0].NotAction",
            "takes no `NotAction`",
        ),
        (PolicyKind.SCP, SHARED, "Statement[0].Principal", "takes no principal"),
    ],
)
def test_refuses(kind: PolicyKind, statement: Any, where: str, message: str) -> None:
    """What AWS refuses is a PolicyError with the JSON path and what is wrong there."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(document(statement), kind)
    assert caught.value.where == where
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("source", "where", "message"),
    [
        ("", "", "the text ends where a value belongs"),
        ("[]", "", "a list stands where an object belongs"),
        ("{}", "", "no `Statement`"),
        (b"\xff\xfe", "", "not UTF-8"),
        ('{"Statement":[]}', "Statement", "no statement"),
        ('{"Version":"2012-10-18","Statement":[]}', "Version", "no version"),
        ('{"Version":2012,"Statement":[]}', "Version", "a number stands"),
        ('{"Version":"2012-10-17","Version":"2008-10-17","Statement":[]}', "", "`Version` is there twice"),
        ('{"Statement":{"Effect":"Allow","Effect":"Deny"}}', "Statement", "`Effect` is there twice"),
        ('{"Statement":{"Effect":NaN}}', "", "`NaN` stands where a value"),
        ('{"Statements":[]}', "", "`Statements` is no element"),
        ("[" * 100_000, "", "nested too deeply"),
        ('{"a":' * 100_000, "", "nested too deeply"),
        ({1: 2}, "", "a number stands where a text belongs"),
        ({"Statement": object()}, "Statement", "something that is not JSON"),
    ],
)
def test_refuses_documents(source: Any, where: str, message: str) -> None:
    """What is no document is a PolicyError, whatever it is."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(source, IDENTITY)
    assert caught.value.where == where
    assert message in caught.value.message


def test_sids_are_unique() -> None:
    """Two statements of an identity policy with one Sid are refused; empty ones and those of services are not."""
    twice = document({**GOOD, "Sid": "a"}, {**GOOD, "Sid": "a"})
    with pytest.raises(PolicyError, match="`a` is there twice") as caught:
        parse_policy(twice, IDENTITY)
    assert caught.value.where == "Statement[1].Sid"
    assert len(parse_policy(document(GOOD, {**GOOD, "Sid": ""}), IDENTITY).statements) == 2
    assert len(parse_policy(document({**SHARED, "Sid": "a"}, {**SHARED, "Sid": "a"}), RESOURCE).statements) == 2


def refuse(source: Any, kind: PolicyKind = IDENTITY, file: str = "") -> PolicyError:
    """The error that the source is refused with."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(source, kind, file=file)
    return caught.value


TYPED = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    {
      "Sid": "one", "Effect": "Deny",
      "Action": ["s3:Get*", %s],
      "Resource": "*"
    }
  ]
}
"""


@pytest.mark.parametrize(
    ("text", "line", "column", "where"),
    [
        (TYPED % "7", 7, 29, "Statement[1].Action[1]"),
        (TYPED.replace('"Deny"', '"deny"'), 6, 31, "Statement[1].Effect"),
        (TYPED.replace('"Sid"', '"sid"'), 6, 7, "Statement[1]"),
        (TYPED.replace('"Sid": "one"', '"Effect": "Deny"'), 6, 25, "Statement[1]"),
        (TYPED.replace('"one"', '"o ne"'), 6, 14, "Statement[1].Sid"),
        (TYPED.replace('"2012-10-17"', '"2012"'), 2, 14, "Version"),
        (TYPED.replace('"s3:*", "Resource": "*"', '"s3:*"'), 4, 5, "Statement[0]"),
        (TYPED.replace('"*"}', '"mask"}'), 4, 55, "Statement[0].Resource"),
        (
            TYPED.replace('"*"}', '"*", "Condition": {"Bool": {"a": "b", "A": "b"}}}'),
            4,
            93,
            "Statement[0].Condition.Bool",
        ),
        (TYPED.replace('"*"}', '"*", "Condition": {"Bool": {"": "b"}}}'), 4, 83, "Statement[0].Condition.Bool"),
        (TYPED.replace('"*"}', '"*", "Principal": "*"}'), 4, 73, "Statement[0].Principal"),
        (TYPED.replace("s3:Get*", "s3:Get\u0101"), 7, 25, ""),
        (TYPED.replace("s3:Get*", "\\ud800"), 7, 18, "Statement[1].Action[0]"),
        (TYPED.replace('"Sid": "one"', '"\\udfff": "one"'), 6, 7, "Statement[1]"),
    ],
)
def test_an_error_says_line_and_column(text: str, line: int, column: int, where: str) -> None:
    """What is wrong in a text is found again: the value itself, or the key that should not be there."""
    text = text.replace("%s", '"s3:Put*"')
    error = refuse(text, file="policy.json")
    assert (error.line, error.column, error.where) == (line, column, where)
    path = f": {where}" if where else ""
    assert str(error) == f"policy.json:{line}:{column}{path}: {error.message}"
    assert (refuse(text.encode()).line, refuse(text.encode()).column) == (line, column)


def test_an_error_without_a_file_says_the_path() -> None:
    """Line and column lead nowhere without a file: the path is said, and they where there is no path."""
    assert str(refuse('{"Statement": []}')) == "Statement: the policy has no statement"
    assert str(refuse("[")) == "line 1, column 2: the policy is not JSON: the text ends where a value belongs"
    assert str(refuse({})) == "the policy has no `Statement`"


def test_a_mapping_has_no_lines() -> None:
    """A document that comes as a mapping has paths, and neither line nor column."""
    error = refuse(document({**GOOD, "Effect": "allow"}))
    assert (error.line, error.column, error.where) == (0, 0, "Statement[0].Effect")
    assert str(error).startswith("Statement[0].Effect: ")


@pytest.mark.parametrize("kind", [IDENTITY, PolicyKind.BOUNDARY, TRUST, PolicyKind.SESSION])
def test_iam_takes_latin_characters_only(kind: PolicyKind) -> None:
    """AWS: "IAM and AWS STS quotas", IAM name requirements: U+0009, U+000A, U+000D and U+0020 to U+00FF."""
    assert "U+4E2D" in refuse('{"Id": "\u4e2d"}', kind).message
    assert "no `Statement`" in refuse('{"Id": "\u00ff"}', kind).message
    assert "no `Statement`" in refuse('{"Id": "\u4e2d"}', RESOURCE).message


def test_bytes_that_are_no_text_have_their_place() -> None:
    """The first byte that is not UTF-8 is found by line and column, in characters."""
    error = refuse('{\n"é'.encode() + b"\xff")
    assert (error.line, error.column, error.message) == (2, 3, "the policy is not UTF-8 text")
