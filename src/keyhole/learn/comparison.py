"""What was asked against what the file grants: what it lacks, and what of it nobody used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keyhole.learn.use import Use
from keyhole.spec.model import Grant, Verb


@dataclass(frozen=True, slots=True)
class Unused:
    """A verb of the `index`th grant that no call used."""

    index: int
    grant: Grant
    verb: Verb


@dataclass(frozen=True, slots=True)
class Comparison:
    """`lacking`: the questions that no grant covers; `unused`: the verbs that covered none, in the file's order."""

    lacking: tuple[Use, ...]
    unused: tuple[Unused, ...]


def compare(needed: Iterable[Use], grants: Sequence[tuple[str, Grant]]) -> Comparison:
    """Hold each question against the narrowest grant that covers it; grants come with their bucket's name."""
    lacking: list[Use] = []
    used: set[tuple[int, Verb]] = set()
    for use in needed:
        verb = use.verb
        if verb is None:
            continue
        covering = [index for index, (bucket, grant) in enumerate(grants) if covers(bucket, grant, use)]
        if covering:
            used.add((max(covering, key=lambda index: (len(grants[index][1].prefix), -index)), verb))
        else:
            lacking.append(use)
    unused = (
        Unused(index, grant, verb)
        for index, (_, grant) in enumerate(grants)
        for verb in grant.verbs
        if (index, verb) not in used
    )
    return Comparison(tuple(lacking), tuple(unused))


def covers(bucket: str, grant: Grant, use: Use) -> bool:
    """Hold iff the grant, which is on the bucket of that name, allows what was asked."""
    return bucket == use.bucket and use.verb in grant.verbs and use.path.startswith(grant.prefix)
