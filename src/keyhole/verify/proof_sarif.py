"""Proofs for code scanning: what was not shown, as results at their places in the file.

OASIS: Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from keyhole.iam.symbolic.question import Verdict
from keyhole.iam.symbolic.telling import describe_request
from keyhole.verify.prove import Proof

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Verdict.FAILS: "error", Verdict.UNKNOWN: "warning"}
_RULES = {
    "claim": "What the file says that someone can or cannot do is so for every request.",
    "nothing-more": "Nothing is granted that the file does not ask for.",
}


def proofs_as_sarif(proofs: Sequence[Proof], version: str) -> dict[str, Any]:
    """Give one result for each thing that was refuted (error) or cannot be told (warning)."""
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in _RULES.items()]
    results = [_result(proof) for proof in proofs if proof.answer.verdict in _LEVELS]
    driver = {"name": "keyhole", "version": version, "rules": rules}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(proof: Proof) -> dict[str, Any]:
    answer = proof.answer
    lines = [f"{proof.sentence}, since {proof.why}"]
    if answer.witness is None:
        lines.append(f"it cannot be told: {answer.reason}")
    else:
        lines += describe_request(answer.witness)
        lines.append(f"allowed: {proof.by}" if proof.by else "denied")
    name, _, line = proof.place.rpartition(":")
    file, start = (name, int(line)) if line.isdigit() else (proof.place, 1)
    # A place in the repository has slashes, and a result's fingerprint must not change with the line.
    location = {
        "artifactLocation": {"uri": PurePath(file).as_posix()},
        "region": {"startLine": max(1, start)},
    }
    rule = "claim" if proof.claim is not None else "nothing-more"
    return {
        "ruleId": rule,
        "ruleIndex": list(_RULES).index(rule),
        "level": _LEVELS[answer.verdict],
        "message": {"text": "\n".join(lines)},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"keyhole/v1": proof.id},
    }
