"""Claims and how they fared, for people and for machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from keyhole.blueprint import ANONYMOUS, OUTSIDE, Blueprint, Claim
from keyhole.resources.bucket import Bucket
from keyhole.verify.identities import Identity
from keyhole.verify.probe import Probe, Verdict
from keyhole.verify.rehearse import Rehearsal

_STYLES = {Verdict.HOLDS: ("✓", "green"), Verdict.FAILS: ("✗", "bold red"), Verdict.UNKNOWN: ("?", "bold yellow")}


def render_identities(identities: dict[str, Identity]) -> RenderableType:
    """Say whose credentials were used, and where they came from."""
    lines = [
        f"[bold]{_who(identity.who)}[/]: {escape(identity.source or identity.why_not)}"
        for identity in identities.values()
    ]
    return Text.from_markup("\n".join(lines) + "\n")


def render_probes(probes: Sequence[Probe], buckets: Mapping[str, str]) -> RenderableType:
    """Give a table: claim, expected, got, AWS's reason. `buckets` gives the names on S3 their keys in the file."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in ("", "who", "action", "on", "expected", "got", "AWS says"):
        table.add_column(column, overflow="fold", no_wrap=column not in {"on", "AWS says"})
    previous = ""
    for probe in probes:
        who, previous = (_who(probe.claim.who) if probe.claim.who != previous else ""), probe.claim.who
        if who and table.row_count:
            table.add_section()
        sign, style = _STYLES[probe.verdict]
        reason = (
            "" if probe.got == "allowed" and probe.verdict is Verdict.HOLDS else _short(probe.reason, probe.verdict)
        )
        expected = "allowed" if probe.claim.expected == "can" else "denied"
        table.add_row(
            f"[{style}]{sign}[/]",
            who,
            probe.claim.action,
            escape(_where(probe.claim, buckets)),
            expected,
            f"[{style}]{probe.got or 'not known'}[/]",
            escape(reason),
        )
    return Group(table, Text.from_markup(_count(probes)))


def render_broken_claims(rehearsals: Iterable[Rehearsal]) -> RenderableType:
    """List the claims that the planned policies break, each with its place in the file and the decision."""
    lines = []
    for rehearsal in rehearsals:
        claim = rehearsal.claim
        lines.append(f"[bold red]✗[/] {escape(claim.place)}: {escape(claim.sentence)}, since {escape(claim.why)}")
        lines.append(f"    [dim]on paper: {escape(rehearsal.reason)}[/]")
    return Text.from_markup("\n".join(lines))


def bucket_keys(blueprint: Blueprint) -> dict[str, str]:
    """Give the key in the file of every bucket of the app, by its name on S3."""
    buckets = (resource for resource in blueprint.resources if isinstance(resource, Bucket))
    return {bucket.name: bucket.address.partition(".")[2] for bucket in buckets}


def _who(who: str) -> str:
    return "anyone" if who == ANONYMOUS else who


def _where(claim: Claim, buckets: Mapping[str, str]) -> str:
    target = claim.target
    if not target.bucket:
        return "the account" if claim.action == "s3:ListAllMyBuckets" else "itself"
    if target.bucket not in buckets:
        return "another bucket"
    bucket = buckets[target.bucket]
    if target.prefix == OUTSIDE:
        return f"{bucket}: elsewhere"
    if claim.action == "s3:ListBucket":
        return f"{bucket}: {target.prefix or 'all keys'}"
    return f"{bucket}: {target.prefix}*" if target.is_object else bucket


def _short(reason: str, verdict: Verdict) -> str:
    """Give AWS's reason; where the claim holds, only its because-clause, which is what differs from row to row."""
    because = reason.find("because ")
    if verdict is Verdict.HOLDS and because >= 0:
        return re.sub(r" allows the \S+ action$", " allows it", reason[because + len("because ") :])
    return reason


def _count(probes: Sequence[Probe]) -> str:
    holds = sum(probe.verdict is Verdict.HOLDS for probe in probes)
    fails = sum(probe.verdict is Verdict.FAILS for probe in probes)
    unknown = len(probes) - holds - fails
    if holds == len(probes):
        return f"\n[green]all {holds} claims hold[/]; nothing was left behind"
    parts = [f"{holds} of {len(probes)} claims hold"]
    parts += [f"[bold red]{fails} fail[/]"] if fails else []
    parts += [f"[bold yellow]{unknown} could not be tried[/]"] if unknown else []
    return f"\n{', '.join(parts)}"


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
