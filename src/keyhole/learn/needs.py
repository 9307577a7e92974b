"""From questions to grants: verbs of the spec on the narrowest folders, and what no verb covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from keyhole.learn.folders import cover_folders
from keyhole.learn.use import Use
from keyhole.spec.model import Grant, Verb

# What is granted today: the prefixes by bucket name and verb.
Granted = Mapping[tuple[str, Verb], tuple[str, ...]]

_ORDER: tuple[Verb, ...] = get_args(Verb)


@dataclass(frozen=True, slots=True)
class Needed:
    """Verbs under one prefix of one bucket, by the bucket's name.

    `only_missing_keys`: its `list` was needed only so that a missing key is a 404 and not a 403.
    """

    bucket: str
    prefix: str
    verbs: tuple[Verb, ...]
    only_missing_keys: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """What would have been enough, and for which questions; `without_verb` are those that no verb of the spec covers.

    `hidden` counts the reads of missing keys that these grants answer with 403, `met` the questions that the resource's
    own policy allows whoever asks.
    """

    grants: tuple[Needed, ...]
    uses: tuple[Use, ...]
    without_verb: tuple[Use, ...]
    hidden: int = 0
    met: int = 0


def is_needed(use: Use) -> bool:
    """Hold iff a grant is needed for it.

    Not where the resource's own policy allows it, and not where the caller may not know that a key is missing: to tell
    it would take the whole bucket's `list`.
    """
    return not use.is_met_by_the_resource and (use.is_allowed or not use.asks_whether_it_exists)


def find_needs(uses: Iterable[Use], granted: Granted) -> Needs:
    """Give the smallest grants for the questions of one principal."""
    asked = tuple(uses)
    needed = [use for use in asked if is_needed(use)]
    return Needs(
        grants=_grants(needed, granted),
        uses=tuple(needed),
        without_verb=tuple(use for use in needed if use.verb is None),
        hidden=sum(use.asks_whether_it_exists and not use.is_allowed for use in asked),
        met=sum(use.is_met_by_the_resource for use in asked),
    )


def prefixes_by_verb(uses: Iterable[Use], granted: Granted) -> dict[tuple[str, Verb], tuple[str, ...]]:
    """Give the narrowest prefixes by bucket and verb."""
    folders: dict[tuple[str, Verb], set[str]] = {}
    for use in uses:
        if use.verb:
            folders.setdefault((use.bucket, use.verb), set()).add(use.folder)
    return {where: cover_folders(found, granted.get(where, ())) for where, found in folders.items()}


def granted_prefixes(grants: Iterable[tuple[str, Grant]]) -> dict[tuple[str, Verb], tuple[str, ...]]:
    """Give what grants (each with its bucket's name) allow, by bucket and verb."""
    found: dict[tuple[str, Verb], tuple[str, ...]] = {}
    for bucket, grant in grants:
        for verb in grant.verbs:
            found[bucket, verb] = (*found.get((bucket, verb), ()), grant.prefix)
    return found


def _grants(uses: list[Use], granted: Granted) -> tuple[Needed, ...]:
    verbs: dict[tuple[str, str], set[Verb]] = {}
    for (bucket, verb), prefixes in prefixes_by_verb(uses, granted).items():
        for prefix in prefixes:
            verbs.setdefault((bucket, prefix), set()).add(verb)
    listings = {use.bucket for use in uses if use.verb == "list" and not use.asks_whether_it_exists and not use.folder}
    missing = {use.bucket for use in uses if use.asks_whether_it_exists} - listings
    return tuple(
        Needed(
            bucket,
            prefix,
            tuple(verb for verb in _ORDER if verb in found),
            only_missing_keys="list" in found and not prefix and bucket in missing,
        )
        for (bucket, prefix), found in sorted(verbs.items())
    )
