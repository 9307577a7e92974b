"""Policy documents as JSON: bytes, text or a mapping become plain values, with their place for every complaint.

The usual case is a good document: it is read by Python's own decoder, and only when something is wrong read again, by
the reader that knows places. AWS: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from keyhole.errors import PolicyError
from keyhole.iam.json_text import JsonObject, Number, Source, Spot, read_json


class Node:
    """A value of a document, and the way to it from the root: paths and places are found when something is wrong."""

    __slots__ = ("_parent", "_source", "_step", "value")

    def __init__(
        self, value: Any, parent: Node | None = None, step: str | int = "", source: Source | None = None
    ) -> None:
        self.value = value
        self._parent = parent
        self._step = step
        self._source = source

    def refuse(self, message: str, hint: str = "", *, key: str | None = None) -> NoReturn:
        """Raises: PolicyError at this place, or at a key of this object."""
        root, steps = self, list[str | int]()
        while root._parent is not None:
            steps.append(root._step)
            root = root._parent
        steps.reverse()
        path = _render_path(steps)
        if root._source is None:
            raise PolicyError(message, hint=hint, where=path)
        spot = _follow(read_json(root._source), steps)
        root._source.refuse(message, spot.start if key is None else spot.keys[key], hint=hint, where=path)

    def child(self, key: str) -> Node:
        """The value under a key of an object."""
        return Node(self.value[key], self, key)

    def member(self, index: int) -> Node:
        """The value at an index of a list; 0 is the value itself where AWS allows a single one for a list."""
        return Node(self.value[index], self, index) if isinstance(self.value, (list, tuple)) else self


def _render_path(steps: list[str | int]) -> str:
    """`Statement[0].Action`; "" for the document itself."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _follow(spot: Spot, steps: list[str | int]) -> Spot:
    for step in steps:
        spot = spot.members[step]
    return spot


def read_document(
    source: str | bytes | Mapping[str, Any], file: str = "", *, strangers: re.Pattern[str] | None = None
) -> Node:
    """The root of the document, an object; no character of a text may be one of the `strangers`, if they are given.

    Raises: PolicyError, and nothing else, for whatever is no JSON object.
    """
    if isinstance(source, Mapping):
        root = Node(source)
    else:
        text = Source(_decode(source, file) if isinstance(source, bytes) else source, file)
        if strangers is not None:
            _check_characters(text, strangers)
        root = Node(_load(text), source=text)
    check_object(root)
    return root


def _decode(source: bytes, file: str) -> str:
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        good = Source(source[: error.start].decode(), file)
        good.refuse("the policy is not UTF-8 text", len(good.text))


def _check_characters(source: Source, strangers: re.Pattern[str]) -> None:
    if strange := strangers.search(source.text):
        code = f"U+{ord(strange[0]):04X}"
        message = f"the character {code} is none that IAM takes in a policy"
        hint = "IAM takes tab, line feed, carriage return and U+0020 to U+00FF"
        source.refuse(message, strange.start(), hint=hint)


def _load(source: Source) -> Any:
    try:
        return json.loads(
            source.text,
            object_pairs_hook=_collect_pairs,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):  # not JSON, or too deep for the decoder: the reader has the last word
        return read_json(source).value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _collect_pairs(pairs: list[tuple[str, Any]]) -> JsonObject:
    collected = JsonObject()
    for key, value in pairs:
        collected.put(key, value)
    return collected


def check_object(node: Node, known: Iterable[str] | None = None) -> None:
    """Raises: PolicyError unless the value is an object with text keys, each once and each known."""
    value = node.value
    if not isinstance(value, Mapping):
        node.refuse(f"{_describe(value)} stands where an object belongs")
    for key in value:
        if complaint := _complain_of_text(key):
            node.refuse(complaint, key=key)
        if known is not None and key not in known:
            node.refuse(f"`{key}` is no element that is known here", f"write one of {', '.join(known)}", key=key)
    if isinstance(value, JsonObject) and value.duplicate is not None:
        node.refuse(f"the key `{value.duplicate}` is there twice", key=value.duplicate)


def items_of(node: Node) -> Iterator[Node]:
    """The members of a list, or the value itself where AWS allows a single one for a list."""
    if isinstance(node.value, (list, tuple)):
        for index, value in enumerate(node.value):
            yield Node(value, node, index)
    else:
        yield node


def choose(node: Node, name: str) -> tuple[Node, bool] | None:
    """The element or its Not… form, and whether it is that; None where neither is there."""
    opposite = f"Not{name}"
    if name in node.value and opposite in node.value:
        node.child(opposite).refuse(f"the statement has both `{name}` and `{opposite}`", hint="keep one of them")
    if name in node.value:
        return node.child(name), False
    return (node.child(opposite), True) if opposite in node.value else None


def read_text(node: Node) -> str:
    """The text at a place.

    Raises: PolicyError where it is anything else.
    """
    if complaint := _complain_of_text(node.value):
        node.refuse(complaint)
    return str(node.value)


def read_texts(node: Node) -> tuple[str, ...]:
    """One text or a list of them."""
    value = node.value
    if not isinstance(value, (list, tuple)):
        return (read_text(node),)
    for index, item in enumerate(value):
        if complaint := _complain_of_text(item):
            node.member(index).refuse(complaint)
    return tuple(map(str, value))


def read_scalars(node: Node) -> tuple[str, ...]:
    """One condition value or a list of them."""
    return tuple(_read_scalar(item) for item in items_of(node))


def _read_scalar(node: Node) -> str:
    """A condition value: a text, or a number or boolean as text.

    Raises: PolicyError where it is anything else.
    """
    value = node.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return _write_number(node)
    return read_text(node)


def _write_number(node: Node) -> str:
    try:
        return str(node.value)
    except ValueError:  # Python writes no integer of more than some thousands of digits
        node.refuse("the number is too long")


def _complain_of_text(value: Any) -> str:
    """What is wrong with the value where a text belongs; "" if nothing is."""
    if not isinstance(value, str) or isinstance(value, Number):
        return f"{_describe(value)} stands where a text belongs"
    if not value.isascii() and not _is_encodable(value):
        return "the text has half of a surrogate pair"
    return ""


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _describe(value: Any) -> str:
    """What kind of value it is, in JSON's terms."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (Number, int, float)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "an object" if isinstance(value, Mapping) else "something that is not JSON"
