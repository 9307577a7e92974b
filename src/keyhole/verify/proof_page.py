"""Proofs as one self-contained page for an auditor: it loads nothing, and prints well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from keyhole.iam.symbolic.question import Verdict
from keyhole.iam.symbolic.telling import describe_request
from keyhole.spec import App
from keyhole.verify.access_picture import draw_access
from keyhole.verify.prove import Proof

_SIGNS = {Verdict.HOLDS: "✓", Verdict.FAILS: "✗", Verdict.UNKNOWN: "?"}
_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#57606a;--page:#fff;--panel:#f6f8fa;--edge:#d0d7de;
--good:#1a7f37;--bad:#cf222e;--open:#9a6700}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--page:#0d1117;--panel:#161b22;--edge:#30363d;
--good:#3fb950;--bad:#f85149;--open:#d29922}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:60rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.25rem}h2{font-size:1.15rem;margin-top:2rem}p.dim,td.dim{color:var(--dim)}
.verdict{font-size:1.1rem;font-weight:600;padding:.75rem 1rem;border-radius:8px;background:var(--panel);
border-left:5px solid currentColor}
.holds{color:var(--good)}.fails{color:var(--bad)}.unknown{color:var(--open)}
table{border-collapse:collapse;width:100%}td{padding:.35rem .5rem;border-top:1px solid var(--edge);vertical-align:top;
overflow-wrap:anywhere}
article{background:var(--panel);border-left:5px solid var(--edge);border-radius:8px;padding:.5rem 1rem;margin:1rem 0}
article.fails{border-color:var(--bad)}article.unknown{border-color:var(--open)}article *{color:var(--ink)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0;font:14px/1.45 ui-monospace,monospace}
.picture{width:100%;height:auto}.picture rect{fill:var(--panel);stroke:var(--edge)}.picture path{fill:none;
stroke:currentColor;stroke-width:1.5}.picture text{font:13px system-ui,sans-serif;fill:var(--ink)}
.picture g.holds text,.picture g.fails text,.picture g.unknown text{fill:currentColor;font-size:11px;
paint-order:stroke;stroke:var(--page);stroke-width:4px}
@media print{body{max-width:none;margin:0}article,tr{break-inside:avoid}}
"""


def proofs_as_page(app: App, account: str, proofs: Sequence[Proof], at: datetime, *, live: bool) -> str:
    """Give the page: the verdict, the picture of access, what was not shown with its witness, and every claim."""
    what = "the policies that the account has" if live else "the planned policies"
    title = f"Access of {app.app.name}"
    open_ones = [proof for proof in proofs if proof.answer.verdict is not Verdict.HOLDS]
    sections = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="dim">Account {escape(account)}, {escape(app.app.region)}. '
        f"Proved on {what}, {at:%Y-%m-%d %H:%M} UTC.</p>",
        _verdict(proofs),
        "<h2>Who may do what</h2>",
        draw_access(app, proofs),
        *(["<h2>What was not shown</h2>"] if open_ones else []),
        *map(_in_full, open_ones),
        "<h2>What was to be shown</h2>",
        f"<table><tbody>{''.join(_rows(proofs))}</tbody></table>",
        "<h2>What this means</h2>",
        "<p>Each line was decided for every request that there can be, not for examples. A ✓ says that no request "
        "contradicts it; a ✗ comes with a request that does, and that the policy engine confirms; a ? says that it "
        "could not be told, which is never counted as shown. Policies of organizations, of sessions and ACLs of single "
        "objects are not looked at.</p>",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def _verdict(proofs: Sequence[Proof]) -> str:
    counts = {verdict: sum(proof.answer.verdict is verdict for proof in proofs) for verdict in Verdict}
    if counts[Verdict.FAILS]:
        kind, text = "fails", f"{counts[Verdict.FAILS]} of {len(proofs)} refuted"
    elif counts[Verdict.UNKNOWN]:
        kind, text = "unknown", f"{counts[Verdict.UNKNOWN]} of {len(proofs)} cannot be told"
    else:
        kind, text = "holds", f"all {len(proofs)} proved"
    return f'<p class="verdict {kind}">{text}</p>'


def _in_full(proof: Proof) -> str:
    answer = proof.answer
    lines = describe_request(answer.witness) if answer.witness is not None else [f"it cannot be told: {answer.reason}"]
    if answer.witness is not None:
        lines.append(f"allowed: {proof.by}" if proof.by else "denied")
    body = escape("\n".join(lines))
    return (
        f'<article class="{answer.verdict}"><p><strong>{_SIGNS[answer.verdict]} {escape(proof.sentence)}</strong>, '
        f"since {escape(proof.why)} ({escape(proof.place)})</p><pre>{body}</pre></article>"
    )


def _rows(proofs: Sequence[Proof]) -> Iterator[str]:
    for proof in proofs:
        verdict = proof.answer.verdict
        yield (
            f'<tr><td class="{verdict}">{_SIGNS[verdict]}</td><td>{escape(proof.sentence)}</td>'
            f'<td class="dim">{escape(proof.why)}</td><td class="dim">{escape(proof.place)}</td></tr>'
        )
