"""The policy for the people who launch instances: this role, this service, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyhole.blueprint import build_blueprint
from keyhole.errors import SpecError
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.spec import load_spec
from keyhole.verify.rehearse import rehearse

SPEC = """\
[app]
name = "shop"
region = "eu-west-1"
[workloads.web]
kind = "KIND"
policy_name = "ShopPolicy"
pass_role_policy = "ShopPassRole"
"""


@pytest.mark.parametrize(
    ("kind", "service"), [("ec2", "ec2.amazonaws.com"), ("ecs", "ecs-tasks.amazonaws.com")], ids=["ec2", "ecs"]
)
def test_it_is_for_exactly_this_role_and_its_service(tmp_path: Path, kind: str, service: str) -> None:
    """One statement, and the claims on it hold on paper: no other role, no other service, no assuming."""
    file = tmp_path / "keyhole.toml"
    file.write_text(SPEC.replace("KIND", kind), "utf-8")
    made = build_blueprint(load_spec(file), "111122223333")
    (policy,) = (want for want in made.resources if isinstance(want, ManagedPolicy))
    assert policy.arn == "arn:aws:iam::111122223333:policy/keyhole/shop/default/ShopPassRole"
    assert policy.document["Statement"] == [
        {
            "Sid": "PassThisRole",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "arn:aws:iam::111122223333:role/keyhole/shop/default/shop-web",
            "Condition": {"StringEquals": {"iam:PassedToService": service}},
        }
    ]
    decided = {one.claim.id: one.decision.is_allowed for one in rehearse(made) if "launcher" in one.claim.id}
    assert decided == {
        "workload.web.launcher.pass": True,
        "workload.web.launcher.no-other-role": False,
        "workload.web.launcher.no-other-service": False,
        "workload.web.launcher.no-assume": False,
    }
    sentences = [claim.sentence for claim in made.claims if claim.id == "workload.web.launcher.pass"]
    assert sentences[0].startswith("who launches web can iam:PassRole on ")


def test_its_name_is_no_other_policy_s(tmp_path: Path) -> None:
    """Two policies of one name would be one."""
    file = tmp_path / "keyhole.toml"
    grants = '[buckets.a]\n[[workloads.web.grants]]\nbucket = "a"\nverbs = ["read"]\n'
    file.write_text(SPEC.replace("KIND", "ec2").replace("ShopPassRole", "shoppolicy") + grants, "utf-8")
    with pytest.raises(SpecError, match="both have the policy `shoppolicy`"):
        build_blueprint(load_spec(file), "111122223333")
