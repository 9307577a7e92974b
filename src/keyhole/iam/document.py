"""Policy documents as JSON: bytes, text or a mapping become plain values, with their place for every complaint.

AWS: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from keyhole.errors import PolicyError


class Number(str):
    """A JSON number as it was written: a condition value may be one, nothing else may."""

    __slots__ = ()


class _Object(dict[str, Any]):
    """A JSON object that remembers the first key that was written twice."""

    duplicate: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its JSON path, `Statement[0].Action`; the path of the document is ""."""

    value: Any
    path: str = ""

    def refuse(self, message: str, hint: str = "") -> NoReturn:
        """Raises: PolicyError at this place."""
        raise PolicyError(message, hint=hint, where=self.path)

    def child(self, key: str) -> Node:
        """The value under a key of an object."""
        return Node(self.value[key], f"{self.path}.{key}" if self.path else key)


def read_document(source: str | bytes | Mapping[str, Any]) -> Node:
    """The root of the document.

    Raises: PolicyError, and nothing else, for whatever is no JSON object.
    """
    root = Node(source if isinstance(source, Mapping) else _load(source))
    check_object(root)
    return root


def _load(source: str | bytes) -> Any:
    try:
        text = source.decode() if isinstance(source, bytes) else source
        return json.loads(
            text,
            object_pairs_hook=_collect_pairs,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError:
        raise PolicyError("the policy is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PolicyError(f"the policy is not JSON: {place}: {error.msg.lower()}") from None
    except RecursionError:
        raise PolicyError("the policy is nested too deeply") from None


def _refuse_constant(text: str) -> NoReturn:
    raise PolicyError(f"the policy is not JSON: `{text}` is no number")


def _collect_pairs(pairs: list[tuple[str, Any]]) -> _Object:
    collected = _Object()
    for key, value in pairs:
        if key in collected and collected.duplicate is None:
            collected.duplicate = key
        collected[key] = value
    return collected


def check_object(node: Node, known: Iterable[str] | None = None) -> None:
    """Raises: PolicyError unless the value is an object with text keys, each once and each known."""
    value = node.value
    if not isinstance(value, Mapping):
        node.refuse(f"{_describe(value)} stands where an object belongs")
    for key in value:
        _check_text(Node(key, node.path))
        if known is not None and key not in known:
            node.refuse(f"`{key}` is no element that is known here", hint=f"write one of {', '.join(known)}")
    if isinstance(value, _Object) and value.duplicate is not None:
        node.refuse(f"the key `{value.duplicate}` is there twice")


def items_of(node: Node) -> Iterator[Node]:
    """The members of a list, or the value itself where AWS allows a single one for a list."""
    if isinstance(node.value, (list, tuple)):
        yield from (Node(value, f"{node.path}[{index}]") for index, value in enumerate(node.value))
    else:
        yield node


def read_text(node: Node) -> str:
    """The text at a place.

    Raises: PolicyError where it is anything else.
    """
    _check_text(node)
    return str(node.value)


def read_texts(node: Node) -> tuple[str, ...]:
    """One text or a list of them."""
    return tuple(read_text(item) for item in items_of(node))


def read_scalar(node: Node) -> str:
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


def _check_text(node: Node) -> None:
    value = node.value
    if not isinstance(value, str) or isinstance(value, Number):
        node.refuse(f"{_describe(value)} stands where a text belongs")
    try:
        value.encode()
    except UnicodeEncodeError:
        node.refuse("the text has half of a surrogate pair")


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
