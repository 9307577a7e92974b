"""What is on AWS now: everything that the blueprint names, and everything else that carries its tags."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from keyhole.aws import Aws
from keyhole.blueprint import Blueprint
from keyhole.errors import NotOursError
from keyhole.naming import Scope
from keyhole.resources import KINDS, Existing, Wanted
from keyhole.resources.bucket import ExistingBucket
from keyhole.resources.content import BucketContent, count_content

READERS = 16


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`existing`: by the address of the wanted resource, None where nothing is there yet.

    `orphans`: kind and state of what belongs to the scope and is not in the file. `contents`: by name of bucket.
    """

    existing: dict[str, Existing | None]
    orphans: tuple[tuple[str, Existing], ...]
    contents: dict[str, BucketContent]


def kind_of(address: str) -> str:
    """Give the kind's name that an address begins with."""
    return address.partition(".")[0]


def take_snapshot(aws: Aws, blueprint: Blueprint, *, only_ours: bool = False) -> Snapshot:
    """Read AWS; reads run side by side.

    `only_ours`: what a name of the file leads to and is certainly not ours is passed over, and the objects of every
    bucket are counted; that is what taking down needs. Otherwise only those of buckets that left the file are counted.

    Raises: AwsError, KeyholeError.
    """
    scope = blueprint.scope
    with ThreadPoolExecutor(READERS) as pool:
        wanted = {
            want.address: pool.submit(_read, aws, scope, want, only_ours=only_ours) for want in blueprint.resources
        }
        found = {name: pool.submit(_find, aws, scope, name) for name in KINDS}
        existing = {address: future.result() for address, future in wanted.items()}
        orphans = tuple(_orphans(aws, scope, existing, found, pool))
        buckets = [have for _, have in orphans if isinstance(have, ExistingBucket)]
        if only_ours:
            buckets += [have for have in existing.values() if isinstance(have, ExistingBucket)]
        contents = {have.name: pool.submit(count_content, aws, have.name, scope.account) for have in buckets}
        return Snapshot(existing, orphans, {name: future.result() for name, future in contents.items()})


def _read(aws: Aws, scope: Scope, want: Wanted, *, only_ours: bool) -> Existing | None:
    try:
        found: Existing | None = KINDS[kind_of(want.address)].read(aws, scope, want.name)
    except NotOursError:
        if only_ours:
            return None
        raise
    return found


def _find(aws: Aws, scope: Scope, kind: str) -> tuple[str, ...]:
    return tuple(KINDS[kind].find(aws, scope))


def _orphans(
    aws: Aws,
    scope: Scope,
    existing: dict[str, Existing | None],
    found: dict[str, Future[tuple[str, ...]]],
    pool: ThreadPoolExecutor,
) -> list[tuple[str, Existing]]:
    known = {(kind_of(address), have.name) for address, have in existing.items() if have is not None}
    reads: list[tuple[str, Future[Existing | None]]] = [
        (kind, pool.submit(KINDS[kind].read, aws, scope, name))
        for kind, names in found.items()
        for name in names.result()
        if (kind, name) not in known
    ]
    states = [(kind, future.result()) for kind, future in reads]
    return [(kind, have) for kind, have in states if have is not None and scope.owns(have.tags)]
