"""A policy document as an account holds it: looked over as it stands, parsed only when it matters, and then once.

What is looked over is a shortcut that errs on one side: a document that it rules out grants nothing of what is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from keyhole.errors import PolicyError
from keyhole.iam.match import complete_arn
from keyhole.iam.model import Element, Policy, PolicyKind
from keyhole.iam.parse import parse_policy

_WILD = "*?"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: an action and a resource, either of which may be a pattern."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A policy's statements that may apply to what is asked, and the number of each in the whole policy."""

    policy: Policy
    numbers: tuple[int, ...]


def part_of(policy: Policy, asked: Asked) -> Part:
    """Give the statements that may apply; the others certainly do not, whoever asks."""
    kept = [
        (number, statement)
        for number, statement in enumerate(policy.statements)
        if _overlaps(statement.actions, asked.action, fold=True) and _overlaps(statement.resources, asked.resource)
    ]
    return Part(replace(policy, statements=tuple(each for _, each in kept)), tuple(number for number, _ in kept))


def _overlaps(element: Element | None, wanted: str, *, fold: bool = False) -> bool:
    if element is None or element.negated:
        return True
    if fold:
        return any(may_overlap(pattern.lower(), wanted.lower()) for pattern in element.patterns)
    return any(may_overlap(complete_arn(pattern), wanted) for pattern in element.patterns)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document, and what people call it. `shared`: where policies are kept by their text, for the whole account."""

    raw: Mapping[str, Any] | str
    kind: PolicyKind
    name: str
    shared: dict[tuple[PolicyKind, str], Policy] = field(default_factory=dict, repr=False)
    _grants: dict[Asked, bool] = field(default_factory=dict, repr=False)
    _parts: dict[Asked, Part | None] = field(default_factory=dict, repr=False)

    def parse(self) -> Policy:
        """Give the policy. Raises: PolicyError for one that is none."""
        text = self.raw if isinstance(self.raw, str) else json.dumps(self.raw)
        key = (self.kind, text)
        if key not in self.shared:
            try:
                self.shared[key] = parse_policy(text, self.kind)
            except PolicyError as error:
                raise PolicyError(f"`{self.name}`, as the account has it: {error}", hint=error.hint) from None
        return replace(self.shared[key], name=self.name)

    def may_grant(self, asked: Asked) -> bool:
        """Hold unless it certainly allows nothing of what is asked; conditions and principals are not looked at."""
        if asked not in self._grants:
            self._grants[asked] = any(
                _may_allow(statement) and _may_matter(statement, asked) for statement in _statements(self.raw)
            )
        return self._grants[asked]

    def part(self, asked: Asked) -> Part | None:
        """Give what of it may matter to what is asked, None if nothing does. Raises: PolicyError."""
        if asked not in self._parts:
            matters = any(_may_matter(statement, asked) for statement in _statements(self.raw))
            found = part_of(self.parse(), asked) if matters else None
            self._parts[asked] = found if found is not None and found.policy.statements else None
        return self._parts[asked]


def read_document(
    raw: Mapping[str, Any] | str, kind: PolicyKind, name: str, shared: dict[tuple[PolicyKind, str], Policy]
) -> Document:
    """Give the document; IAM's own answers have it URL-encoded, AWS's programs decode it.

    AWS: IAM API Reference, "GetAccountAuthorizationDetails": policies are "URL-encoded compliant with RFC 3986".
    """
    text = unquote(raw) if isinstance(raw, str) and raw.lstrip().startswith("%") else raw
    if isinstance(text, str):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, dict):
            return Document(found, kind, name, shared)
    return Document(text, kind, name, shared)


def _statements(raw: Mapping[str, Any] | str) -> Iterator[Any]:
    found = raw.get("Statement") if isinstance(raw, Mapping) else None
    if isinstance(found, list):
        yield from found
    else:
        yield found


def _may_allow(statement: Any) -> bool:
    """Hold unless the statement surely denies, which is all that it could do."""
    return not isinstance(statement, Mapping) or statement.get("Effect") != "Deny"


def _may_matter(statement: Any, asked: Asked) -> bool:
    """Hold unless the statement surely does not apply to what is asked; what looks odd is left to the parser."""
    if not isinstance(statement, Mapping):
        return True
    actions, resources = statement.get("Action"), statement.get("Resource")
    if actions is not None:
        wanted = asked.action.lower()
        if not any(not isinstance(one, str) or may_overlap(one.lower(), wanted) for one in _listed(actions)):
            return False
    return resources is None or any(
        not isinstance(one, str) or may_overlap(complete_arn(one), asked.resource) for one in _listed(resources)
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def may_overlap(one: str, other: str) -> bool:
    """Hold unless no text fits both patterns, as their beginnings or their ends differ."""
    if one == "*" or other == "*":
        return True
    first, second = _head(one), _head(other)
    if not (first.startswith(second) or second.startswith(first)):
        return False
    if len(first) == len(one) and len(second) == len(other):
        return first == second
    if (len(first) == len(one) and len(second) > len(first)) or (
        len(second) == len(other) and len(first) > len(second)
    ):
        return False
    last, final = _tail(one), _tail(other)
    return last.endswith(final) or final.endswith(last)


def _head(pattern: str) -> str:
    for index, letter in enumerate(pattern):
        if letter in "*?$":
            return pattern[:index]
    return pattern


def _tail(pattern: str) -> str:
    for index in range(len(pattern) - 1, -1, -1):
        if pattern[index] in "*?}":
            return pattern[index + 1 :]
    return pattern
