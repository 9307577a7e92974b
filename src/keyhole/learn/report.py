"""What a run of a program teaches, held against the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keyhole.blueprint.policies import VERSION
from keyhole.blueprint.policy_files import file_statements
from keyhole.blueprint.workloads import holder_arn
from keyhole.iam import Policy, PolicyKind, parse_policy
from keyhole.learn.lesson import Lesson, NamedGrants, learn
from keyhole.learn.spec_lines import spec_lines
from keyhole.learn.use import Use, by_principal, read_uses
from keyhole.naming import Scope
from keyhole.spec import Spec


@dataclass(frozen=True, slots=True)
class Run:
    """A program's run: `status` is its exit status, `events` are those of its calls, `mode` is the local AWS's.

    `workload` is the one that it ran as, "" where it had credentials of its own. `is_complete` is False where something
    that it started was still connected when it ended.
    """

    command: tuple[str, ...]
    status: int
    mode: str
    events: tuple[Mapping[str, Any], ...]
    is_complete: bool
    workload: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One principal's lesson; `workload` is whom of the file it is, or stands for, "" if nobody."""

    lesson: Lesson
    workload: str
    lines: str


@dataclass(frozen=True, slots=True)
class Report:
    """`others` counts the calls of principals that the run was not about, `refused` those of unbelieved callers."""

    run: Run
    chapters: tuple[Chapter, ...]
    others: int
    refused: int
    spec: Spec | None

    @property
    def is_settled(self) -> bool:
        """Hold iff the program ended well, something was learned, and there is nothing to change."""
        lessons = [chapter.lesson for chapter in self.chapters]
        return not self.run.status and bool(lessons) and not self.refused and all(one.is_settled for one in lessons)


def make_report(run: Run, spec: Spec | None, account: str) -> Report:
    """Give what the run teaches; `account` is the one that the file's names are completed with."""
    principals = by_principal(read_uses(run.events))
    workloads = _workloads(spec, account)
    if run.workload:
        own = {who: uses for who, uses in principals.items() if workloads.get(who) == run.workload}
        # Also where it asked for nothing: then everything that it is granted is not used.
        own = own or {next(who for who, key in workloads.items() if key == run.workload): ()}
    else:
        own = principals
    chapters = tuple(_chapter(who, uses, workloads, spec, account) for who, uses in own.items())
    return Report(
        run=run,
        chapters=chapters,
        # Whoever assumes the workload's role does it for the workload.
        others=sum(use.resource not in own for who, uses in principals.items() if who not in own for use in uses),
        refused=sum(event["keyhole"]["status"] in (401, 403) and not _is_known(event) for event in run.events),
        spec=spec,
    )


def _chapter(who: str, uses: tuple[Use, ...], workloads: Mapping[str, str], spec: Spec | None, account: str) -> Chapter:
    # A file with one workload means that one, whatever credentials the program was tried with.
    workload = workloads.get(who) or (next(iter(workloads.values())) if len(workloads) == 1 else "")
    grants: NamedGrants | None = None
    keys: dict[str, str] = {}
    file_policy: Policy | None = None
    if spec:
        keys = {spec.app.bucket_name(key, account): key for key in spec.app.buckets}
        if workload:
            names = {key: name for name, key in keys.items()}
            grants = [(names[grant.bucket], grant) for grant in spec.app.workloads[workload].grants]
            file_policy = _file_policy(spec, workload, account)
    lesson = learn(who, uses, grants, file_policy)
    return Chapter(lesson, workload, spec_lines(lesson.needs.grants, workload or "NAME", keys))


def _file_policy(spec: Spec, workload: str, account: str) -> Policy | None:
    statements = file_statements(spec, workload, _scope(spec, account))
    if not statements:
        return None
    document = {"Version": VERSION, "Statement": statements}
    return parse_policy(document, PolicyKind.IDENTITY, name=spec.policies[workload].name)


def _scope(spec: Spec, account: str) -> Scope:
    return Scope(spec.app.name, spec.app.environment, account, spec.app.region)


def _workloads(spec: Spec | None, account: str) -> dict[str, str]:
    if spec is None:
        return {}
    scope = _scope(spec, account)
    return {holder_arn(spec.app, key, scope): key for key in spec.app.workloads}


def _is_known(event: Mapping[str, Any]) -> bool:
    return bool(event["userIdentity"].get("arn")) or bool(event["keyhole"]["decisions"])


def report_as_json(report: Report) -> dict[str, Any]:
    """Give the report for machines."""
    run = report.run
    return {
        "settled": report.is_settled,
        "command": list(run.command),
        "exit_code": run.status,
        "mode": run.mode,
        "calls": len(run.events),
        "calls_of_others": report.others,
        "calls_refused": report.refused,
        "complete": run.is_complete,
        "principals": [_chapter_as_json(chapter, report.spec) for chapter in report.chapters],
    }


def _chapter_as_json(chapter: Chapter, spec: Spec | None) -> dict[str, Any]:
    lesson, comparison = chapter.lesson, chapter.lesson.comparison
    return {
        "principal": lesson.who,
        "workload": chapter.workload or None,
        "grants": [
            {"bucket": one.bucket, "prefix": one.prefix, "verbs": list(one.verbs)} for one in lesson.needs.grants
        ],
        "spec": chapter.lines,
        "policy": lesson.policy,
        "proved": not lesson.unproved,
        "denied": [_use_as_json(use) for use in lesson.denied],
        "lacking": [_use_as_json(use) for use in comparison.lacking] if comparison else None,
        "unused": [
            {
                "place": place_of(spec, chapter.workload, one.index),
                "bucket": one.grant.bucket,
                "prefix": one.grant.prefix,
                "verb": one.verb,
            }
            for one in comparison.unused
        ]
        if comparison and spec
        else None,
        "without_verb": [_use_as_json(use) for use in lesson.needs.without_verb],
        "missing_keys_hidden": lesson.needs.hidden,
        "allowed_by_resource_policy": lesson.needs.met,
        "allowed_by_policy_file": [_use_as_json(use) for use in lesson.by_file],
    }


def place_of(spec: Spec, workload: str, index: int) -> str:
    """Give where a workload's grant stands in the file."""
    return spec.places.where(("workloads", workload, "grants", index))


def _use_as_json(use: Use) -> dict[str, Any]:
    return {"operation": use.operation, "action": use.action, "resource": use.resource, "reason": use.reason}
