"""Bad input: whatever comes is a Policy or a PolicyError, in time linear in its size."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iam_steps import count_lines
from iam_strategies import policies

from keyhole.errors import PolicyError
from keyhole.iam import Policy, PolicyKind, parse_policy, render_policy

KINDS = st.sampled_from(PolicyKind)
GOOD = '{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}'
PIECES = [
    *(b'"', b"{", b"}", b"[", b"]", b":", b",", b"\\", b"\n", b"7", b"-", b"null", b"true", b"NaN", b"[[", b"{}"),
    *(b'"Effect":"Deny",', b'"Statement"', b'"AWS"', b'"*"', b'"Condition":{', b"\\ud800", b"\xff", b"\xc3\xa9", b"\0"),
]


def parse_or_refuse(source: Any, kind: PolicyKind) -> Policy | None:
    """Parse, and let nothing but a PolicyError that can be printed and says where it is stand for a refusal."""
    error: PolicyError
    try:
        policy = parse_policy(source, kind, file="policy.json")
    except PolicyError as caught:
        error = caught
    else:
        document = render_policy(policy)
        assert render_policy(parse_policy(document, kind)) == document
        return policy
    str(error).encode()
    error.hint.encode()
    if isinstance(source, (str, bytes)):
        text = source if isinstance(source, str) else source.decode(errors="replace")
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    return None


@given(st.binary(max_size=200) | st.text(max_size=200), KINDS)
def test_any_bytes_are_a_policy_or_refused(source: bytes | str, kind: PolicyKind) -> None:
    """No bytes and no text make the parser fail in another way."""
    parse_or_refuse(source, kind)


NAMES = st.sampled_from(["Version", "Id", "Statement", "Effect", "Action", "NotAction", "Resource", "Principal", "AWS"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
WORDS = st.sampled_from(["Allow", "Deny", "*", "2012-10-17", "s3:Get*", "StringLike", "arn:aws:s3:::x", "\ud800"])
VALUES = st.recursive(
    SCALARS | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | WORDS | st.just("Condition") | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4), VALUES, KINDS)
def test_any_json_is_a_policy_or_refused(elements: dict[str, Any], statement: Any, kind: PolicyKind) -> None:
    """No JSON makes the parser fail in another way, as a mapping or as text."""
    for source in (elements, {"Statement": statement}, {"Statement": {**json.loads(GOOD), **elements}}):
        parse_or_refuse(source, kind)
        parse_or_refuse(json.dumps(source), kind)
        parse_or_refuse(json.dumps(source, indent=1, ensure_ascii=False), kind)


@given(KINDS.flatmap(lambda kind: st.tuples(st.just(kind), policies(kind))), st.data())
def test_a_damaged_policy_is_a_policy_or_refused(pair: tuple[PolicyKind, Policy], data: st.DataObject) -> None:
    """A valid document with pieces put in, cut out and doubled is taken or refused, never choked on."""
    kind, policy = pair
    source = json.dumps(render_policy(policy), indent=data.draw(st.sampled_from([None, 1]))).encode()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(source)))
        end = data.draw(st.integers(start, min(len(source), start + 12)))
        piece = data.draw(st.sampled_from(PIECES) | st.just(source[start:end] * 2) | st.just(b""))
        source = source[:start] + piece + source[end:]
    parse_or_refuse(source, kind)


def _join(items: int, item: Callable[[int], str]) -> str:
    return ",".join(item(number) for number in range(items))


def _texts(items: int, pattern: str) -> str:
    return _join(items, lambda number: json.dumps(pattern.format(number)))


def _statement(rest: str) -> str:
    return f'{{"Statement":{{"Effect":"Allow",{rest}}}}}'


def _condition(block: str) -> str:
    return _statement(f'"Action":"*","Resource":"*","Condition":{block}')


FAMILIES: dict[str, tuple[PolicyKind, Callable[[int], str]]] = {
    "lists in lists": (PolicyKind.IDENTITY, lambda n: "[" * n),
    "objects in objects": (PolicyKind.IDENTITY, lambda n: '{"Statement":' * n),
    "closed lists in lists": (PolicyKind.IDENTITY, lambda n: "[" * n + "]" * n),
    "white space": (PolicyKind.IDENTITY, lambda n: "\n" * n + "{}"),
    "a text without end": (PolicyKind.IDENTITY, lambda n: '{"' + "a" * n),
    "escapes without end": (PolicyKind.IDENTITY, lambda n: '{"' + "\\n" * n),
    "the same key again": (PolicyKind.IDENTITY, lambda n: "{" + _join(n, lambda _: '"Version":"2012-10-17"') + "}"),
    "unknown keys": (PolicyKind.IDENTITY, lambda n: "{" + _join(n, lambda i: f'"k{i}":1') + "}"),
    "commas": (PolicyKind.IDENTITY, lambda n: "[" + _join(n, lambda _: "") + "]"),
    "statements": (
        PolicyKind.IDENTITY,
        lambda n: '{"Statement":[' + _join(n, lambda i: GOOD.replace("{", f'{{"Sid":"s{i}",')) + "]}",
    ),
    "statements, the last of them wrong": (
        PolicyKind.IDENTITY,
        lambda n: f'{{"Statement":[{_join(n, lambda _: GOOD)},{GOOD.replace("Allow", "allow")}]}}',
    ),
    "actions": (
        PolicyKind.IDENTITY,
        lambda n: _statement(f'"Resource":"*","Action":[{_texts(n, "s3:a{}")}]'),
    ),
    "actions, the last a number": (
        PolicyKind.IDENTITY,
        lambda n: _statement(f'"Resource":"*","Action":[{_texts(n, "s3:*")},7]'),
    ),
    "resources, the last of them wrong": (
        PolicyKind.IDENTITY,
        lambda n: _statement(f'"Action":"*","Resource":[{_texts(n, "arn:aws:s3:::b")},"b"]'),
    ),
    "principals": (
        PolicyKind.RESOURCE,
        lambda n: _statement(f'"Action":"*","Resource":"*","Principal":{{"AWS":[{_texts(n, "{:012}")}]}}'),
    ),
    "condition keys": (
        PolicyKind.IDENTITY,
        lambda n: _condition('{"Bool":{' + _join(n, lambda i: f'"k{i}":true') + "}}"),
    ),
    "operators": (
        PolicyKind.IDENTITY,
        lambda n: _condition("{" + _join(n, lambda i: f'"Op{i}":{{}}') + "}"),
    ),
    "condition values": (
        PolicyKind.IDENTITY,
        lambda n: _condition('{"NumericEquals":{"k":[' + _join(n, lambda i: f"{i}e9") + "]}}"),
    ),
    "one long number": (
        PolicyKind.IDENTITY,
        lambda n: _condition('{"NumericEquals":{"k":' + "9" * n + "}}"),
    ),
    "halves of surrogate pairs": (
        PolicyKind.IDENTITY,
        lambda n: _statement('"Action":"*","Resource":"' + "\\ud800" * n + '"'),
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_twice_the_document_takes_twice_the_steps(family: str) -> None:
    """The lines that run to parse, or to refuse and say where, grow with the document, not with its square."""
    kind, build = FAMILIES[family]

    def count(size: int) -> int:
        source = build(size)

        def parse() -> None:
            with contextlib.suppress(PolicyError):
                parse_policy(source, kind)

        return count_lines(parse)

    short, long = count(400), count(800)
    assert long <= 2.2 * short
    assert long <= 20 * len(build(800)) + 400


@pytest.mark.parametrize(
    "source",
    [
        "[" * 1_000_000,
        '{"Statement":' * 500_000,
        "[" * 500_000 + "]" * 500_000,
        '{"Statement":[' + "{}," * 300_000 + "{}]}",
        "9" * 1_000_000,
        '"' + "\\u0000" * 200_000 + '"',
        "\n" * 1_000_000,
        b"\xef\xbb\xbf{}",
        b"\xff" * 1_000_000,
        "{}".encode("utf-16"),
    ],
)
def test_a_large_document_is_refused(source: str | bytes) -> None:
    """A million characters of nothing good end in a PolicyError as well."""
    assert parse_or_refuse(source, PolicyKind.IDENTITY) is None


def test_a_large_policy_is_parsed() -> None:
    """The parser has no limit of its own: how long a policy may be is a question of quotas."""
    source = _statement(f'"Resource":"*","Action":[{_texts(50_000, "s3:a{}")}]')
    policy = parse_or_refuse(source, PolicyKind.IDENTITY)
    assert policy is not None
    assert len(policy.statements[0].actions.patterns) == 50_000
