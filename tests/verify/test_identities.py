"""The credentials that `verify` takes: each workload's own in a local AWS, and nobody's where they cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint
from keyhole.cli.local_door import open_door
from keyhole.local.server import LocalAws
from keyhole.verify.identities import Identity, open_identities
from keyhole.verify.probe import Verdict, probe_claims
from local_story import AccountFactory, blueprint_of, inventory, up

ACCOUNT = "123456789012"
SPEC = """
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]

[workloads.web]
kind = "ec2"
grants = [{ bucket = "images", verbs = ["write"] }]

[workloads.worker]
kind = "ecs"
grants = [{ bucket = "images", verbs = ["read"] }]

[workloads.report]
kind = "role"
grants = [{ bucket = "images", verbs = ["list"] }]

[workloads.server]
kind = "access-key"
grants = [{ bucket = "images", prefix = "up/", verbs = ["write"] }]

[workloads.deploy]
kind = "github-actions"
repository = "acme/shop"
"""


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


@pytest.fixture
def blueprint(aws: BotocoreAws, tmp_path: Path) -> Blueprint:
    file = tmp_path / "keyhole.toml"
    file.write_text(SPEC, "utf-8")
    blueprint = blueprint_of(file)
    assert up(aws, blueprint).is_complete
    return blueprint


def arn(identity: Identity) -> str:
    assert identity.aws is not None, identity.why_not
    found: str = identity.aws.call("sts", "GetCallerIdentity")["Arn"]
    return found


def test_every_kind_of_workload_is_who_it_is(aws: BotocoreAws, blueprint: Blueprint, local_aws: LocalAws) -> None:
    """Each identity has the workload's own role or user; what was made for them is gone afterwards."""
    before = (inventory(aws), users(aws))
    with open_identities(aws, blueprint, open_door(local_aws.port)) as identities:
        assert arn(identities["web"]).startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/shop-web/i-")
        assert arn(identities["worker"]).startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/shop-worker/")
        assert arn(identities["report"]) == f"arn:aws:sts::{ACCOUNT}:assumed-role/shop-report/keyhole-verify"
        assert arn(identities["server"]) == f"arn:aws:iam::{ACCOUNT}:user/keyhole/shop/default/shop-server"
        assert arn(identities["deploy"]) == f"arn:aws:sts::{ACCOUNT}:assumed-role/shop-deploy/keyhole-verify"
    assert (inventory(aws), users(aws)) == before


def users(aws: BotocoreAws) -> list[tuple[str, int]]:
    """The users, and how many keys each has."""
    names = [user["UserName"] for user in aws.pages("iam", "ListUsers", "Users")]
    return [(name, len(aws.call("iam", "ListAccessKeys", UserName=name)["AccessKeyMetadata"])) for name in names]


def test_their_claims_hold(aws: BotocoreAws, blueprint: Blueprint, local_aws: LocalAws) -> None:
    """Probed with these credentials, every claim about what a workload can do holds."""
    with open_identities(aws, blueprint, open_door(local_aws.port)) as identities:
        probes = probe_claims(aws, blueprint, identities)
    who = set(blueprint.app.workloads)
    failing = [probe for probe in probes if probe.claim.who in who and probe.verdict is not Verdict.HOLDS]
    assert failing == []


def test_without_a_door_only_what_aws_gives_is_had(aws: BotocoreAws, blueprint: Blueprint) -> None:
    """On AWS itself a task's, a job's and a server's credentials are theirs alone: no call is made for them."""
    before = users(aws)
    with open_identities(aws, blueprint) as identities:
        assert users(aws) == before
        assert identities["worker"].why_not == "only a task on ECS has the credentials of its role"
        assert identities["deploy"].why_not == "only a job on GitHub has the token for its role"
        assert "where the workload runs" in identities["server"].why_not
        # The operator is the account's root here, who may assume nothing.
        assert "Roles may not be assumed by root accounts" in identities["report"].why_not
        assert {identities[key].aws for key in ("worker", "deploy", "server", "report")} == {None}


def test_a_role_that_trusts_a_user_is_assumed_as_that_user(
    aws: BotocoreAws, tmp_path: Path, local_aws: LocalAws
) -> None:
    """A key of the user whom the file names is made and deleted; a role that trusts no user of the account is not."""
    aws.call("iam", "CreateUser", UserName="ann")
    aws.call("iam", "CreateRole", RoleName="ops", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:root"))
    file = tmp_path / "keyhole.toml"
    for name, kind in (("ann", "user"), ("ops", "role")):
        trusted = f'kind = "role"\ntrusted = ["arn:aws:iam::{ACCOUNT}:{kind}/{name}"]'
        file.write_text(SPEC.replace('kind = "role"', trusted), "utf-8")
        blueprint = blueprint_of(file)
        assert up(aws, blueprint).is_complete
        with open_identities(aws, blueprint, open_door(local_aws.port)) as identities:
            if name == "ann":
                assert ":assumed-role/shop-report/" in arn(identities["report"])
            else:
                assert "there is no key to be made of any" in identities["report"].why_not
    assert ("ann", 0) in users(aws)


def trust(principal: str) -> str:
    return (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
        f'"Principal": {{"AWS": "{principal}"}}}}]}}'
    )
