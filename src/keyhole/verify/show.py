"""Claims and how they fared, for people and for machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from keyhole.blueprint import ANONYMOUS, GITHUB_JOB, OUTSIDE, Blueprint, Claim
from keyhole.blueprint.github import AUDIENCE_KEY, SUBJECT_KEY
from keyhole.resources.bucket import Bucket
from keyhole.resources.oidc_provider import GITHUB_AUDIENCE
from keyhole.verify.identities import Identity
from keyhole.verify.probe import Probe, Verdict
from keyhole.verify.rehearse import Rehearsal

WIDE = 112
NARROW = 72
_STYLES = {Verdict.HOLDS: ("✓", "green"), Verdict.FAILS: ("✗", "bold red"), Verdict.UNKNOWN: ("?", "bold yellow")}


def render_identities(identities: dict[str, Identity]) -> RenderableType:
    """Say whose credentials were used, and where they came from."""
    lines = [
        f"[bold]{_who(identity.who)}[/]: {escape(identity.source or identity.why_not)}"
        for identity in identities.values()
    ]
    return Text.from_markup("\n".join(lines) + "\n")


def render_probes(probes: Sequence[Probe], buckets: Mapping[str, str], *, width: int) -> RenderableType:
    """Give a table: claim, expected, got, AWS's reason; what does not hold is told in full below it.

    `buckets` gives the names on S3 their keys in the file. A narrow terminal has no room for the reasons of denials, a
    very narrow one none for what was expected either: that is told of every claim that fails.
    """
    is_wide, is_narrow = width >= WIDE, width < NARROW
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1 if is_wide else 0, 0, 0))
    expecting = [] if is_narrow else ["expected"]
    folding = {"on", "AWS says", *(["action"] if is_narrow else [])}
    for column in ("", "who", "action", "on", *expecting, "got", *(["AWS says"] if is_wide else [])):
        table.add_column(column, overflow="fold", no_wrap=column not in folding)
    previous = ""
    for probe in (probe for probe in probes if probe.verdict is not Verdict.UNKNOWN):
        who, previous = (_who(probe.claim.who) if probe.claim.who != previous else ""), probe.claim.who
        if who and table.row_count:
            table.add_section()
        sign, style = _STYLES[probe.verdict]
        reason = "" if probe.got == "allowed" else _short(probe.reason)
        expected = "allowed" if probe.claim.expected == "can" else "denied"
        table.add_row(
            f"[{style}]{sign}[/]",
            who,
            probe.claim.action,
            escape(_where(probe.claim, buckets)),
            *([] if is_narrow else [expected]),
            f"[{style}]{probe.got}[/]",
            *([escape(reason)] if is_wide else []),
        )
    return Group(*([table] if table.row_count else []), Text.from_markup("\n".join(_in_full(probes)) + _count(probes)))


def _in_full(probes: Sequence[Probe]) -> Iterator[str]:
    """Every claim that fails, with its place in the file and AWS's whole answer; what could not be tried, by reason."""
    for probe in probes:
        if probe.verdict is Verdict.FAILS:
            claim = probe.claim
            yield f"\n[bold red]✗[/] {escape(claim.place)}: {escape(claim.sentence)}, since {escape(claim.why)}"
            yield f"    it is {probe.got}{': ' if probe.reason else ''}{escape(probe.reason)}"
    unknown: dict[tuple[str, str], int] = {}
    for probe in probes:
        if probe.verdict is Verdict.UNKNOWN:
            key = (probe.claim.who, probe.reason)
            unknown[key] = unknown.get(key, 0) + 1
    for (who, reason), count in unknown.items():
        claims = "1 claim" if count == 1 else f"{count} claims"
        yield f"\n[bold yellow]?[/] {claims} about {_who(who)} could not be tried: {escape(reason)}"


def render_broken_claims(rehearsals: Iterable[Rehearsal]) -> RenderableType:
    """List the claims that the planned policies break, each with its place in the file and the decision."""
    lines = []
    for rehearsal in rehearsals:
        claim = rehearsal.claim
        lines.append(f"[bold red]✗[/] {escape(claim.place)}: {escape(claim.sentence)}, since {escape(claim.why)}")
        lines.append(f"    [dim]on paper: {escape(rehearsal.reason)}[/]")
    return Text.from_markup("\n".join(lines))


def render_untried(blueprint: Blueprint, probes: Sequence[Probe]) -> RenderableType | None:
    """Say what of other environments is not there yet, so that its claims were decided on paper alone."""
    tried = {probe.claim.id for probe in probes}
    about: dict[str, int] = {}
    for claim in blueprint.claims:
        if claim.environment and not claim.on_paper and claim.id not in tried:
            about[claim.environment] = about.get(claim.environment, 0) + 1
    if not about:
        return None
    counted = ", ".join(f"{count} claims about `{name}`" for name, count in about.items())
    are = "which is" if len(about) == 1 else "which are"
    return Text(f"decided on paper alone: {counted}, {are} not there yet", style="dim")


def bucket_keys(blueprint: Blueprint) -> dict[str, str]:
    """Give the key in the file of every bucket of the app, by its name on S3."""
    buckets = (resource for resource in blueprint.resources if isinstance(resource, Bucket))
    return {bucket.name: bucket.address.partition(".")[2] for bucket in buckets}


def _who(who: str) -> str:
    return {ANONYMOUS: "anyone", GITHUB_JOB: "a GitHub job"}.get(who, who)


def _where(claim: Claim, buckets: Mapping[str, str]) -> str:
    target = claim.target
    if claim.who == GITHUB_JOB:
        subject, audience = claim.context[SUBJECT_KEY], claim.context[AUDIENCE_KEY]
        for_others = f", for {audience}" if audience != GITHUB_AUDIENCE else ""
        return f"role {claim.resource.rpartition('/')[2]}: {subject}{for_others}"
    if ":table/" in claim.resource:
        return f"table {claim.resource.rpartition('/')[2]}"
    if not target.bucket and claim.environment:
        return f"{claim.environment}: {claim.resource.rpartition('/')[2]}"
    if not target.bucket:
        return "the account" if claim.action == "s3:ListAllMyBuckets" else "itself"
    if target.bucket not in buckets:
        return f"{claim.environment}: {target.bucket}" if claim.environment else "another bucket"
    bucket = buckets[target.bucket]
    if target.prefix == OUTSIDE:
        return f"{bucket}: elsewhere"
    if claim.action == "s3:ListBucket":
        return f"{bucket}: {target.prefix or 'all keys'}"
    return f"{bucket}: {target.prefix}*" if target.is_object else bucket


def _short(reason: str) -> str:
    """Give the because-clause of AWS's reason, which is what differs from row to row."""
    because = reason.find("because ")
    if because >= 0:
        return re.sub(r" allows the \S+ action$", " allows it", reason[because + len("because ") :])
    return reason


def _count(probes: Sequence[Probe]) -> str:
    holds = sum(probe.verdict is Verdict.HOLDS for probe in probes)
    fails = sum(probe.verdict is Verdict.FAILS for probe in probes)
    unknown = len(probes) - holds - fails
    if holds == len(probes):
        return f"\n[green]all {holds} claims hold[/]; no probe was left behind"
    parts = [f"{holds} of {len(probes)} claims hold"]
    parts += [f"[bold red]{fails} {'fails' if fails == 1 else 'fail'}[/]"] if fails else []
    parts += [f"[bold yellow]{unknown} could not be tried[/]"] if unknown else []
    return f"\n\n{', '.join(parts)}; no probe was left behind"


def probes_as_json(probes: Sequence[Probe], identities: dict[str, Identity]) -> dict[str, Any]:
    """Give the results as plain data."""
    return {
        "holds": all(probe.verdict is Verdict.HOLDS for probe in probes),
        "identities": {name: identity.source or identity.why_not for name, identity in identities.items()},
        "claims": [
            {
                "id": probe.claim.id,
                "who": probe.claim.who,
                "action": probe.claim.action,
                "resource": probe.claim.resource,
                "expected": "allowed" if probe.claim.expected == "can" else "denied",
                "got": probe.got,
                "verdict": str(probe.verdict),
                "reason": probe.reason,
                "why": probe.claim.why,
                "place": probe.claim.place,
            }
            for probe in probes
        ],
    }
