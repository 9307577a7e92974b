"""The corpus of policy cases: each states what AWS does, and names the page that says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from keyhole.iam import (
    Context,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalKind,
    Request,
    decide,
    denial_message,
    explain,
    parse_policy,
)

CASES = Path(__file__).parent / "cases"


def read_cases() -> list[Any]:
    """Every case of every file, under the name `file: case`."""
    return [
        pytest.param(case, id=f"{path.stem}: {case['name']}")
        for path in sorted(CASES.glob("*.json"))
        for case in json.loads(path.read_text(encoding="utf-8"))
    ]


def build_policies(documents: dict[str, Any]) -> PolicySet:
    """The policy set of a case, parsed."""

    def parse(kind: str) -> Policy | None:
        return parse_policy(documents[kind], PolicyKind(kind), kind) if kind in documents else None

    def parse_all(kind: str, several: list[Any]) -> tuple[Policy, ...]:
        return tuple(parse_policy(document, PolicyKind(kind), kind) for document in several)

    assert documents.keys() <= {"identity", "resource", "trust", "boundary", "session", "scps", "rcps", "endpoint"}
    return PolicySet(
        identity=parse_all("identity", documents.get("identity", [])),
        resource=parse("resource"),
        trust=parse("trust"),
        boundary=parse("boundary"),
        session=parse_all("session", documents["session"]) if "session" in documents else None,
        scps=tuple(parse_all("scp", level) for level in documents.get("scps", [])),
        rcps=tuple(parse_all("rcp", level) for level in documents.get("rcps", [])),
        endpoint=parse("endpoint"),
    )


def build_request(asked: dict[str, Any]) -> Request:
    """The request of a case."""
    caller = asked["principal"]
    return Request(
        Principal(PrincipalKind(caller["kind"]), *(caller.get(name, "") for name in ("arn", "account", "role_arn"))),
        asked["action"],
        asked["resource"],
        Context(asked.get("context")),
        asked.get("resource_account", ""),
    )


@pytest.mark.parametrize("case", read_cases())
def test_decides_as_aws_does(case: dict[str, Any]) -> None:
    """The decision, and the layers that blocked it, are those that AWS documents."""
    request = build_request(case["request"])
    decision = decide(request, build_policies(case["policies"]))
    account = explain(request, decision)
    assert decision.outcome == case["expected"], account
    assert [kind.value for kind in decision.blocked_by] == case["blocked_by"], account
    assert bool(denial_message(request, decision)) is not decision.is_allowed
    assert case["source"]
