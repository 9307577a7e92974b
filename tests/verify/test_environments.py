"""What runs in one environment does not touch another one: claimed, decided on paper, and tried."""

import json
from pathlib import Path

import pytest

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint
from keyhole.verify.identities import open_identities
from keyhole.verify.probe import Probe, Verdict, probe_claims
from keyhole.verify.rehearse import rehearse
from keyhole.verify.show import render_untried
from local_story import AccountFactory, blueprint_of, down, inventory, up

SPEC = """
[app]
name = "masks"
region = "eu-west-1"

[buckets.masks]

[workloads.up]
kind = "access-key"
grants = [{ bucket = "masks", prefix = "mask/", verbs = ["read", "write", "delete", "list"] }]
handover = { env_file = "{environment}.env" }

[environments.dev]

[environments.prod]
buckets.masks.public_read = ["open/"]
"""
PROD = "masks-prod-masks-123456789012"
CLAIMS = {"masks.no-read", "masks.no-write", "masks.no-delete", "masks.no-list", "no-escalation"}


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


@pytest.fixture
def apps(tmp_path: Path) -> dict[str, Blueprint]:
    file = tmp_path / "keyhole.toml"
    file.write_text(SPEC, "utf-8")
    return {name: blueprint_of(file, environment=name) for name in ("dev", "prod")}


def about_prod(blueprint: Blueprint) -> set[str]:
    return {claim.id.removeprefix("workload.up.prod.") for claim in blueprint.claims if claim.environment == "prod"}


def verify(aws: BotocoreAws, blueprint: Blueprint) -> dict[str, Probe]:
    with open_identities(aws, blueprint) as identities:
        return {probe.claim.id: probe for probe in probe_claims(aws, blueprint, identities)}


def test_each_environment_claims_not_to_touch_the_others(apps: dict[str, Blueprint]) -> None:
    """Objects, list and own powers of the counterpart; on paper they hold."""
    assert about_prod(apps["dev"]) == CLAIMS
    assert about_prod(apps["prod"]) == set()
    assert {claim.environment for claim in apps["prod"].claims} == {"", "dev"}
    assert all(rehearsal.holds for app in apps.values() for rehearsal in rehearse(app))


def test_what_is_there_is_tried_and_what_is_not_is_not_made(aws: BotocoreAws, apps: dict[str, Blueprint]) -> None:
    """Without prod nothing of prod is made, and it is said that paper decided; with prod all is tried."""
    assert up(aws, apps["dev"]).is_complete
    before = inventory(aws)
    found = verify(aws, apps["dev"])
    assert {name for name in found if ".prod." in name} == {"workload.up.prod.no-escalation"}
    assert "4 claims about `prod`, which is not there yet" in str(render_untried(apps["dev"], list(found.values())))
    assert inventory(aws) == before
    assert up(aws, apps["prod"]).is_complete
    before = inventory(aws)
    found = verify(aws, apps["dev"])
    assert {name.removeprefix("workload.up.prod.") for name in found if ".prod." in name} == CLAIMS
    assert {probe.verdict for probe in found.values()} == {Verdict.HOLDS}
    assert render_untried(apps["dev"], list(found.values())) is None
    assert inventory(aws) == before
    assert "Versions" not in aws.call("s3", "ListObjectVersions", Bucket=PROD)


def test_a_hand_made_way_across_is_found(aws: BotocoreAws, apps: dict[str, Blueprint]) -> None:
    """Full access attached to dev's user: each claim about prod fails, and nothing in prod is harmed."""
    assert all(up(aws, app).is_complete for app in apps.values())
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    user = next(name for name in inventory(aws)["users"] if "-dev-" in name)
    before = inventory(aws)
    aws.call("iam", "PutUserPolicy", UserName=user, PolicyName="more", PolicyDocument=json.dumps(everything))
    found = verify(aws, apps["dev"])
    failing = {name for name, probe in found.items() if probe.verdict is Verdict.FAILS and ".prod." in name}
    assert {name.removeprefix("workload.up.prod.") for name in failing} == CLAIMS
    assert inventory(aws) == before
    assert "Versions" not in aws.call("s3", "ListObjectVersions", Bucket=PROD)


def test_one_goes_and_the_other_stays(aws: BotocoreAws, apps: dict[str, Blueprint]) -> None:
    """Taking dev down leaves every thing of prod."""
    assert up(aws, apps["prod"]).is_complete
    before = inventory(aws)
    assert up(aws, apps["dev"]).is_complete
    assert down(aws, apps["dev"]).is_complete
    assert inventory(aws) == before
