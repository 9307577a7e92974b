"""The picture of access as inline SVG: who may do what, in which bucket, under which prefix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from keyhole.blueprint import ANONYMOUS
from keyhole.iam.symbolic.question import Verdict
from keyhole.spec import App
from keyhole.verify.prove import Proof

_WIDTH, _ROW, _BOX = 880, 46, 34
_LEFT, _RIGHT, _BOX_WIDTH = 10, 580, 290


@dataclass(frozen=True, slots=True)
class Edge:
    """One grant: from whom, to where, and the worst verdict of the proofs that are about it."""

    who: str
    where: str
    verbs: str
    verdict: Verdict


def access_edges(app: App, proofs: Sequence[Proof]) -> tuple[Edge, ...]:
    """Give what the file grants, and to everyone on the web what is public, each with how its proofs fared."""
    edges = []
    for key, workload in app.workloads.items():
        for grant in workload.grants:
            verdict = _worst(proofs, key, f"workload.{key}.nothing-more")
            edges.append(Edge(key, f"{grant.bucket}/{grant.prefix}", ", ".join(grant.verbs), verdict))
    for key, bucket in app.buckets.items():
        verdict = _worst(proofs, ANONYMOUS, f"bucket.{key}.nobody-more")
        edges.extend(Edge("everyone on the web", f"{key}/{prefix}", "read", verdict) for prefix in bucket.public_read)
    return tuple(edges)


def _worst(proofs: Sequence[Proof], who: str, more: str) -> Verdict:
    found = {
        proof.answer.verdict
        for proof in proofs
        if proof.id == more or (proof.claim is not None and proof.claim.who == who)
    }
    return next((verdict for verdict in (Verdict.FAILS, Verdict.UNKNOWN) if verdict in found), Verdict.HOLDS)


def draw_access(app: App, proofs: Sequence[Proof]) -> str:
    """Give the picture: workloads on the left, buckets and prefixes on the right, a line for each grant."""
    edges = access_edges(app, proofs)
    left = list(dict.fromkeys([*app.workloads, *(edge.who for edge in edges)]))
    right = sorted({edge.where for edge in edges} | {f"{key}/" for key in app.buckets})
    height = max(len(left), len(right), 1) * _ROW + 10
    pieces = [*_lines(edges, left, right), *_boxes(left, _LEFT, "who"), *_boxes(right, _RIGHT, "where")]
    label = escape(f"who may do what in the buckets of {app.app.name}")
    return (
        f'<svg class="picture" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">'
        f"<title>{label}</title>{''.join(pieces)}</svg>"
    )


def _boxes(names: list[str], x: int, kind: str) -> Iterator[str]:
    for row, name in enumerate(names):
        y = row * _ROW + 8
        shown = name if len(name) <= 38 else name[:37] + "…"
        yield (
            f'<g class="{kind}"><rect x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX}" rx="6"/>'
            f'<text x="{x + 12}" y="{y + 22}">{escape(shown)}<title>{escape(name)}</title></text></g>'
        )


def _lines(edges: Sequence[Edge], left: list[str], right: list[str]) -> Iterator[str]:
    for number, edge in enumerate(edges):
        start = left.index(edge.who) * _ROW + 8 + _BOX // 2
        end = right.index(edge.where) * _ROW + 8 + _BOX // 2
        x1, x2 = _LEFT + _BOX_WIDTH, _RIGHT
        bend = (x2 - x1) // 2
        # Lines that cross do so near the middle: the words stand nearer to the left, at one of three places.
        share = (0.25, 0.4, 0.55)[number % 3]
        x, y = x1 + (x2 - x1) * share, _height_at(start, end, share) - 4
        curve = f"M{x1} {start} C{x1 + bend} {start} {x2 - bend} {end} {x2} {end}"
        yield (
            f'<g class="{edge.verdict}"><path d="{curve}"/>'
            f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{escape(edge.verbs)}</text></g>'
        )


def _height_at(start: int, end: int, share: float) -> float:
    """Give how high the curve is there."""
    rest = 1 - share
    return (rest**3 + 3 * rest**2 * share) * start + (3 * rest * share**2 + share**3) * end
