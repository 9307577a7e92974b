"""The status of an app: every resource with what was found about it, in groups. Pure.

Whether something differs from the file is what the plan would say: the same comparison of the same readings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from keyhole.blueprint import Blueprint
from keyhole.errors import KeyholeError
from keyhole.findings import Finding, Severity
from keyhole.naming import Scope, short_name
from keyhole.provision import Snapshot, plan_up
from keyhole.provision.rotate import handover_findings
from keyhole.provision.snapshot import kind_of
from keyhole.resources import KINDS, Existing, Wanted
from keyhole.resources.access_key import AccessKey as HandedOverKey
from keyhole.resources.access_key import ExistingAccessKey
from keyhole.resources.alarm import ExistingAlarm
from keyhole.resources.bucket import Bucket, ExistingBucket
from keyhole.resources.topic import ExistingTopic, Topic
from keyhole.spec.model import AccessKeyWorkload
from keyhole.status.drift import drift_findings
from keyhole.status.keys import ROTATE_AFTER_DAYS, describe_key, key_findings, keys_findings, old_key_findings
from keyhole.status.public import account_findings, describe_account_block, public_findings
from keyhole.status.reading import AccessKey, Reading
from keyhole.status.running import alarm_findings, describe_state, topic_findings, trail_findings

ACCOUNT, LEFT, OLD_KEYS = "the account", "left the file", "old keys"


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource, a key or the account, and what was found. `summary` is for one about which nothing was."""

    group: str
    address: str
    name: str
    summary: str
    findings: tuple[Finding, ...] = ()

    @property
    def severity(self) -> Severity:
        """The heaviest finding's; FINE if there is none."""
        return max((finding.severity for finding in self.findings), default=Severity.FINE)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything at one moment; `again` is the command that mends what differs from the file."""

    scope: Scope
    at: datetime
    entries: tuple[Entry, ...]
    again: str

    @property
    def is_fine(self) -> bool:
        """Hold iff nothing was found that somebody has to do something about, and nothing is unknown."""
        return not any(finding.counts for entry in self.entries for finding in entry.findings)

    def groups(self) -> dict[str, list[Entry]]:
        """Give the entries by group, in the order of the file."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.group, []).append(entry)
        return found


def make_report(blueprint: Blueprint, reading: Reading, now: datetime, flags: str = "") -> Report:
    """Give the report. `flags` lead a command to the same file and account: " -e dev --local"."""
    judge = _Judge(blueprint, reading, now, flags)
    entries = chain(judge.resources(), judge.left(), judge.account(), judge.old_keys())
    # Buckets and workloads as in the file, each with all that is of it, and then the rest.
    in_order: dict[str, list[Entry]] = {}
    for entry in entries:
        in_order.setdefault(entry.group, []).append(entry)
    last = [in_order.pop(group, []) for group in (ACCOUNT, LEFT, OLD_KEYS)]
    return Report(blueprint.scope, now, tuple(chain(*in_order.values(), *last)), judge.fix)


@dataclass(frozen=True, slots=True)
class _Judge:
    blueprint: Blueprint
    reading: Reading
    now: datetime
    flags: str

    @property
    def fix(self) -> str:
        return f"`keyhole up{self.flags}`"

    def resources(self) -> Iterator[Entry]:
        """Give every resource of the file, and behind each user its keys."""
        for want in self.blueprint.resources:
            group, have = group_of(self.blueprint, want.address), self.reading.existing[want.address]
            if isinstance(have, KeyholeError):
                finding = Finding(
                    f"{kind_of(want.address)}.unknown", Severity.UNKNOWN, have.message, _codes(have), have.hint
                )
                yield Entry(group, want.address, short_name(want.name), "", (finding,))
                continue
            findings = tuple(self._about(want, have))
            trail = self.reading.trails.get(want.address)
            summary = ""
            if have is not None and not findings:
                summary = describe_state(want, have, trail if isinstance(trail, dict) else None)
            yield Entry(group, want.address, short_name(want.name), summary, findings)
            if want.address in self.reading.keys and have is not None:
                yield from self._keys(want, group)

    def _about(self, want: Wanted, have: Existing | None) -> Iterator[Finding]:
        if isinstance(want, HandedOverKey):
            yield from self._places(want, have)
            return
        alone = replace(self.blueprint, resources=(want,))
        try:
            plan = plan_up(alone, Snapshot({want.address: have}, (), {}))
        except KeyholeError as error:
            yield Finding(
                f"{kind_of(want.address)}.missing", Severity.PROBLEM, error.message, fix=error.hint or self.fix
            )
            return
        for refusal in plan.refusals:
            yield Finding(f"{kind_of(want.address)}.not-ours", Severity.PROBLEM, refusal.message, fix=refusal.hint)
        inline = {name: text for (address, name), text in self.reading.inline.items() if address == want.address}
        for change in plan.changes:
            yield from drift_findings(change, want, have, self.fix, inline)
        if have is not None:
            yield from self._now(want, have)

    def _places(self, want: HandedOverKey, have: Existing | None) -> Iterator[Finding]:
        """Give what is found about a key's places; that all of a user's keys are inactive is told at its keys."""
        found = have if isinstance(have, ExistingAccessKey) else None
        if found is None or not found.keys or any(key.is_active for key in found.keys):
            yield from handover_findings(want, found, self.flags)

    def _now(self, want: Wanted, have: Existing) -> Iterator[Finding]:
        match have:
            case ExistingBucket() if isinstance(want, Bucket):
                access = self.reading.public[want.address]
                if isinstance(access, KeyholeError):
                    yield _unknown("bucket.public", "whether it is public is unknown", access)
                elif access is not None:
                    yield from public_findings(want, have, access, self.fix)
            case ExistingAlarm():
                yield from alarm_findings(have)
            case ExistingTopic() if isinstance(want, Topic):
                yield from topic_findings(want, have)
            case _:
                status = self.reading.trails.get(want.address)
                if isinstance(status, KeyholeError):
                    yield _unknown("trail.delivery", "whether its log files arrive is unknown", status)
                elif status is not None:
                    yield from trail_findings(status)

    def _keys(self, want: Wanted, group: str) -> Iterator[Entry]:
        keys = self.reading.keys[want.address]
        suffix = want.address.partition(".")[2]
        if isinstance(keys, KeyholeError):
            yield Entry(group, f"key.{suffix}", "", "", (_unknown("key.unknown", "its keys are unknown", keys),))
            return
        if together := tuple(keys_findings(keys, self.now, self.flags)):
            yield Entry(group, f"key.{suffix}", want.name, "", together)
        if not keys:
            yield Entry(group, f"key.{suffix}", want.name, "", (Finding("key.none", Severity.NOTE, "has no key yet"),))
        workload = self.blueprint.app.workloads.get(suffix)
        days = (workload.rotate_days if isinstance(workload, AccessKeyWorkload) else None) or ROTATE_AFTER_DAYS
        for key in keys:
            findings = tuple(key_findings(key, self.now, self.flags, days))
            if not any(other.is_active for other in keys):
                # That there is no other one is told already, and nothing is to be deleted now.
                findings = ()
            yield Entry(group, f"key.{suffix}", key.id, describe_key(key, self.now), findings)

    def left(self) -> Iterator[Entry]:
        """Give what carries the app's tags and is not in the file, and the kinds of which nobody knows."""
        for kind, have in self.reading.orphans:
            if calls := tuple(KINDS[kind].calls(None, have)):
                summary = f"is not in the file any more: `up` would {calls[-1].why or 'take it away'}"
                finding = Finding(f"{kind}.left", Severity.WARNING, summary, fix=self.fix)
                yield Entry(LEFT, kind, short_name(have.name), "", (finding,))
        for kind, error in self.reading.unlisted.items():
            summary = f"whether a {kind} of the app has left the file is unknown"
            yield Entry(LEFT, kind, "", "", (_unknown(f"{kind}.unlisted", summary, error),))

    def account(self) -> Iterator[Entry]:
        """Give Block Public Access of the account, if the file has buckets."""
        buckets = [want for want in self.blueprint.resources if isinstance(want, Bucket)]
        if buckets:
            block = self.reading.account_block
            summary = f"Block Public Access: {describe_account_block(block)}"
            findings = tuple(account_findings(block, buckets))
            yield Entry(ACCOUNT, "account", self.blueprint.scope.account, summary, findings)

    def old_keys(self) -> Iterator[Entry]:
        """Give the keys that were asked for."""
        for key_id, key in self.reading.old_keys.items():
            findings: tuple[Finding, ...] = ()
            if isinstance(key, AccessKey):
                findings = tuple(old_key_findings(key, self.now))
            elif key is not None:
                findings = (_unknown("old-key.unknown", "whose it is, and when it was used, is unknown", key),)
            yield Entry(OLD_KEYS, "key", key_id, "is gone: AWS knows no such key", findings)


def group_of(blueprint: Blueprint, address: str) -> str:
    """Give the title under which a resource stands: its bucket, its workload, or the account."""
    kind, _, suffix = address.partition(".")
    if kind == "bucket":
        return f"bucket {suffix}"
    if kind == "alarm":
        watched = [key for key in blueprint.app.buckets if suffix.startswith(f"{key}-")]
        return f"bucket {max(watched, key=len)}" if watched else ACCOUNT
    return f"workload {suffix}" if suffix in blueprint.app.workloads and kind != "topic" else ACCOUNT


def _unknown(check: str, summary: str, error: KeyholeError) -> Finding:
    return Finding(check, Severity.UNKNOWN, summary, (str(error),), error.hint)


def _codes(error: KeyholeError) -> tuple[str, ...]:
    return (str(error),) if str(error) != error.message else ()
