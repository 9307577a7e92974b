"""JSON with places: a text becomes plain values, each with where it stands; what is no strict JSON is refused.

Strict means RFC 8259 without anything beside it: no NaN, no byte order mark, no comment, no comma too many. Numbers
keep their spelling, and a key that is written twice is remembered. No text makes the reader recurse, and each character
is looked at a fixed number of times.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from keyhole.errors import PolicyError

MOST_DEPTH = 64
"""Lists and objects inside each other; a policy needs seven."""

_SOLID = re.compile(r"[^ \t\n\r]")
_TEXT_BODY = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*+)*+')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+")
_WORDS = {"true": True, "false": False, "null": None}
_WORD = re.compile("|".join(_WORDS))
_STRANGE_WORD = re.compile("-?[A-Za-z]{1,20}")
_ENDS = {"{": "}", "[": "]"}


class Number(str):
    """A JSON number as it was written: a condition value may be one, nothing else may."""

    __slots__ = ()


class JsonObject(dict[str, Any]):
    """A JSON object that remembers the first key that was written twice."""

    __slots__ = ("duplicate",)

    def __init__(self) -> None:
        super().__init__()
        self.duplicate: str | None = None

    def put(self, key: str, value: Any) -> None:
        """Set a member; the last of the same key counts."""
        if key in self and self.duplicate is None:
            self.duplicate = key
        self[key] = value


@dataclass(frozen=True, slots=True)
class Source:
    """A text, and the name of the file that it comes from, where there is one."""

    text: str
    file: str = ""

    def refuse(self, message: str, at: int, *, hint: str = "", where: str = "") -> NoReturn:
        """Raises: PolicyError at the character `at`."""
        line = self.text.count("\n", 0, at) + 1
        column = at - self.text.rfind("\n", 0, at)
        raise PolicyError(message, hint=hint, where=where, line=line, column=column, file=self.file)


@dataclass(slots=True)
class Spot:
    """A value, where it starts in the text, and the spots of its members and keys (the last of the same key)."""

    value: Any
    start: int
    members: dict[str | int, Spot] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    key: str = ""

    def add(self, member: Spot) -> None:
        """Put the next member in: at the end of a list, under the key just read in an object."""
        if isinstance(self.value, JsonObject):
            self.value.put(self.key, member.value)
            self.members[self.key] = member
        else:
            self.members[len(self.value)] = member
            self.value.append(member.value)


def read_json(source: Source) -> Spot:
    """The value of the whole text.

    Raises: PolicyError at the first character that cannot stand where it does.
    """
    tokens = _Tokens(source)
    around: list[Spot] = []
    while True:
        spot, end = tokens.read_start()
        if end and not tokens.take(end):
            if len(around) == MOST_DEPTH:
                source.refuse("the policy is nested too deeply", spot.start)
            around.append(spot)
            tokens.read_key(spot)
            continue
        while around:
            around[-1].add(spot)
            if tokens.take(","):
                tokens.read_key(around[-1])
                break
            spot = around.pop()
            tokens.expect_end(spot)
        else:
            tokens.expect_nothing()
            return spot


class _Tokens:
    """The text from the next token on."""

    __slots__ = ("at", "source", "text")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.at = 0

    def take(self, mark: str) -> bool:
        """Step over the mark, if it is the next thing."""
        found = self._next() == mark
        self.at += found
        return found

    def read_start(self) -> tuple[Spot, str]:
        """A scalar and "", or an empty list or object and the mark that will end it."""
        first, start = self._next(), self.at
        if first in _ENDS:
            self.at += 1
            return Spot(JsonObject() if first == "{" else [], start), _ENDS[first]
        if first == '"':
            return Spot(self._read_text(), start), ""
        if match := _NUMBER.match(self.text, start):
            value: Any = Number(match[0])
        elif match := _WORD.match(self.text, start):
            value = _WORDS[match[0]]
        else:
            self._refuse("a value")
        self.at = match.end()
        return Spot(value, start), ""

    def read_key(self, spot: Spot) -> None:
        """Step over the key and colon of an object's next member."""
        if not isinstance(spot.value, JsonObject):
            return
        if self._next() != '"':
            self._refuse("a key in double quotes")
        start = self.at
        spot.key = self._read_text()
        spot.keys[spot.key] = start
        if not self.take(":"):
            self._refuse("`:`")

    def expect_end(self, spot: Spot) -> None:
        """Step over the end of the list or object."""
        end = "}" if isinstance(spot.value, JsonObject) else "]"
        if not self.take(end):
            self._refuse(f"`,` or `{end}`")

    def expect_nothing(self) -> None:
        """Raises: PolicyError if the text goes on."""
        if self._next():
            self._refuse("the end of the policy")

    def _next(self) -> str:
        """The next character that is no white space; "" at the end."""
        match = _SOLID.search(self.text, self.at)
        self.at = match.start() if match else len(self.text)
        return self.text[self.at : self.at + 1]

    def _read_text(self) -> str:
        end = next(_TEXT_BODY.finditer(self.text, self.at)).end()
        if self.text[end : end + 1] != '"':
            self._refuse_text(end)
        start, self.at = self.at, end + 1
        return str(json.loads(self.text[start : self.at]))

    def _refuse_text(self, end: int) -> NoReturn:
        found = self.text[end : end + 1]
        if found == "\\":
            self.source.refuse("the policy is not JSON: no escape sequence starts like this", end)
        if found:
            self.source.refuse(f"the policy is not JSON: {_show(found)} stands in a text", end, hint="escape it")
        self.source.refuse("the policy is not JSON: the text has no end", self.at, hint="close it by a double quote")

    def _refuse(self, expected: str) -> NoReturn:
        word = _STRANGE_WORD.match(self.text, self.at)
        found = word[0] if word else self.text[self.at : self.at + 1]
        hint = "leave out the comma before it" if found in {"}", "]"} and self._follows_comma() else ""
        what = f"{_show(found)} stands" if found else "the text ends"
        self.source.refuse(f"the policy is not JSON: {what} where {expected} belongs", self.at, hint=hint)

    def _follows_comma(self) -> bool:
        return self.text[: self.at].rstrip(" \t\n\r").endswith(",")


def _show(found: str) -> str:
    """What was found, where it can be printed, and otherwise the code point of the one character that it is."""
    return f"`{found}`" if found.isprintable() else f"the character U+{ord(found):04X}"
