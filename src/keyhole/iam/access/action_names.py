"""Many actions in few words: `s3:*` where it is all of a service, `s3:Get*` where it is all that begin so."""

from __future__ import annotations

import re
from collections.abc import Iterable

from keyhole.iam.catalogue import expand_action, find_service
from keyhole.iam.match import compile_glob, match_glob

_VERB = re.compile(r"[A-Z][a-z]+")


def shorten_actions(patterns: Iterable[str]) -> tuple[str, ...]:
    """Give the patterns and actions as few as say the same, of what the catalogue knows; sorted by service."""
    listed = list(dict.fromkeys(patterns))
    if "*" in listed or "*:*" in listed:
        return ("*",)
    wild = [pattern for pattern in listed if "*" in pattern or "?" in pattern]
    names = [pattern for pattern in listed if pattern not in wild and not _is_in(pattern, wild)]
    wild = [one for one in wild if not any(one != other and _is_in(one, [other]) for other in wild)]
    by_service: dict[str, list[str]] = {}
    for name in names:
        known = expand_action(name)
        by_service.setdefault(name.partition(":")[0].lower(), []).append(known[0] if known else name)
    short = [*wild]
    for prefix, actions in by_service.items():
        short += _shorten(prefix, list(dict.fromkeys(actions)))
    return tuple(sorted(short, key=str.lower))


def _is_in(pattern: str, others: Iterable[str]) -> bool:
    """Hold only if all that fits the pattern fits another; as a text to the other, whose stars take its own.

    Another with `?` is not asked about a pattern: that would take a star for one letter.
    """
    is_wild = "*" in pattern or "?" in pattern
    return any(
        match_glob(compile_glob(other.lower()), pattern.lower()) for other in others if not (is_wild and "?" in other)
    )


def _shorten(prefix: str, actions: list[str]) -> list[str]:
    service = find_service(prefix)
    if service is None:
        return actions
    every = [f"{prefix}:{action.name}" for action in service.actions.values()]
    if set(every) <= set(actions):
        return [f"{prefix}:*"]
    verbs: dict[str, set[str]] = {}
    for name in every:
        if found := _VERB.match(name.partition(":")[2]):
            verbs.setdefault(found[0], set())
    short = list(actions)
    for verb in verbs:
        those = {name for name in every if name.partition(":")[2].startswith(verb)}
        if len(those) > 1 and those <= set(short):
            short = [name for name in short if name not in those]
            short.append(f"{prefix}:{verb}*")
    return short
