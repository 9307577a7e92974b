"""Strings in some languages and in none of others, against looking at all short ones; samples against any value."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyhole.iam.match import Wildcard, split_wildcards
from keyhole.iam.operators import binary, boolean, date, ip, numeric
from keyhole.iam.operators.operator import Operator
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.language import Language, Pattern, Style, make_pattern
from keyhole.iam.symbolic.strings import find_string

EXAMPLES = int(os.environ.get("KEYHOLE_EXAMPLES", "0"))
"""How many examples a long run by hand takes."""
SHORT = ["".join(letters) for length in range(6) for letters in product("abA/", repeat=length)]
ARNS = [
    ":".join(fields) for fields in product(("a", "ab", ""), ("b", ""), ("a",), ("",), ("", "b"), ("a", "b:a", "ba"))
]

plain_texts = st.text("ab*?/", max_size=6)
plain = st.builds(lambda text: make_pattern(split_wildcards(text)), plain_texts)
folding = st.builds(lambda text: make_pattern(split_wildcards(text), Style.IGNORE_CASE), st.text("abA*?", max_size=5))
arn_fields = st.sampled_from(["a", "*", "?", "b", "", "a*", "*b", "?*"])
arns = st.builds(
    lambda fields, style: make_pattern(split_wildcards(":".join(fields)), style),
    st.lists(arn_fields, min_size=5, max_size=7),
    st.sampled_from([Style.ARN, Style.ARN, Style.PLAIN]),
)


def languages(patterns: st.SearchStrategy[Pattern]) -> st.SearchStrategy[list[Language]]:
    return st.lists(st.lists(patterns, min_size=1, max_size=3).map(lambda each: Language(tuple(each))), max_size=3)


def is_in(pattern: Pattern, text: str) -> bool:
    """By a regular expression, field by field for ARNs."""
    if pattern.style is not Style.ARN:
        flags = re.DOTALL | (re.IGNORECASE if pattern.style is Style.IGNORE_CASE else 0)
        return re.fullmatch(expression(pattern, "."), text, flags) is not None
    written = "".join(part if isinstance(part, str) else part.value for part in pattern.parts)
    fields, given_fields = written.split(":", 5), text.split(":", 5)
    if len(fields) < 6 or len(given_fields) < 6:
        return False
    pairs = zip(fields, given_fields, strict=True)
    return all(
        re.fullmatch(expression(make_pattern(split_wildcards(field)), "."), text, re.DOTALL) for field, text in pairs
    )


def expression(pattern: Pattern, letter: str) -> str:
    return "".join(
        re.escape(part) if isinstance(part, str) else f"{letter}*" if part is Wildcard.ANY else letter
        for part in pattern.parts
    )


def fits(text: str, within: Sequence[Language], outside: Sequence[Language]) -> bool:
    def in_language(language: Language) -> bool:
        return any(is_in(pattern, text) for pattern in language.patterns)

    return all(map(in_language, within)) and not any(map(in_language, outside))


@pytest.mark.parametrize("kind", ["plain", "mixed", "arns"])
def test_a_string_is_found_if_there_is_one(kind: str) -> None:
    """And the one that is found is one."""
    patterns, listed = {"plain": (plain, SHORT), "mixed": (plain | folding, SHORT), "arns": (arns, ARNS)}[kind]

    @settings(max_examples=EXAMPLES or 120, deadline=None)
    @given(languages(patterns), languages(patterns))
    def check(within: list[Language], outside: list[Language]) -> None:
        found = find_string(within, outside, Budget(30.0))
        if found is not None:
            assert fits(found, within, outside), found
        else:
            assert not any(fits(text, within, outside) for text in listed)

    check()


numbers = st.one_of(
    st.sampled_from(["10", "10.5", "1e1", "-3", "0", "10.50", ".5", "x", "1e-9999", "9e9999"]),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
)
dates = st.one_of(
    st.datetimes().map(lambda moment: moment.strftime("%Y").zfill(4) + moment.strftime("-%m-%dT%H:%M:%S.%fZ")),
    st.sampled_from(
        ["2026", "2026-01-01", "1700000000", "2026-01-01T00:00:00.000000001Z", "x", "9999-12-31T23:59:59Z"]
    ),
    st.integers(-(10**17), 10**17).map(str),
)
addresses = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(["10.0.0.0", "10.0.0.1", "10.0.0.2", "255.255.255.255", "ffff::", "::", "x", "0.0.0.0"]),
)
ranges = st.one_of(
    addresses,
    st.builds(lambda address, length: f"{address}/{length}", st.ip_addresses(v=4), st.integers(0, 32)),
    st.builds(lambda address, length: f"{address}/{length}", st.ip_addresses(v=6), st.integers(0, 128)),
    st.sampled_from(["10.0.0.0/31", "10.0.0.0/8", "10.0.0.1/32", "0.0.0.0/0", "::/0", "x/3"]),
)
booleans = st.sampled_from(["true", "false", "TRUE", "yes", ""])
blobs = st.one_of(st.binary(max_size=3).map(lambda raw: __import__("base64").b64encode(raw).decode()), st.just("x"))
FAMILIES = {
    "numbers": (numeric.OPERATORS, numbers, numbers),
    "dates": (date.OPERATORS, dates, dates),
    "addresses": (ip.OPERATORS, ranges, addresses),
    "booleans": (boolean.OPERATORS, booleans, booleans),
    "blobs": (binary.OPERATORS, blobs, blobs),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_whatever_is_given_some_sample_is_judged_alike(name: str) -> None:
    """By every operator of the type and every value at once; or it is no value of the type."""
    operators, wanted, asked = FAMILIES[name]

    @settings(max_examples=EXAMPLES or 150, deadline=None)
    @given(st.lists(wanted, min_size=1, max_size=4).map(tuple), asked)
    def check(values: tuple[str, ...], given_text: str) -> None:
        cut = operators[0].cut
        assert cut is not None
        judged = {verdicts(operators, values, sample) for sample in (*cut(values), "\N{REPLACEMENT CHARACTER}")}
        assert verdicts(operators, values, given_text) in judged

    check()


def verdicts(operators: Sequence[Operator], values: tuple[str, ...], text: str) -> tuple[bool | None, ...]:
    """Give what each operator says of the text and each value that it can read."""
    found = (operator.compare((value,), text) for operator in operators for value in values)
    return tuple(found)
