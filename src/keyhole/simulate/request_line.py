"""One line of a batch as a question: the request, and the policies that stand in the line beside it.

{"principal": ARN|service|null, "action", "resource", "resource_account", "context": {key: value|[values]},
 "identity": [doc…], "resource_policy": doc|null, "boundaries": [doc…], "scps": [[doc…]…], "rcps": [[doc…]…],
 "session": [doc…], "endpoint": [doc…], "resource_kind": "trust"|"kms-key"|null}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyhole.errors import KeyholeError
from keyhole.iam import ContextValue
from keyhole.simulate.policy_texts import POLICY_FIELDS, PolicyTexts, ResourceKind
from keyhole.simulate.question import Question, is_for_trust, make_request
from keyhole.simulate.scan import MemberScanner, Number

REQUEST_FIELDS = ("principal", "action", "resource", "resource_account", "context", "resource_kind")
_NEEDED = {
    "principal": "write an ARN, a service's name, or null for an anonymous caller",
    "action": "write the action: `s3:GetObject`",
    "resource": "write the resource's ARN, or `*` for actions that take none",
}
_KNOWN = frozenset((*REQUEST_FIELDS, *POLICY_FIELDS))


class LineReader:
    """Reads lines to questions; policies that were in a line before are not parsed again."""

    def __init__(self) -> None:
        self._scanner = MemberScanner(frozenset(POLICY_FIELDS))
        self._texts = PolicyTexts()

    def read(self, line: str) -> Question:
        """The question of a line.

        Raises: KeyholeError that says what is wrong in it, and nothing else.
        """
        try:
            return self._read(line)
        except RecursionError:
            raise KeyholeError("the line is nested too deeply") from None

    def _read(self, line: str) -> Question:
        members = self._scanner.scan(line)
        if not members.keys() <= _KNOWN:
            unknown = next(name for name in members if name not in _KNOWN)
            raise KeyholeError(
                f"`{unknown}` is no field of a request", hint=f"write one of {', '.join(sorted(_KNOWN))}"
            )
        for name, hint in _NEEDED.items():
            if name not in members:
                raise KeyholeError(f"the line has no `{name}`", hint=hint)
        action, resource = _read_text(members, "action"), _read_text(members, "resource")
        request = make_request(
            None if members["principal"] is None else _read_text(members, "principal"),
            action,
            resource,
            _read_context(members.get("context")),
            _read_account(members),
        )
        kind = _read_kind(members, is_trust=is_for_trust(action, resource))
        return Question(request, self._texts.find_rules(kind, tuple(members.get(name) for name in POLICY_FIELDS)))


def _read_text(members: Mapping[str, Any], name: str) -> str:
    return _check_text(members[name], f"`{name}`", _NEEDED.get(name, ""))


def _check_text(value: Any, place: str, hint: str = "") -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise KeyholeError(f"{place}: {describe_value(value)} stands where a text belongs", hint=hint)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise KeyholeError(f"{place}: the text has half of a surrogate pair") from None
    return value


def _read_account(members: Mapping[str, Any]) -> str:
    value = members.get("resource_account")
    hint = "write the 12 digits in quotes"
    return "" if value is None else _check_text(value, "`resource_account`", hint)


def _read_kind(members: Mapping[str, Any], *, is_trust: bool) -> ResourceKind | None:
    value = members.get("resource_kind")
    if value is None:
        return ResourceKind.TRUST if is_trust else None
    try:
        return ResourceKind(_check_text(value, "`resource_kind`"))
    except ValueError:
        kinds = ", ".join(f"`{kind.value}`" for kind in ResourceKind)
        raise KeyholeError(f"`resource_kind`: `{value}` is not known", hint=f"write {kinds}, or null") from None


def _read_context(value: Any) -> dict[str, ContextValue]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        message = f"`context`: {describe_value(value)} stands where an object belongs"
        raise KeyholeError(message, hint='write `{"aws:SourceIp": "203.0.113.7"}`')
    return {_check_key(key): _read_context_value(key, values) for key, values in value.items()}


def _check_key(key: str) -> str:
    if not key:
        raise KeyholeError("`context`: a key is empty")
    return _check_text(key, "`context`")


def _read_context_value(key: str, value: Any) -> ContextValue:
    if isinstance(value, list):
        return tuple(_read_single(key, item) for item in value)
    return _read_single(key, value)


def _read_single(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return str(value)
    return _check_text(value, f"`context`: `{key}`", "write a value, or a list of values; leave an absent key out")


def describe_value(value: Any) -> str:
    """What kind of value it is, in JSON's terms."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, Number):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"
