"""What is on AWS now: everything that the blueprint names, and everything else that carries its tags."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from keyhole.aws import Aws
from keyhole.blueprint import Blueprint
from keyhole.naming import Scope
from keyhole.resources import KINDS, Existing
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


def take_snapshot(aws: Aws, blueprint: Blueprint, *, with_contents: bool = False) -> Snapshot:
    """Read AWS; reads run side by side.

    `with_contents` counts the objects of every bucket that is there; otherwise only those of orphaned buckets.

    Raises: AwsError, KeyholeError.
    """
    scope = blueprint.scope
    with ThreadPoolExecutor(READERS) as pool:
        wanted = {
            want.address: pool.submit(KINDS[kind_of(want.address)].read, aws, scope, want.name)
            for want in blueprint.resources
        }
        found = {name: pool.submit(_find, aws, scope, name) for name in KINDS}
        existing = {address: future.result() for address, future in wanted.items()}
        orphans = tuple(_orphans(aws, scope, existing, found, pool))
        buckets = [have for _, have in orphans if isinstance(have, ExistingBucket)]
        if with_contents:
            buckets += [have for have in existing.values() if isinstance(have, ExistingBucket)]
        contents = {have.name: pool.submit(count_content, aws, have.name, scope.account) for have in buckets}
        return Snapshot(existing, orphans, {name: future.result() for name, future in contents.items()})


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
