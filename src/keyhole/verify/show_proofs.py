"""Proofs and their witnesses, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from keyhole.iam.showing import as_code
from keyhole.iam.symbolic.question import Verdict
from keyhole.iam.symbolic.telling import describe_request, request_as_json
from keyhole.verify.prove import Proof

_SIGNS = {Verdict.HOLDS: ("✓", "green"), Verdict.FAILS: ("✗", "bold red"), Verdict.UNKNOWN: ("?", "bold yellow")}


def render_proofs(proofs: Sequence[Proof]) -> RenderableType:
    """Give one line for each thing that was to be shown, and below it every one that was not, with its witness."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for proof in proofs:
        sign, style = _SIGNS[proof.answer.verdict]
        table.add_row(f"[{style}]{sign}[/]", escape(proof.sentence))
    return Group(table, render_failures(proofs), Text.from_markup(_count(proofs)))


def render_failures(proofs: Sequence[Proof]) -> RenderableType:
    """Give what was not shown: its place in the file, the request that shows the contrary, and the statement."""
    return Text.from_markup("\n".join(line for proof in proofs for line in _in_full(proof)))


def _in_full(proof: Proof) -> Iterator[str]:
    answer = proof.answer
    if answer.verdict is Verdict.HOLDS:
        return
    sign, style = _SIGNS[answer.verdict]
    yield f"\n[{style}]{sign}[/] {escape(proof.place)}: {escape(proof.sentence)}, since {escape(proof.why)}"
    if answer.witness is None:
        yield f"    it cannot be told: {escape(answer.reason)}"
        return
    yield from (f"    {escape(line)}" for line in describe_request(answer.witness))
    yield f"    [bold]allowed[/]: {escape(proof.by)}" if proof.by else "    [bold]denied[/]"


def describe_proofs(proofs: Sequence[Proof]) -> str:
    """Give in one line how many were shown on the planned policies, before anything changes."""
    shown = sum(proof.answer.verdict is Verdict.HOLDS for proof in proofs)
    left = len(proofs) - shown
    rest = f"; {left} cannot be told: `keyhole prove` says why" if left else ", for every request that there can be"
    return f"{shown} claims proved on the planned policies{rest}"


def _count(proofs: Sequence[Proof]) -> str:
    counts = {verdict: sum(proof.answer.verdict is verdict for proof in proofs) for verdict in Verdict}
    if counts[Verdict.HOLDS] == len(proofs):
        return f"\n[green]all {len(proofs)} proved[/], each for every request that there can be"
    parts = [f"{counts[Verdict.HOLDS]} of {len(proofs)} proved"]
    parts += [f"[bold red]{counts[Verdict.FAILS]} refuted[/]"] if counts[Verdict.FAILS] else []
    parts += [f"[bold yellow]{counts[Verdict.UNKNOWN]} cannot be told[/]"] if counts[Verdict.UNKNOWN] else []
    return "\n" + ", ".join(parts)


def proofs_as_markdown(proofs: Sequence[Proof]) -> str:
    """Give the count, and what was not shown with its witness, as a comment for a pull request."""
    lines = [f"**{Text.from_markup(_count(proofs)).plain.strip()}**"]
    for proof in proofs:
        details = [Text.from_markup(line).plain.strip() for line in _in_full(proof)]
        if details:
            lines += [f"\n{details[0]}\n", *(f"- {as_code(detail)}" for detail in details[1:])]
    return "\n".join(lines)


def proofs_as_json(proofs: Sequence[Proof]) -> dict[str, Any]:
    """Give the proofs as plain data."""
    return {
        "holds": all(proof.answer.verdict is Verdict.HOLDS for proof in proofs),
        "proofs": [
            {
                "id": proof.id,
                "sentence": proof.sentence,
                "verdict": str(proof.answer.verdict),
                "reason": proof.answer.reason,
                "witness": request_as_json(proof.answer.witness) if proof.answer.witness else None,
                "by": proof.by,
                "why": proof.why,
                "place": proof.place,
            }
            for proof in proofs
        ],
    }
