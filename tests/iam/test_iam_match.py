"""Matching: what the wildcards mean, and that they cost no more than the text is long."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iam_steps import count_lines

from keyhole.iam.match import (
    Wildcard,
    compile_glob,
    compile_parts,
    join_parts,
    match_action,
    match_arn,
    match_glob,
    match_pattern,
    match_resource,
    split_wildcards,
)

PATTERNS = st.text(alphabet="ab*?:.", max_size=12)
TEXTS = st.text(alphabet="ab:.", max_size=14)


def match_slowly(pattern: str, text: str) -> bool:
    """The meaning of a pattern by its definition, at exponential cost."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return match_slowly(pattern[1:], text) or (bool(text) and match_slowly(pattern, text[1:]))
    return bool(text) and pattern[0] in {"?", text[0]} and match_slowly(pattern[1:], text[1:])


@given(PATTERNS, TEXTS)
def test_a_pattern_means_what_its_definition_says(pattern: str, text: str) -> None:
    """The linear matcher agrees with the definition on every pattern."""
    assert match_pattern(pattern, text) is match_slowly(pattern, text)


def test_every_short_pattern_means_what_its_definition_says() -> None:
    """The same without chance: each pattern of up to four characters against each text of up to four."""
    short = [
        ["".join(letters) for size in range(5) for letters in product(each, repeat=size)] for each in ("a?*", "ab")
    ]
    assert not [pair for pair in product(*short) if match_pattern(*pair) is not match_slowly(*pair)]


def test_a_segment_with_a_question_mark_is_found_at_its_first_place() -> None:
    """Between two stars the leftmost place counts, and what follows starts after it."""
    assert match_pattern("*a?c*c?d*", "xabcacdyc-d-")
    assert match_pattern("*a?c*c?d*", "aacabcc-d")
    assert not match_pattern("*a?c*c?d*", "abc-d")


@given(st.text(max_size=20))
def test_every_other_character_is_itself(text: str) -> None:
    """A text without wildcards matches itself, whatever stands in it."""
    literal = re.sub(r"[*?]", "x", text)
    assert match_pattern(literal, literal)
    assert join_parts(split_wildcards(text)) == text


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("*a*a*a*a*b", id="five stars"),
        pytest.param("*a" * 1000 + "b", id="stars and letters"),
        pytest.param("*" * 2048 + "b", id="stars alone"),
        pytest.param("*a?" * 600 + "b", id="stars, letters and question marks"),
        pytest.param("*" + "a?" * 500 + "*b", id="one long segment"),
        pytest.param("*" + "?" * 1000 + "b", id="question marks"),
    ],
)
def test_a_pattern_full_of_stars_is_linear(pattern: str) -> None:
    """Against 2,048 characters that nearly match, the steps stay within a small multiple of both lengths."""
    text = "a" * 2048
    compile_glob.cache_clear()
    split_wildcards.cache_clear()
    assert match_pattern(pattern, text) is False
    compile_glob.cache_clear()
    split_wildcards.cache_clear()
    assert count_lines(lambda: match_pattern(pattern, text)) < 12 * (len(text) + len(pattern))


def test_twice_the_text_takes_twice_the_steps() -> None:
    """The steps grow with the text, not with its square."""
    glob = compile_glob("*a?a" * 100 + "*b")
    short = count_lines(lambda: match_glob(glob, "a" * 1024 + "c"))
    long = count_lines(lambda: match_glob(glob, "a" * 2048 + "c"))
    assert long < 2.5 * short


def test_a_literal_star_is_no_wildcard() -> None:
    """A `*` inside a literal part matches only itself."""
    glob = compile_parts(("a*", Wildcard.ANY, "?"))
    assert match_glob(glob, "a*b?")
    assert not match_glob(glob, "axb?")
    assert not match_glob(glob, "a*b!")


@pytest.mark.parametrize(
    ("pattern", "action", "holds"),
    [
        ("s3:Get*", "s3:getobject", True),
        ("*:GetObject", "s3:GetObject", True),
        ("*:*", "s3:GetObject", True),
        ("s3:\u212aey", "s3:key", False),
        ("s3:Get\tObject", "s3:Get\tObject", False),
        ("s?:GetObject", "s3:GetObject", False),
        ("s3:", "s3:", False),
    ],
)
def test_actions(pattern: str, action: str, holds: bool) -> None:
    """An action matches whatever its case; a malformed pattern matches nothing."""
    assert match_action(pattern, action) is holds


@given(st.sampled_from(["s3:GetObject", "iam:PassRole", "ec2:RunInstances"]), st.data())
def test_action_case_never_matters(action: str, data: st.DataObject) -> None:
    """Any mix of upper and lower case, on either side, gives the same answer."""
    mixed = "".join(data.draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in action)
    assert match_action(action, mixed)
    assert match_action(mixed, action)
    assert not match_action(f"{mixed}x", action)


@pytest.mark.parametrize(
    ("pattern", "resource", "holds"),
    [
        ("*", "*", True),
        ("***", "*", True),
        ("?", "*", False),
        ("", "*", False),
        ("arn:*", "*", False),
        ("?", "a", True),
    ],
)
def test_no_resource_is_named_by_stars_alone(pattern: str, resource: str, holds: bool) -> None:
    """An action without a resource is asked about as `*`, which is no text to be matched."""
    assert match_resource(pattern, resource) is holds


@given(PATTERNS, st.lists(st.text(alphabet="ab", max_size=3), min_size=6, max_size=6))
def test_an_arn_pattern_matches_field_by_field(pattern: str, fields: list[str]) -> None:
    """An ARN matches iff each of the six fields does."""
    globs = pattern.split(":", 5)
    expected = len(globs) == 6 and all(match_pattern(*pair) for pair in zip(globs, fields, strict=True))
    assert match_arn(pattern, ":".join(fields)) is expected


def test_a_substituted_arn_is_split_into_its_fields() -> None:
    """Colons that arrive inside a literal part separate fields as written ones do."""
    assert match_arn(("arn:aws:iam::", "1:user/", Wildcard.ANY), "arn:aws:iam::1:user/a:b")
    assert not match_arn(("arn:aws:iam::", Wildcard.ANY), "arn:aws:iam::1:user/a")
