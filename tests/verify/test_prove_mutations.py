"""Whatever is widened in a planned policy, by one action, resource, principal or condition, some proof fails."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyhole.blueprint import build_blueprint
from keyhole.iam.symbolic.question import Verdict
from keyhole.resources import Wanted
from keyhole.resources.bucket import Bucket
from keyhole.resources.inline_policy import InlinePolicy
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.role import Role
from keyhole.spec import load_spec
from keyhole.verify.prove import Proof, prove

ROOT = Path(__file__).parents[2]
ECS_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
MANAGED = {
    ECS_POLICY: {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["ecr:BatchGetImage", "logs:PutLogEvents"], "Resource": "*"}],
    }
}
FILES = [
    ("examples/ai-image-community/keyhole.toml", ""),
    ("examples/pacs-masks/keyhole.toml", "dev"),
    ("examples/llmops/keyhole.toml", ""),
    ("examples/recipository/keyhole.toml", ""),
    ("examples/instagram-static-files/keyhole.toml", ""),
    *((f"tests/golden/specs/{name}.toml", "") for name in ("github-actions", "operations", "policies", "storage")),
    ("tests/golden/specs/uploads.toml", ""),
]
Document = dict[str, Any]


@pytest.mark.parametrize(
    ("file", "environment"), FILES, ids=[file.split("/")[-2 if "examples" in file else -1] for file, _ in FILES]
)
def test_every_widening_is_found(file: str, environment: str) -> None:
    """And the proof that fails names a statement, or the request that nothing denies any more."""
    spec = load_spec(ROOT / file, environment)
    blueprint = build_blueprint(spec, "123456789012")
    assert {proof.answer.verdict for proof in prove(spec, blueprint, MANAGED)} == {Verdict.HOLDS}
    tried = 0
    for index, resource in enumerate(blueprint.resources):
        for what, wider in widenings(resource):
            resources = (*blueprint.resources[:index], wider, *blueprint.resources[index + 1 :])
            found = failing(prove(spec, replace(blueprint, resources=resources), MANAGED))
            assert found, f"{resource.address}: {what}"
            assert any(proof.by and proof.answer.witness for proof in found), f"{resource.address}: {what}"
            tried += 1
    assert tried >= 5


def failing(proofs: tuple[Proof, ...]) -> list[Proof]:
    return [proof for proof in proofs if proof.answer.verdict is Verdict.FAILS]


def widenings(resource: Wanted) -> Iterator[tuple[str, Wanted]]:
    """Give every way to widen the resource's policy by one thing."""
    match resource:
        case ManagedPolicy() | InlinePolicy():
            for what, document in wider_documents(resource.document):
                yield what, replace(resource, document=document)
        case Role():
            for what, document in wider_documents(resource.trust):
                yield what, replace(resource, trust=document)
        case Bucket() if resource.settings.policy is not None:
            for what, document in wider_documents(resource.settings.policy):
                policy = document if document["Statement"] else None
                yield what, replace(resource, settings=replace(resource.settings, policy=policy))


def wider_documents(document: Document) -> Iterator[tuple[str, Document]]:
    for number, statement in enumerate(document["Statement"]):
        for what, wider in wider_statements(statement):
            changed = copy.deepcopy(document)
            changed["Statement"][number : number + 1] = [wider] if wider is not None else []
            yield f"statement {number}, {what}", changed


def wider_statements(statement: Document) -> Iterator[tuple[str, Document | None]]:
    if statement["Effect"] == "Deny":
        yield "without the deny", None
        return
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    for action in actions:
        if not action.endswith("*"):
            wider = [other for other in actions if other != action] + [action.partition(":")[0] + ":*"]
            yield f"action {action}", {**statement, "Action": wider}
    resources = statement.get("Resource", [])
    for index, arn in enumerate(resources if isinstance(resources, list) else [resources]):
        listed = resources if isinstance(resources, list) else [resources]
        if arn != "*":
            yield f"resource {arn}", {**statement, "Resource": [*listed[:index], "*", *listed[index + 1 :]]}
    for operator, keys in statement.get("Condition", {}).items():
        for key in keys:
            left = {name: dict(values) for name, values in statement["Condition"].items()}
            del left[operator][key]
            yield f"condition {key}", {**statement, "Condition": {name: keys for name, keys in left.items() if keys}}
    if statement.get("Principal", "*") != "*":
        yield f"principal {json.dumps(statement['Principal'])}", {**statement, "Principal": "*"}
