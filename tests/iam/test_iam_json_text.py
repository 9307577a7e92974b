"""The JSON reader: strict, with the place of everything, and of one mind with Python's decoder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyhole.errors import PolicyError
from keyhole.iam.json_text import MOST_DEPTH, JsonObject, Number, Source, read_json

MARKS = st.sampled_from(
    [*'{}[]:,"\\ \n\t\r-.0123456789eE+uDd8', "true", "false", "null", "NaN", "Infinity", "\ufeff", "é"]
)


def decode(text: str) -> Any:
    """What Python's decoder makes of the text; None where it is not strict JSON."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return [json.loads(text, parse_int=Number, parse_float=Number, parse_constant=refuse)]
    except ValueError:
        return None


def read(text: str) -> Any:
    """What the reader makes of the text; None where it refuses it."""
    try:
        return [read_json(Source(text)).value]
    except PolicyError:
        return None


@given(st.lists(MARKS, max_size=14).map("".join) | st.text(max_size=20))
@example("[1.]")
@example("[01]")
@example("[-]")
@example('["\\uD83D\\uDE00\\ud800"]')
@example("[1e5,-0.0E-1]")
@example('{"a":1,"a":2}')
def test_the_two_readers_agree(text: str) -> None:
    """The reader takes what Python's strict decoder takes, and makes the same of it."""
    assert read(text) == decode(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers().map(str).map(Number) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(JSON, st.sampled_from([None, 0, 2]), st.booleans())
def test_a_value_survives_its_text(value: Any, indent: int | None, is_ascii: bool) -> None:
    """What was written is what is read, whatever the white space and the escapes."""
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    assert read(text) == decode(text) == [value]


@given(JSON, st.sampled_from([None, 2]))
def test_every_value_has_its_place(value: Any, indent: int | None) -> None:
    """The text from the place of each value on starts with that value, and that from each key's with the key."""
    text = json.dumps(value, indent=indent)
    todo = [read_json(Source(text))]
    for spot in todo:
        assert json.JSONDecoder(parse_int=Number).raw_decode(text, spot.start)[0] == spot.value
        for key, start in spot.keys.items():
            assert json.JSONDecoder().raw_decode(text, start)[0] == key
        todo.extend(spot.members.values())


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("", (1, 1), "the text ends where a value belongs", ""),
        (" \n ", (2, 2), "the text ends where a value belongs", ""),
        ("\ufeff{}", (1, 1), "the character U+FEFF stands where a value belongs", ""),
        ("\x00", (1, 1), "the character U+0000 stands where a value belongs", ""),
        ('{"a": NaN}', (1, 7), "`NaN` stands where a value belongs", ""),
        ('{"a": -Infinity}', (1, 7), "`-Infinity` stands where a value belongs", ""),
        ("{'a': 1}", (1, 2), "`'` stands where a key in double quotes belongs", ""),
        ('{"a" 1}', (1, 6), "`1` stands where `:` belongs", ""),
        ('{"a": 1,}', (1, 9), "`}` stands where a key in double quotes belongs", "leave out the comma before it"),
        ("[1,\n]", (2, 1), "`]` stands where a value belongs", "leave out the comma before it"),
        ("[}", (1, 2), "`}` stands where a value belongs", ""),
        ("[1 2]", (1, 4), "`2` stands where `,` or `]` belongs", ""),
        ('{"a": 1]', (1, 8), "`]` stands where `,` or `}` belongs", ""),
        ("{} // more", (1, 4), "`/` stands where the end of the policy belongs", ""),
        ('["a\nb"]', (1, 4), "the character U+000A stands in a text", "escape it"),
        (r'["a\x"]', (1, 4), "no escape sequence starts like this", ""),
        (r'["\u12"]', (1, 3), "no escape sequence starts like this", ""),
        ('\n["a', (2, 2), "the text has no end", "close it by a double quote"),
    ],
)
def test_what_is_no_json_is_told_by_its_place(text: str, place: tuple[int, int], message: str, hint: str) -> None:
    """The first character that cannot stand where it does is named, by line and column."""
    with pytest.raises(PolicyError) as caught:
        read_json(Source(text, "policy.json"))
    error = caught.value
    assert (error.line, error.column) == place
    assert error.message == f"the policy is not JSON: {message}"
    assert error.hint == hint
    assert str(error).startswith(f"policy.json:{place[0]}:{place[1]}: ")


def test_depth_has_an_end() -> None:
    """Lists and objects stand inside each other as deep as the reader says, and not one deeper."""
    assert read("[" * MOST_DEPTH + "1" + "]" * MOST_DEPTH) is not None
    with pytest.raises(PolicyError, match="nested too deeply") as caught:
        read_json(Source("[" * (MOST_DEPTH + 1) + "1" + "]" * (MOST_DEPTH + 1)))
    assert caught.value.column == MOST_DEPTH + 1


def test_the_first_duplicate_is_remembered() -> None:
    """Of several keys that are written twice the first is the one that is told."""
    value = read_json(Source('{"a": 1, "b": 1, "b": 2, "a": 2, "b": 3}')).value
    assert isinstance(value, JsonObject)
    assert value.duplicate == "b"
    assert value == {"a": "2", "b": "3"}
