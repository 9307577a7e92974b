"""A JSON object read member by member, in which the members that hold policies stay text.

A batch repeats its policies line after line. The text of a member that was there before is recognised by comparing it,
which is a hundred times faster than to parse it: a JSON object or array says itself where it ends, so that a line which
goes on with the whole text of one goes on with exactly that value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Set
from json.decoder import scanstring  # type: ignore[attr-defined]  # the C scanner, which typeshed leaves out
from typing import Any, NoReturn

from keyhole.errors import KeyholeError

MOST_REMEMBERED = 8


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


class PolicyText(str):
    """The JSON text of a member that holds policies."""

    __slots__ = ()


def _refuse_constant(text: str) -> NoReturn:
    raise KeyholeError(f"the line is not JSON: `{text}` is no number")


def _collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise KeyholeError(f"the key `{key}` is there twice", hint="give it once, with a list of its values")
        found[key] = value
    return found


_values = json.JSONDecoder(
    object_pairs_hook=_collect, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant
)
_extents = json.JSONDecoder(parse_int=str, parse_float=str)
_skip = re.compile(r"[ \t\r\n]*").match
_plain_key = re.compile(r'[ \t\r\n]*"([a-z_]+)"[ \t\r\n]*:[ \t\r\n]*').match
_colon = re.compile(r"[ \t\r\n]*:[ \t\r\n]*").match
_mark = re.compile(r"[ \t\r\n]*([,}])").match


class MemberScanner:
    """Splits objects into their members; `texts` names those that stay text."""

    def __init__(self, texts: Set[str]) -> None:
        self._recent: dict[str, list[PolicyText]] = {name: [] for name in texts}

    def scan(self, line: str) -> dict[str, Any]:
        """The members by name, those of `texts` as PolicyText, but null as None.

        Raises: KeyholeError where the line is no JSON object, or has a member twice.
        """
        try:
            return self._scan_object(line)
        except json.JSONDecodeError as error:
            raise _malformed(error.msg, error.pos) from None

    def _scan_object(self, line: str) -> dict[str, Any]:
        members: dict[str, Any] = {}
        at = _after_space(line, 0)
        if line[at : at + 1] != "{":
            raise KeyholeError("the line is no JSON object", hint="write one request, `{…}`, on one line")
        at = _after_space(line, at + 1)
        is_open = line[at : at + 1] != "}"
        at += not is_open
        while is_open:
            key, at = _scan_key(line, at)
            if key in members:
                raise KeyholeError(f"the line has `{key}` twice", hint="keep one of them")
            recent = self._recent.get(key)
            members[key], at = _values.raw_decode(line, at) if recent is None else _scan_text(recent, line, at)
            mark = _mark(line, at)
            if mark is None:
                raise _malformed("expecting `,` or `}`", _after_space(line, at))
            at = mark.end()
            is_open = mark[1] == ","
        end = _after_space(line, at)
        if end != len(line):
            raise _malformed("there is something after the object", end)
        return members


def scan_items(text: str) -> Iterator[str]:
    """The text of each item of a JSON array that is well formed.

    Raises: ValueError where it is something else than an array.
    """
    if not text.startswith("["):
        raise ValueError("no array")
    at = _after_space(text, 1)
    while text[at : at + 1] != "]":
        _, end = _extents.raw_decode(text, at)
        yield text[at:end]
        at = _after_space(text, end)
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)


def _scan_key(line: str, at: int) -> tuple[str, int]:
    """A key, and where its value begins."""
    if found := _plain_key(line, at):
        return found[1], found.end()
    at = _after_space(line, at)
    if line[at : at + 1] != '"':
        raise _malformed("expecting a key in double quotes", at)
    key, end = scanstring(line, at + 1)
    colon = _colon(line, end)
    if colon is None:
        raise _malformed("expecting `:`", end)
    return key, colon.end()


def _scan_text(recent: list[PolicyText], line: str, at: int) -> tuple[PolicyText | None, int]:
    """The text of a value, the very one that was given for an equal one before, and where it ends."""
    for index, text in enumerate(recent):
        if line.startswith(text, at):
            if index:
                recent.insert(0, recent.pop(index))
            return text, at + len(text)
    value, end = _extents.raw_decode(line, at)
    if value is None:
        return None, end
    text = PolicyText(line[at:end])
    if text[0] in "[{":
        recent.insert(0, text)
        del recent[MOST_REMEMBERED:]
    return text, end


def _after_space(line: str, at: int) -> int:
    found = _skip(line, at)
    return found.end() if found else at


def _malformed(what: str, at: int) -> KeyholeError:
    return KeyholeError(f"the line is not JSON: column {at + 1}: {what[:1].lower()}{what[1:]}")
