"""Policies that AWS keeps count among what a workload can do: they are read, and decided with the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint
from keyhole.errors import SpecError
from keyhole.verify.managed import read_managed_policies
from keyhole.verify.rehearse import rehearse
from local_story import AccountFactory, blueprint_of

SPEC = """\
[app]
name = "shop"
region = "us-east-1"
[workloads.task]
kind = "ecs"
managed_policies = ["{name}"]
"""


@pytest.fixture
def root(account: AccountFactory) -> BotocoreAws:
    return account("us-east-1")


def blueprint(folder: Path, name: str) -> Blueprint:
    file = folder / "keyhole.toml"
    file.write_text(SPEC.replace("{name}", name), "utf-8")
    return blueprint_of(file)


def broken(made: Blueprint, root: BotocoreAws) -> list[str]:
    return [one.claim.id for one in rehearse(made, read_managed_policies(root, made)) if not one.holds]


def test_a_narrow_one_breaks_no_claim(root: BotocoreAws, tmp_path: Path) -> None:
    """What ECS needs to start a task touches neither buckets nor the role."""
    assert broken(blueprint(tmp_path, "service-role/AmazonECSTaskExecutionRolePolicy"), root) == []


def test_a_wide_one_breaks_the_claims_that_it_overrides(root: BotocoreAws, tmp_path: Path) -> None:
    """AmazonS3FullAccess reaches every bucket, and the rehearsal says so before anything is changed."""
    assert broken(blueprint(tmp_path, "AmazonS3FullAccess"), root) == [
        "workload.task.no-other-bucket",
        "workload.task.no-list-buckets",
    ]


def test_one_that_aws_does_not_know_is_a_mistake(root: BotocoreAws, tmp_path: Path) -> None:
    """Without its path even a right name leads nowhere."""
    made = blueprint(tmp_path, "AmazonECSTaskExecutionRolePolicy")
    with pytest.raises(SpecError, match="AWS has no managed policy `AmazonECSTaskExecutionRolePolicy`"):
        read_managed_policies(root, made)


def test_one_that_was_not_read_is_never_taken_for_harmless(tmp_path: Path) -> None:
    """Deciding without it ends in an error, and not in claims that hold."""
    with pytest.raises(KeyError):
        rehearse(blueprint(tmp_path, "AmazonS3FullAccess"))
