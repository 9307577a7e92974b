"""A status for people and for machines, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from keyhole.findings import Finding, Severity
from keyhole.status.report import Entry, Report

NARROW = 80
_SIGNS = {
    Severity.FINE: ("✓", "green"),
    Severity.NOTE: ("·", "dim"),
    Severity.WARNING: ("!", "yellow"),
    Severity.UNKNOWN: ("?", "bold yellow"),
    Severity.PROBLEM: ("✗", "bold red"),
}


def render_report(report: Report, *, width: int) -> RenderableType:
    """Give every group with its resources, aligned over all groups, and a line that counts.

    A narrow terminal has no room for the names on AWS beside the addresses.
    """
    scope = report.scope
    is_wide = width >= NARROW
    addresses = max((len(entry.address) for entry in report.entries), default=0)
    names = max((len(entry.name) for entry in report.entries), default=0)
    parts: list[RenderableType] = [
        Text.assemble(
            (scope.app, "bold"), f" · {scope.environment} · account {scope.account} · {scope.region}", overflow="fold"
        )
    ]
    for title, entries in report.groups().items():
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=1)
        table.add_column(width=min(addresses, width // 3), overflow="fold")
        if is_wide:
            table.add_column(width=min(names, width // 3), overflow="fold")
        table.add_column(overflow="fold")
        for entry in entries:
            for row in _rows(entry, report.again):
                sign, address, name, text = row
                table.add_row(sign, address, *([name] if is_wide else []), text)
        parts += [Text(f"\n{title}", style="bold"), table]
    return Group(*parts, _summary(report))


def _rows(entry: Entry, again: str) -> Iterator[tuple[Text, Text, Text, Text]]:
    """Give a resource's line, a further one for each further finding, and beneath each what shows and mends it."""
    address, name = Text(entry.address), Text(entry.name, style="dim")
    if not entry.findings:
        yield _sign(Severity.FINE), address, name, Text(entry.summary, style="dim")
        return
    for finding in entry.findings:
        yield _sign(finding.severity), address, name, Text(finding.summary)
        address = name = Text()
        for line in finding.evidence:
            yield Text(), Text(), Text(), Text(f"  {line}", style="dim")
        if finding.fix and finding.fix != again:
            yield Text(), Text(), Text(), Text.assemble("  ", ("help", "cyan"), f": {finding.fix}")


def _sign(severity: Severity) -> Text:
    return Text(*_SIGNS[severity])


def _summary(report: Report) -> Text:
    counts = _counts(report)
    if report.is_fine:
        return Text.assemble("\n", ("everything is as the file says", "green"))
    words = [
        ("problem", "problems", Severity.PROBLEM, "bold red"),
        ("warning", "warnings", Severity.WARNING, "yellow"),
        ("unknown", "unknown", Severity.UNKNOWN, "bold yellow"),
    ]
    text = Text("\n")
    for one, many, severity, style in words:
        if count := counts[severity]:
            text.append(", " if len(text) > 1 else "").append(f"{count} {one if count == 1 else many}", style)
    if any(finding.fix == report.again for entry in report.entries for finding in entry.findings):
        text.append(f"; {report.again} makes it as the file says")
    return text


def _counts(report: Report) -> dict[Severity, int]:
    found = dict.fromkeys(Severity, 0)
    for entry in report.entries:
        for finding in entry.findings:
            found[finding.severity] += 1
    return found


def report_as_json(report: Report) -> dict[str, Any]:
    """Give the status as plain data."""
    scope = report.scope
    counts = _counts(report)
    return {
        "app": scope.app,
        "environment": scope.environment,
        "account": scope.account,
        "region": scope.region,
        "at": report.at.isoformat(timespec="seconds"),
        "fine": report.is_fine,
        "counts": {severity.word: count for severity, count in counts.items() if severity is not Severity.FINE},
        "entries": [
            {
                "group": entry.group,
                "address": entry.address,
                "name": entry.name,
                "state": entry.severity.word,
                "summary": entry.summary,
                "findings": [_finding_as_json(finding) for finding in entry.findings],
            }
            for entry in report.entries
        ],
    }


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "severity": finding.severity.word,
        "summary": finding.summary,
        "evidence": list(finding.evidence),
        "fix": finding.fix,
        "doc_url": finding.doc_url,
    }


Key = tuple[str, str, str]


def describe_changes(before: Report | None, now: Report) -> tuple[str, ...]:
    """Give a line for each finding that came since, and for each that is gone; at first one for each there is."""
    known, found = _found(before), _found(now)
    came = [f"{_SIGNS[finding.severity][0]} {_line(key)}" for key, finding in found.items() if key not in known]
    return (*came, *(f"✓ no longer: {_line(key)}" for key in known if key not in found))


def _found(report: Report | None) -> dict[Key, Finding]:
    return {
        (entry.address, entry.name, finding.summary): finding
        for entry in (report.entries if report else ())
        for finding in entry.findings
        if finding.counts
    }


def _line(key: Key) -> str:
    address, name, summary = key
    return f"{address}{f' {name}' if name else ''}: {summary}"
