"""What is on AWS now: everything that the blueprint names, and everything else that carries its tags."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from keyhole.aws import Aws
from keyhole.blueprint import Blueprint
from keyhole.errors import AwsError, NotOursError
from keyhole.naming import Scope
from keyhole.provision.patience import OnWait, Patience, PatientAws
from keyhole.resources import KINDS, Existing, Wanted
from keyhole.resources.access_key import AccessKey, read_handed_over
from keyhole.resources.bucket import ExistingBucket
from keyhole.resources.content import BucketContent, count_content
from keyhole.resources.kind import GONE

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


def take_snapshot(
    aws: Aws,
    blueprint: Blueprint,
    *,
    only_ours: bool = False,
    on_wait: OnWait = lambda _reason: None,
    patience: Patience | None = None,
) -> Snapshot:
    """Read AWS; reads run side by side, and are asked again while AWS is asked too much (`on_wait` is told).

    `only_ours`: what a name of the file leads to and is certainly not ours is passed over, and the objects of every
    bucket are counted; that is what taking down needs. Otherwise only those of buckets that left the file are counted.

    Raises: AwsError, KeyholeError.
    """
    scope = blueprint.scope
    aws = PatientAws(aws, patience or Patience(), on_wait)
    with _readers() as pool:
        wanted = {
            want.address: pool.submit(_read, aws, scope, want, only_ours=only_ours) for want in blueprint.resources
        }
        found = {name: pool.submit(_find, aws, scope, name) for name in KINDS}
        existing = {address: future.result() for address, future in wanted.items()}
        orphans = tuple(_orphans(aws, scope, existing, found, pool))
        buckets = [have for _, have in orphans if isinstance(have, ExistingBucket)]
        if only_ours:
            buckets += [have for have in existing.values() if isinstance(have, ExistingBucket)]
        contents = {have.name: pool.submit(_count, aws, have.name, scope.account) for have in buckets}
        return Snapshot(existing, orphans, {name: future.result() for name, future in contents.items()})


@contextmanager
def _readers() -> Iterator[ThreadPoolExecutor]:
    """Give the threads that read; what fails, or is interrupted, does not wait for the reads that have not begun."""
    pool = ThreadPoolExecutor(READERS)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def read_resource(aws: Aws, scope: Scope, kind: str, name: str) -> Existing | None:
    """Give what is on AWS under this name; what someone deletes while it is read is read again, and is gone then.

    Raises: AwsError, KeyholeError.
    """
    try:
        found: Existing | None = KINDS[kind].read(aws, scope, name)
    except AwsError as error:
        if error.code not in GONE:
            raise
        found = KINDS[kind].read(aws, scope, name)
    return found


def _read(aws: Aws, scope: Scope, want: Wanted, *, only_ours: bool) -> Existing | None:
    try:
        if isinstance(want, AccessKey):
            return read_handed_over(aws, want, check=not only_ours)
        return read_resource(aws, scope, kind_of(want.address), want.name)
    except NotOursError:
        if only_ours:
            return None
        raise


def _count(aws: Aws, bucket: str, account: str) -> BucketContent:
    try:
        return count_content(aws, bucket, account)
    except AwsError as error:
        if error.code == "NoSuchBucket":
            return BucketContent(0, 0)
        raise


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
        (kind, pool.submit(read_resource, aws, scope, kind, name))
        for kind, names in found.items()
        for name in names.result()
        if (kind, name) not in known
    ]
    states = [(kind, future.result()) for kind, future in reads]
    return [(kind, have) for kind, have in states if have is not None and scope.owns(have.tags)]
