"""Every kind of workload from nothing to nothing by the command line: `up`, `verify --local`, `down`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keyhole.aws.client import BotocoreAws
from keyhole.cli.main import app
from keyhole.local.server import LocalAws
from local_story import AccountFactory, blueprint_of, inventory, run_instance

HEAD = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]
public_read = ["shown/"]

[buckets.logs]
versioning = true

[workloads.one]
grants = [{ bucket = "images", prefix = "up/", verbs = ["read", "write"] }, { bucket = "logs", verbs = ["list"] }]
"""
GITHUB = 'kind = "github-actions"\nrepository = "acme/shop"\n'
KINDS = {
    "ec2": 'kind = "ec2"\ninstance = "shop-web"\n',
    "ec2 without an instance": 'kind = "ec2"\n',
    "ecs": 'kind = "ecs"\n',
    "ecs with a boundary": 'kind = "ecs"\nboundary = true\n',
    "github-actions": GITHUB,
    "github-actions of a branch": f'{GITHUB}branch = "release/2.1"\n',
    "github-actions of an environment": f'{GITHUB}environment = "eu: prod"\n',
    "github-actions with numbers": f'{GITHUB}branch = "main"\nowner_id = 12\nrepository_id = 34\n',
    "access-key": 'kind = "access-key"\n',
    "role": 'kind = "role"\n',
    "role for a user": 'kind = "role"\ntrusted = ["arn:aws:iam::123456789012:user/ann"]\n',
}


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    """An account in which an instance runs, and a user is: what is not the app's own."""
    aws = account("eu-west-1")
    run_instance(aws, "shop-web")
    aws.call("iam", "CreateUser", UserName="ann")
    return aws


Keyhole = Callable[..., Result]


@pytest.fixture
def keyhole(local_aws: LocalAws, tmp_path: Path) -> Keyhole:
    """Runs one command on the file `keyhole.toml` of the test's folder, in the local AWS."""
    where = ("-f", str(tmp_path / "keyhole.toml"), "--local", "--local-port", str(local_aws.port))

    def run(command: str, *words: str) -> Result:
        return CliRunner().invoke(app, (command, *where, *words), catch_exceptions=False)

    return run


def account_holds(aws: BotocoreAws) -> dict[str, list[str]]:
    """What is in the account: resources, instances that run, and every user's keys."""
    reservations = aws.pages("ec2", "DescribeInstances", "Reservations")
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    found = inventory(aws)
    keys = [
        key["AccessKeyId"]
        for user in found["users"]
        for key in aws.pages("iam", "ListAccessKeys", "AccessKeyMetadata", UserName=user)
    ]
    running = [instance["InstanceId"] for instance in instances if instance["State"]["Name"] == "running"]
    return {**found, "instances": running, "keys": keys}


@pytest.mark.parametrize("kind", ["ec2", "ecs", "github-actions with numbers", "access-key", "role"])
def test_from_nothing_to_nothing(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path, kind: str) -> None:
    """After `up` every claim is tried for real and holds, verifying leaves no trace, and `down` takes all away."""
    (tmp_path / "keyhole.toml").write_text(HEAD + KINDS[kind], "utf-8")
    before = account_holds(aws)
    went_up = keyhole("up", "--yes")
    assert went_up.exit_code == 0, went_up.output
    there = account_holds(aws)
    assert len(there["buckets"]) == 2

    verified = keyhole("verify", "--json")
    claims = json.loads(verified.stdout)["claims"]
    assert [claim for claim in claims if claim["verdict"] != "holds"] == []
    assert verified.exit_code == 0
    tried = {claim["id"] for claim in claims}
    assert tried == {claim.id for claim in blueprint_of(tmp_path / "keyhole.toml").claims if not claim.on_paper}
    assert account_holds(aws) == there
    assert "nothing to do: AWS agrees with the file" in keyhole("plan").output

    went_down = keyhole("down", "--yes")
    assert went_down.exit_code == 0, went_down.output
    assert account_holds(aws) == before


def test_all_kinds_at_once(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path) -> None:
    """In one file they do not get in each other's way, whatever else each is told, and people too see none untried."""
    head, grants = HEAD.split("[workloads.one]\n")
    tables = (f"[workloads.{key.replace(' ', '-')}]\n{grants}{kind}" for key, kind in KINDS.items())
    (tmp_path / "keyhole.toml").write_text(head + "".join(tables), "utf-8")
    before = account_holds(aws)
    assert keyhole("up", "--yes").exit_code == 0
    verified = keyhole("verify")
    assert (verified.exit_code, "could not be tried" in verified.output) == (0, False), verified.output
    assert "claims hold; no probe was left behind" in verified.output
    assert keyhole("down", "--yes").exit_code == 0
    assert account_holds(aws) == before
