"""The plan: what leads from what is to what shall be, as data that can be printed, compared and applied. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from keyhole.aws import Call
from keyhole.blueprint import Blueprint
from keyhole.errors import KeyholeError
from keyhole.handover.steps import SERVICE as HANDOVER
from keyhole.naming import TAG_APP, TAG_ENVIRONMENT, Scope, short_name
from keyhole.provision.adoption import describe_adoption, mark_replacements
from keyhole.provision.snapshot import Snapshot, kind_of
from keyhole.resources import KINDS, Existing, Foreign, Wanted
from keyhole.resources.bucket import ExistingBucket
from keyhole.resources.content import BucketContent


class Verb(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource: its calls in order, after the changes at the addresses in `after`.

    `content` is what a bucket that is to be deleted holds, `empties` whether it goes too. `note` says what the calls
    do not: why something stays as it is. `want` is what the calls lead to, None where the resource goes.
    """

    address: str
    name: str
    verb: Verb
    calls: tuple[Call, ...] = ()
    after: tuple[str, ...] = ()
    content: BucketContent | None = None
    empties: bool = False
    note: str = ""
    want: Wanted | None = field(default=None, compare=False, repr=False)

    @property
    def kind(self) -> str:
        return kind_of(self.address)

    @property
    def is_destructive(self) -> bool:
        return self.empties or any(call.destructive for call in self.calls)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something the plan would have to touch and may not: why, and what to do."""

    address: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Plan:
    scope: Scope
    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Hold iff nothing is left to do."""
        return not self.refusals and all(change.verb is Verb.KEEP for change in self.changes)

    @property
    def is_destructive(self) -> bool:
        return any(change.is_destructive for change in self.changes)

    def count(self, verb: Verb) -> int:
        return sum(change.verb is verb for change in self.changes)

    @property
    def call_count(self) -> int:
        """How many calls of AWS it takes; the steps of a hand-over are done on this machine."""
        return sum(call.service != HANDOVER for change in self.changes for call in change.calls)


def plan_up(
    blueprint: Blueprint, snapshot: Snapshot, *, adopt: frozenset[str] = frozenset(), empty: bool = False
) -> Plan:
    """Give what makes AWS agree with the blueprint; what is no longer in the file goes.

    `adopt` names things without our tag that may be taken over. `empty` lets buckets go that hold objects.

    Raises: KeyholeError if a change cannot be planned.
    """
    _check_adopted(adopt, blueprint, snapshot)
    changes: list[Change] = []
    refusals: list[Refusal] = []
    for want in blueprint.resources:
        have = snapshot.existing[want.address]
        if have is not None and (refusal := _refuse(want, have, blueprint.scope, adopt)):
            refusals.append(refusal)
            continue
        kind = KINDS[kind_of(want.address)]
        calls = tuple(kind.calls(want, have))
        is_adopted = have is not None and kind.FOREIGN is Foreign.REFUSED and not blueprint.scope.owns(have.tags)
        if is_adopted:
            calls = mark_replacements(calls, have)
        verb = Verb.KEEP if not calls else Verb.UPDATE if have is not None else Verb.CREATE
        note = (
            _whose(have, "used as it is")
            if have is not None and _is_shared(kind_of(want.address), have, blueprint.scope)
            else ""
        )
        if have is not None and is_adopted:
            note = describe_adoption(want, have)
        name = have.name if have else want.name
        changes.append(Change(want.address, name, verb, calls, want.depends_on, note=note, want=want))
    for kind_name, have in snapshot.orphans:
        _sort_in(_deletion(kind_name, _orphan_address(kind_name, have), have, snapshot, empty=empty), changes, refusals)
    return Plan(blueprint.scope, _order_deletions(changes, snapshot), tuple(refusals))


def plan_down(blueprint: Blueprint, snapshot: Snapshot, *, empty: bool = False) -> Plan:
    """Give what removes everything that carries the scope's tags, and nothing else; what is shared is said to stay.

    A bucket that holds objects is refused unless `empty` is given.
    """
    refusals: list[Refusal] = []
    changes = [
        Change(want.address, have.name, Verb.KEEP, note=_whose(have, "it stays"))
        for want in blueprint.resources
        if (have := snapshot.existing[want.address]) is not None
        and _is_shared(kind_of(want.address), have, blueprint.scope)
    ]
    ours = [
        (kind_of(want.address), want.address, have)
        for want in blueprint.resources
        if (have := snapshot.existing[want.address]) is not None and blueprint.scope.owns(have.tags)
    ]
    ours += [(kind_name, _orphan_address(kind_name, have), have) for kind_name, have in snapshot.orphans]
    for kind_name, address, have in ours:
        _sort_in(_deletion(kind_name, address, have, snapshot, empty=empty), changes, refusals)
    return Plan(blueprint.scope, _order_deletions(changes, snapshot), tuple(refusals))


def _refuse(want: Wanted, have: Existing, scope: Scope, adopt: frozenset[str]) -> Refusal | None:
    """A name only nominates a resource; the tag authorises touching it."""
    kind = KINDS[kind_of(want.address)]
    if scope.owns(have.tags) or kind.FOREIGN is not Foreign.REFUSED:
        return None
    owner = have.tags.get(TAG_APP)
    if not owner and adopt & {have.name, want.address, short_name(have.name)}:
        return None
    whose = f"it belongs to `{owner}` ({have.tags.get(TAG_ENVIRONMENT)})" if owner else "it lacks Keyhole's tag"
    hint = (
        f"choose another name in the file, or make it this app's: `--adopt {have.name}` shows what would change in it"
    )
    if owner:
        hint = "choose another name in the file"
    return Refusal(
        want.address, f"{kind.NAME} `{short_name(have.name)}` exists already and {whose}: it is not touched", hint
    )


def _is_shared(kind_name: str, have: Existing, scope: Scope) -> bool:
    """Hold iff it is one of those that there is only one of in an account, and someone else's."""
    return KINDS[kind_name].FOREIGN is Foreign.SHARED and not scope.owns(have.tags)


def _whose(have: Existing, consequence: str) -> str:
    owner = have.tags.get(TAG_APP)
    whose = f"it belongs to `{owner}` ({have.tags.get(TAG_ENVIRONMENT)})" if owner else "Keyhole did not make it"
    return f"shared by the whole account, and {whose}: {consequence}"


def _check_adopted(adopt: frozenset[str], blueprint: Blueprint, snapshot: Snapshot) -> None:
    for address, have in snapshot.existing.items():
        if have is not None and adopt & {have.name, address} and _is_shared(kind_of(address), have, blueprint.scope):
            raise KeyholeError(f"`{address}` is shared, and is never adopted", hint="leave it out: it is used as it is")
    names = {
        name
        for address, have in snapshot.existing.items()
        if have is not None
        for name in (address, have.name, short_name(have.name))
    }
    if unknown := sorted(adopt - names):
        listed = ", ".join(f"`{have.name}`" for have in snapshot.existing.values() if have is not None)
        hint = f"what the file names and is there: {listed}" if listed else "nothing that the file names is there yet"
        raise KeyholeError(f"there is no `{unknown[0]}` to adopt", hint=hint)


def _orphan_address(kind_name: str, have: Existing) -> str:
    return f"{kind_name}.({have.name.rpartition('/')[2]})"


def _deletion(
    kind_name: str, address: str, have: Existing, snapshot: Snapshot, *, empty: bool
) -> Change | Refusal | None:
    """Give how this goes, why it does not, or None if there is nothing to do."""
    calls = tuple(KINDS[kind_name].calls(None, have))
    if not calls:
        return None
    if not any(call.destructive for call in calls):
        return Change(address, have.name, Verb.UPDATE, calls)
    content = snapshot.contents.get(have.name) if kind_name == "bucket" else None
    if content is not None and not content.is_empty and not empty:
        message = f"bucket `{have.name}` holds {content}: it is not deleted"
        logged = sorted(f"`{source}`" for source, target in _access_logs(snapshot) if target == have.name)
        why = f"S3 writes the access logs of {', '.join(logged)} into it: " if logged else ""
        return Refusal(address, message, f"{why}add `--empty` to delete them too")
    empties = content is not None and (not content.is_empty or content.uploads > 0)
    return Change(address, have.name, Verb.DELETE, calls, (), content, empties)


def _sort_in(step: Change | Refusal | None, changes: list[Change], refusals: list[Refusal]) -> None:
    if isinstance(step, Refusal):
        refusals.append(step)
    elif step is not None:
        changes.append(step)


def _order_deletions(changes: Iterable[Change], snapshot: Snapshot) -> tuple[Change, ...]:
    """Delete after everything that leans on it: a profile before its role, a role before its policy.

    A deletion also waits for changes to what leaned on it, which may be what lets go of it; and a bucket that takes
    access logs for those that it takes them of, whose deletion is logged too.
    """
    listed = list(changes)
    logged = _access_logs(snapshot)
    return tuple(
        change
        if change.verb is not Verb.DELETE
        else replace(
            change,
            after=tuple(
                other.address
                for other in listed
                if other.verb is not Verb.KEEP
                and (change.kind in _leans_on(other.kind) or (other.name, change.name) in logged)
            ),
        )
        for change in listed
    )


def _access_logs(snapshot: Snapshot) -> set[tuple[str, str]]:
    """Give the buckets whose requests S3 logs, each with the one that takes the logs."""
    orphans = (have for _, have in snapshot.orphans)
    return {
        (have.name, have.settings.access_logs["TargetBucket"])
        for have in (*snapshot.existing.values(), *orphans)
        if isinstance(have, ExistingBucket) and have.settings.access_logs
    }


def _leans_on(kind_name: str) -> set[str]:
    direct = set(KINDS[kind_name].DEPENDS_ON)
    return direct | {further for name in direct for further in _leans_on(name)}
