"""A workload with a policy file is shown to have no path to more, or the path is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from keyhole.blueprint import build_blueprint
from keyhole.iam.symbolic.question import Verdict
from keyhole.spec import load_spec
from keyhole.verify.prove import Proof, prove

ACCOUNT = "123456789012"
SPEC = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]

[workloads.deploy]
kind = "access-key"
policy_file = "deploy.json"
"""


def prove_with(folder: Path, *statements: dict[str, Any]) -> Proof:
    (folder / "keyhole.toml").write_text(SPEC, "utf-8")
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    (folder / "deploy.json").write_text(json.dumps(document), "utf-8")
    spec = load_spec(folder / "keyhole.toml", "")
    proofs = prove(spec, build_blueprint(spec, ACCOUNT))
    (found,) = [proof for proof in proofs if proof.id == "workload.deploy.no-escalation-path"]
    return found


def statement(action: Any, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([statement("ecr:GetAuthorizationToken", "*")], Verdict.HOLDS),
        ([statement("s3:PutBucketPolicy", "arn:aws:s3:::elsewhere")], Verdict.FAILS),
        ([statement("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/elsewhere")], Verdict.UNKNOWN),
    ],
)
def test_a_path_is_named(tmp_path: Path, statements: list[dict[str, Any]], verdict: Verdict) -> None:
    """With the request that is its first step; what another role may do is not known."""
    proof = prove_with(tmp_path, *statements)
    assert proof.answer.verdict is verdict
    if verdict is Verdict.FAILS:
        assert "writes a policy of arn:aws:s3:::elsewhere that names itself; then it may s3:" in proof.by
        assert proof.answer.witness is not None
        assert proof.answer.witness.action == "s3:PutBucketPolicy"
    if verdict is Verdict.UNKNOWN:
        assert "assumes role elsewhere: what that may do is not known here" in proof.answer.reason
