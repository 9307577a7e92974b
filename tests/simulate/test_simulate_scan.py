"""Objects read member by member, and arrays item by item."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhole.errors import KeyholeError
from keyhole.simulate.scan import MOST_REMEMBERED, MemberScanner, PolicyText, scan_items

texts = st.sampled_from(["", "a", "a b", '"', "\\", "é", "\n", "]", "}", ","])
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | texts | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from(["identity", "a", "b c", "é"]), values, max_size=4)
indents = st.sampled_from([None, 1])


@given(st.lists(st.tuples(objects, indents), max_size=3))
def test_members_are_those_that_json_gives(found: list[tuple[dict[str, Any], int | None]]) -> None:
    """Whatever lines came before, each is split as JSON says, and policies stay their own text."""
    scanner = MemberScanner({"identity"})
    for expected, indent in found:
        members = scanner.scan(json.dumps(expected, indent=indent))
        assert list(members) == list(expected)
        for name, value in members.items():
            if name == "identity":
                assert (None if value is None else json.loads(value)) == expected[name]
            else:
                assert json.loads(json.dumps(value)) == _numbers_as_text(expected[name])


def _numbers_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers_as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers_as_text(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(st.lists(values, max_size=4), indents)
def test_items_are_those_that_json_gives(expected: list[Any], indent: int | None) -> None:
    """Each item's text is JSON of that item."""
    assert [json.loads(text) for text in scan_items(json.dumps(expected, indent=indent))] == expected


@given(st.text(alphabet='{}[]",:a0 \\tnul', max_size=20))
def test_any_text_is_members_or_one_error(text: str) -> None:
    """What Python's parser takes for an object without doubles is one, and everything else is a KeyholeError."""
    try:
        expected = json.loads(text)
    except ValueError:
        expected = None
    try:
        members = MemberScanner({"a"}).scan(text)
    except KeyholeError as error:
        is_double = "twice" in error.message
        assert is_double or not isinstance(expected, dict)
    else:
        assert isinstance(expected, dict)
        assert set(members) == set(expected)


def test_a_text_that_was_there_before_is_given_again_itself() -> None:
    """Also after others, and also where another one begins as it does."""
    scanner = MemberScanner({"identity"})
    lines = [f'{{"identity": [{{"a": {"[" * n}{"]" * n}}}]}}' for n in range(1, MOST_REMEMBERED)]
    first = [scanner.scan(line)["identity"] for line in lines]
    again = [scanner.scan(line)["identity"] for line in reversed(lines)]
    assert all(isinstance(text, PolicyText) for text in first)
    assert [id(text) for text in first] == [id(text) for text in reversed(again)]


def test_a_number_is_not_taken_for_its_beginning() -> None:
    """`12` after `1` is `12`: only what says itself where it ends is remembered."""
    scanner = MemberScanner({"identity"})
    assert scanner.scan('{"identity": 1}') == {"identity": "1"}
    assert scanner.scan('{"identity": 12}') == {"identity": "12"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "the line is no JSON object"),
        ("", "the line is no JSON object"),
        ("{", "column 2: expecting a key in double quotes"),
        ('{"a" 1}', "column 5: expecting `:`"),
        ('{"a": }', "column 7: expecting value"),
        ('{"a": 1 "b": 2}', "column 9: expecting `,` or `}`"),
        ('{"a": 1} {', "column 10: there is something after the object"),
        ('{"a": NaN}', "`NaN` is no number"),
        ('{"a": 1, "a": 2}', "the line has `a` twice"),
        ('{"a": {"k": 1, "k": 2}}', "the key `k` is there twice"),
        ('{"\\u0061": 1, "a": 2}', "the line has `a` twice"),
        ('{"a": "', "column 7: unterminated string"),
    ],
)
def test_what_is_wrong_is_said_with_its_column(line: str, message: str) -> None:
    """One error, which says what and where."""
    with pytest.raises(KeyholeError) as caught:
        MemberScanner({"identity"}).scan(line)
    assert message in caught.value.message
