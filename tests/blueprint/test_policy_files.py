"""Policy files: judged before the first call, and a part of the workload's own policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyhole.blueprint import Blueprint, build_blueprint
from keyhole.errors import SpecError
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.spec import load_spec
from keyhole.verify.rehearse import rehearse

SPEC = """\
[app]
name = "shop"
region = "eu-west-1"
[buckets.a]
[workloads.tool]
kind = "role"
policy_file = "tool.json"
grants = [{ bucket = "a", verbs = ["read"] }]
"""


def blueprint(folder: Path, text: str, spec: str = SPEC) -> Blueprint:
    (folder / "keyhole.toml").write_text(spec, "utf-8")
    (folder / "tool.json").write_text(text, "utf-8")
    return build_blueprint(load_spec(folder / "keyhole.toml"), "111122223333")


def document(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def test_its_statements_stand_beside_the_grants(tmp_path: Path) -> None:
    """One policy has both, with the placeholders of the spec filled in."""
    text = document(Action="ecs:UpdateService", Resource="arn:aws:ecs:{region}:{account}:service/{app}/*")
    (policy,) = (want for want in blueprint(tmp_path, text).resources if isinstance(want, ManagedPolicy))
    assert [statement["Action"] for statement in policy.document["Statement"]] == [
        ["s3:GetObject"],
        "ecs:UpdateService",
    ]
    assert policy.document["Statement"][1]["Resource"] == "arn:aws:ecs:eu-west-1:111122223333:service/shop/*"


def test_it_may_be_all_that_a_workload_has(tmp_path: Path) -> None:
    """Without grants the file is the policy, and may be the boundary."""
    spec = SPEC.replace('grants = [{ bucket = "a", verbs = ["read"] }]', "boundary = true")
    made = blueprint(tmp_path, document(Action="ecs:ListClusters", Resource="*"), spec)
    assert len([want for want in made.resources if isinstance(want, ManagedPolicy)]) == 1


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{", "tool.json:1:2: "),
        (document(Action="ecs:UpdateService"), "tool.json:1:"),
        (document(Action="ecs:UpdateServise", Resource="*"), "tool.json: Statement[0].Action[0]: "),
        (document(Action="ecs:ListClusters", Resource="*", Sid="Objects1"), "the Sid `Objects1` is one that Keyhole"),
        (
            document(Action="ecs:ListClusters", Resource="*").replace("2012-10-17", "2008-10-17"),
            "its version is `2008-10-17`",
        ),
    ],
)
def test_what_is_wrong_in_it_is_told_with_its_place(tmp_path: Path, text: str, mistake: str) -> None:
    """What AWS would refuse, and what it would take and could never match."""
    with pytest.raises(SpecError) as caught:
        blueprint(tmp_path, text)
    (found,) = caught.value.mistakes
    assert found.where.endswith("keyhole.toml:7")
    assert mistake in found.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Before any other check, with the line that names it."""
    (tmp_path / "keyhole.toml").write_text(SPEC, "utf-8")
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / "keyhole.toml")
    (found,) = caught.value.mistakes
    message = "policy file `tool.json` of workload `tool` cannot be read: no such file or directory"
    assert (found.where.rpartition(":")[2], found.message) == ("7", message)


def test_a_file_that_lets_the_workload_change_itself_breaks_a_claim(tmp_path: Path) -> None:
    """What else it may do is the file's to say; giving itself more is not."""
    made = blueprint(tmp_path, document(Action="iam:PutRolePolicy", Resource="*"))
    assert [one.claim.id for one in rehearse(made) if not one.holds] == ["workload.tool.no-escalation"]
