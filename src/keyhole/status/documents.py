"""What differs between a policy as it is and as the file has it, statement by statement, in words. Pure.

Whether they differ at all is for `keyhole.iam.text.same_document` to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from keyhole.iam.text import normal_element, same_document

SHOWN_VALUES = 4

Statement = Mapping[str, Any]
Elements = dict[str, tuple[str, ...]]


def statements_of(document: Mapping[str, Any] | None) -> list[Statement]:
    """Give the statements of a document, also where it has a single one without a list."""
    found = (document or {}).get("Statement", [])
    return [found] if isinstance(found, Mapping) else list(found)


def values_of(value: Any) -> list[str]:
    """Give the values of an element, also where it has a single one without a list."""
    values = value if isinstance(value, list) else [value]
    return sorted({item if isinstance(item, str) else json.dumps(item) for item in values})


def describe_difference(have: Mapping[str, Any] | None, want: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Give one sentence for each statement that is there and not in the file, changed, or gone."""
    extra, lacking = statements_of(have), statements_of(want)
    for statement in tuple(lacking):
        same = [one for one in extra if same_document({"Statement": [one]}, {"Statement": [statement]})]
        for one in same:
            extra.remove(one)
        if same:
            lacking.remove(statement)
    sentences: list[str] = []
    for statement in extra:
        partner = _partner(statement, lacking)
        if partner is None:
            sentences.append(f"it {describe_statement(statement)}, which the file does not say")
        else:
            lacking.remove(partner)
            sentences += _changes(statement, partner)
    sentences += [f"it no longer {describe_statement(statement)}" for statement in lacking]
    return tuple(sentences)


def describe_statement(statement: Statement) -> str:
    """Give the statement as a clause: "allows s3:* on arn:aws:s3:::masks to everyone"."""
    verb = "allows" if statement.get("Effect") == "Allow" else "denies"
    what = _listed(statement, "Action", "everything but")
    where = _listed(statement, "Resource", "everything but")
    who = _listed_principals(statement)
    conditions = [
        f"{operator} {key} {_short(values_of(values))}"
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, values in keys.items()
    ]
    text = f"{verb} {what}" + (f" on {where}" if where else "") + (f" to {who}" if who else "")
    return text + (f" where {' and '.join(conditions)}" if conditions else "")


def _listed(statement: Statement, name: str, otherwise: str) -> str:
    if name in statement:
        return _short(values_of(statement[name]))
    return f"{otherwise} {_short(values_of(statement[f'Not{name}']))}" if f"Not{name}" in statement else ""


def _listed_principals(statement: Statement) -> str:
    for name, before in (("Principal", ""), ("NotPrincipal", "all but ")):
        if name in statement:
            element = statement[name]
            values = [element] if isinstance(element, str) else [v for found in element.values() for v in _many(found)]
            return before + ("everyone" if "*" in values else _short(sorted(values)))
    return ""


def _many(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _partner(statement: Statement, among: list[Statement]) -> Statement | None:
    """Give the statement that this one most likely was: of the same Sid, or with the most in common."""
    if sid := statement.get("Sid"):
        named = next((one for one in among if one.get("Sid") == sid), None)
        if named is not None:
            return named

    def likeness(other: Statement) -> int:
        return sum(_say_the_same(name, statement, other) for name in statement.keys() & other.keys() - {"Effect"})

    best = max(among, key=likeness, default=None)
    return best if best is not None and likeness(best) and best.get("Effect") == statement.get("Effect") else None


def _changes(have: Statement, want: Statement) -> Iterator[str]:
    mine, theirs = _elements(have), _elements(want)
    meant_alike = {name for name in have.keys() & want.keys() if _say_the_same(name, have, want)}
    sid = want.get("Sid") or have.get("Sid")
    label = f"{sid}: " if sid else ""
    names = [
        name
        for name in dict.fromkeys((*mine, *theirs))
        if mine.get(name) != theirs.get(name) and name.partition(" ")[0] not in meant_alike
    ]
    for name in names:
        is_now, was = mine.get(name), theirs.get(name)
        if name != "Sid":
            said = f"the file says {_short(list(was))}" if was else "the file says nothing"
            yield f"{label}{name} is {_short(list(is_now)) if is_now else 'gone'} where {said}"


def _say_the_same(name: str, have: Statement, want: Statement) -> bool:
    return bool(normal_element(name, have[name]) == normal_element(name, want[name]))


def _elements(statement: Statement) -> Elements:
    """Give what a statement says by name, in one spelling: order and lists of one do not matter."""
    found: Elements = {}
    for name, value in statement.items():
        if name == "Condition" and isinstance(value, Mapping):
            for operator, keys in value.items():
                found |= {f"{operator} {key.lower()}": tuple(values_of(values)) for key, values in keys.items()}
        elif name in {"Principal", "NotPrincipal"} and isinstance(value, Mapping):
            found |= {f"{name} {kind}": tuple(values_of(values)) for kind, values in value.items()}
        else:
            found[name] = tuple(values_of(value))
    return found


def _short(values: list[str]) -> str:
    more = len(values) - SHOWN_VALUES
    return ", ".join(values[:SHOWN_VALUES]) + (f" and {more} more" if more > 0 else "")
