"""Documents as text, and whether two of them say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iam_strategies import policies, requests

from keyhole.iam import PolicyKind, PolicySet, decide, parse_policy, render_policy
from keyhole.iam.text import same_document, write_document

ONE = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::masks/*"}
TWO = {"Effect": "Deny", "NotAction": ["s3:Get*", "s3:Put*"], "NotResource": ["*"], "Sid": "x"}
RICH: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"AWS": ["111122223333", "444455556666"], "Service": "ec2.amazonaws.com"},
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": True}, "StringLike": {"aws:username": ["a", "b"]}},
}


def document(*statements: Any, **others: Any) -> dict[str, Any]:
    """A document of the current version."""
    return {"Version": "2012-10-17", "Statement": list(statements), **others}


def change(**elements: Any) -> dict[str, Any]:
    """A document of the one rich statement, some of whose elements are others."""
    return document({**RICH, **elements})


def test_text_is_compact_and_in_order() -> None:
    """No blanks, no sorting, and letters as they are."""
    text = write_document({"Version": "2012-10-17", "Id": "größe", "Statement": [{"Sid": "b", "Effect": "Allow"}]})
    assert text == '{"Version":"2012-10-17","Id":"größe","Statement":[{"Sid":"b","Effect":"Allow"}]}'


@given(policies(PolicyKind.RESOURCE))
def test_what_is_written_reads_the_same(policy: Any) -> None:
    """The text is JSON of the very document."""
    assert json.loads(write_document(render_policy(policy))) == render_policy(policy)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, None),
        (document(ONE), {"Statement": ONE, "Version": "2012-10-17"}),
        (document(ONE, TWO), document(TWO, ONE)),
        (document(ONE), document({**ONE, "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::masks/*"]})),
        (document(TWO), document({**TWO, "NotAction": ["s3:Put*", "s3:Get*", "s3:Get*"], "NotResource": "*"})),
        (change(), change(Principal={"Service": ["ec2.amazonaws.com"], "AWS": ["444455556666", "111122223333"]})),
        (change(NotPrincipal={"AWS": "1"}), change(NotPrincipal={"AWS": ["1"]})),
        (
            change(),
            change(
                Condition={"StringLike": {"AWS:UserName": ["b", "a"]}, "Bool": {"aws:SecureTransport": ["true"]}},
            ),
        ),
        (change(Condition={"NumericEquals": {"k": 10}}), change(Condition={"NumericEquals": {"k": "10"}})),
        (change(), document(RICH, RICH)),
        (change(), document(RICH, Id="x")),
        (change(), change(Sid="x")),
        (change(Action=["s3:GetObject"]), change(Action="S3:getObject")),
        (change(NotAction="s3:Get*"), change(NotAction=["S3:GET*"])),
        (change(Principal={"AWS": "111122223333"}), change(Principal={"AWS": "arn:aws:iam::111122223333:root"})),
        (change(Principal={"AWS": "111122223333"}), change(Principal={"AWS": ["arn:aws-cn:iam::111122223333:root"]})),
        (change(Principal="*"), change(Principal={"AWS": "*"})),
        (change(NotPrincipal="*"), change(NotPrincipal={"AWS": ["*"]})),
        ({"Statement": [ONE]}, {"Version": "2008-10-17", "Statement": ONE}),
    ],
)
def test_the_same(one: Any, other: Any) -> None:
    """Lists of one, order, repetition, names, the case of actions and condition keys, the quotes of a scalar, how an
    account or everyone is written, and a version that is the default, say nothing.
    """
    assert same_document(one, other) is True
    assert same_document(other, one) is True


@pytest.mark.parametrize(
    "other",
    [
        None,
        document(),
        {**change(), "Version": "2008-10-17"},
        {"Statement": [RICH]},
        change(Effect="Deny"),
        change(Action=["s3:*", "s3:Get*"]),
        change(Resource="ARN:aws:s3:::masks"),
        change(Principal={"AWS": "arn:aws:iam::111122223333:user/root"}),
        change(Principal={"AWS": "arn:aws:iam::1111222233334:root"}),
        change(Resource=["*", "arn:aws:s3:::masks"]),
        change(Principal="*"),
        change(Principal={"AWS": ["111122223333"], "Service": "ec2.amazonaws.com"}),
        change(Principal={"AWS": ["111122223333", "444455556666"], "Federated": "ec2.amazonaws.com"}),
        change(Condition={}),
        change(Condition={**RICH["Condition"], "Bool": {"aws:SecureTransport": False}}),
        change(Condition={**RICH["Condition"], "StringLike": {"aws:userid": ["a", "b"]}}),
        change(Condition={**RICH["Condition"], "StringLike": {"aws:username": ["a", "B"]}}),
        change(Condition={"Bool": {"aws:SecureTransport": True}, "StringEquals": {"aws:username": ["a", "b"]}}),
    ],
)
def test_not_the_same(other: Any) -> None:
    """Another value, element, operator, version or number of statements is another document."""
    assert same_document(change(), other) is False
    assert same_document(other, change()) is False


def respell(value: Any, data: st.DataObject, name: str = "") -> Any:
    """The value with lists turned and lists of one exchanged with their member, where AWS does so."""
    if isinstance(value, dict):
        names = data.draw(st.permutations(sorted(value)))
        return {key: respell(value[key], data, key) for key in names}
    if isinstance(value, list):
        turned = [respell(item, data) for item in data.draw(st.permutations(value))]
        return turned[0] if len(turned) == 1 and data.draw(st.booleans()) else turned
    is_free = name not in {"Version", "Id", "Sid", "Effect", "Principal", "NotPrincipal", ""}
    return [value] if is_free and data.draw(st.booleans()) else value


@given(policies(PolicyKind.RESOURCE), policies(PolicyKind.RESOURCE), st.data())
def test_spelling_never_matters(policy: Any, unlike: Any, data: st.DataObject) -> None:
    """A document is the same as itself in every spelling, which parses and is as unlike any other, either way."""
    one, other = render_policy(policy), render_policy(unlike)
    spelled = respell(one, data)
    assert same_document(one, one)
    assert same_document(one, spelled)
    assert same_document(spelled, one)
    assert same_document(spelled, other) is same_document(other, one)
    assert parse_policy(spelled, PolicyKind.RESOURCE).version == policy.version


@given(policies(PolicyKind.RESOURCE), requests, st.data())
def test_the_same_decides_the_same(policy: Any, request_: Any, data: st.DataObject) -> None:
    """What is the same document, whatever its spelling and with one word changed, decides the same."""
    words = ["Allow", "Deny", "*", "s3:GetObject", "alice", "10", "true"]
    text = write_document(respell(render_policy(policy), data))
    changed = text.replace(f'"{data.draw(st.sampled_from(words))}"', f'"{data.draw(st.sampled_from(words))}"', 1)
    one, other = json.loads(text), json.loads(changed)
    if not same_document(one, other):
        return
    first, second = (PolicySet(resource=parse_policy(each, PolicyKind.RESOURCE)) for each in (one, other))
    assert decide(request_, first).outcome is decide(request_, second).outcome
