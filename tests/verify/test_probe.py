"""Probing the example for real, against the local AWS, with credentials from instance metadata."""

import json
from pathlib import Path

import pytest

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import ANONYMOUS, Blueprint
from keyhole.verify.identities import open_identities
from keyhole.verify.probe import Probe, Verdict, probe_claims
from local_story import AccountFactory, blueprint_of, inventory, run_instance, up

NAME = "ai-image-community-123456789012"
POLICY = "arn:aws:iam::123456789012:policy/keyhole/ai-image-community/default/AIImageCommunityS3Policy"


@pytest.fixture
def aws(account: AccountFactory, monkeypatch: pytest.MonkeyPatch) -> BotocoreAws:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    aws = account()
    run_instance(aws)
    return aws


@pytest.fixture
def blueprint(aws: BotocoreAws, example_folder: Path) -> Blueprint:
    blueprint = blueprint_of(example_folder / "ai-image-community" / "keyhole.toml")
    assert up(aws, blueprint).is_complete
    return blueprint


def verify(aws: BotocoreAws, blueprint: Blueprint) -> dict[str, Probe]:
    with open_identities(aws, blueprint) as identities:
        probes = probe_claims(aws, blueprint, identities)
    return {probe.claim.id: probe for probe in probes}


def failing(probes: dict[str, Probe]) -> set[str]:
    return {name for name, probe in probes.items() if probe.verdict is not Verdict.HOLDS}


def objects(aws: BotocoreAws) -> list[str]:
    answer = aws.call("s3", "ListObjectVersions", Bucket=NAME)
    return [item["Key"] for item in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ()))]


def test_every_claim_holds_and_nothing_stays_behind(aws: BotocoreAws, blueprint: Blueprint) -> None:
    """After `up` all claims hold; the account holds what it held before: no object, no bucket more."""
    before = inventory(aws)
    probes = verify(aws, blueprint)
    assert failing(probes) == set()
    assert set(probes) == {claim.id for claim in blueprint.claims if not claim.on_paper}
    assert inventory(aws) == before
    assert objects(aws) == []


def test_denials_come_with_the_reason_that_aws_gave(aws: BotocoreAws, blueprint: Blueprint) -> None:
    """A denied probe of the workload has AWS's sentence, with the role's session in it."""
    probe = verify(aws, blueprint)["workload.api.images.no-write-outside"]
    assert probe.got == "denied"
    assert "assumed-role/AIImageCommunityEC2Role/i-" in probe.reason
    assert "because no identity-based policy allows the s3:PutObject action" in probe.reason


def document(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_role_that_can_do_too_much_is_found_and_no_harm_is_done(aws: BotocoreAws, blueprint: Blueprint) -> None:
    """With full access attached every "cannot" of the workload fails; bucket, policy and role are as before."""
    everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    role = inventory(aws)["roles"][0]
    policy_before = aws.call("s3", "GetBucketPolicy", Bucket=NAME)["Policy"]
    aws.call("iam", "PutRolePolicy", RoleName=role, PolicyName="more", PolicyDocument=everything)
    found = failing(verify(aws, blueprint))
    expected = {
        claim.id
        for claim in blueprint.claims
        if claim.who == "api" and claim.expected == "cannot" and not claim.on_paper
    }
    assert found == expected
    assert aws.call("s3", "GetBucketPolicy", Bucket=NAME)["Policy"] == policy_before
    assert aws.call("iam", "ListRolePolicies", RoleName=role)["PolicyNames"] == ["more"]
    assert inventory(aws)["buckets"] == [NAME]
    assert objects(aws) == []


def test_a_missing_permission_is_found(aws: BotocoreAws, blueprint: Blueprint) -> None:
    """With its policy detached the workload can do what every stranger can, and no more: each other grant says so."""
    aws.call("iam", "DetachRolePolicy", RoleName=inventory(aws)["roles"][0], PolicyArn=POLICY)
    probes = verify(aws, blueprint)
    prefix = "workload.api.images.uploads/images/"
    assert failing(probes) == {prefix + verb for verb in ("write", "list", "delete")}


def test_a_bucket_open_to_strangers_is_found(aws: BotocoreAws, blueprint: Blueprint) -> None:
    """A bucket policy that lets everyone write and list fails exactly those claims, and the probes are cleaned up."""
    allow = {"Effect": "Allow", "Principal": "*"}
    statements: tuple[dict[str, object], ...] = (
        {**allow, "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{NAME}/*"},
        {**allow, "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{NAME}"},
    )
    aws.call("s3", "PutBucketPolicy", Bucket=NAME, Policy=document(*statements))
    found = {claim for claim in failing(verify(aws, blueprint)) if claim.startswith("bucket.")}
    assert found == {"bucket.images.no-public-read", "bucket.images.no-public-write", "bucket.images.no-public-list"}
    assert objects(aws) == []


def test_probes_leave_no_versions_in_a_versioned_bucket(aws: BotocoreAws, blueprint: Blueprint) -> None:
    """Where versioning is on, the probes' versions and delete markers go too."""
    aws.call("s3", "PutBucketVersioning", Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    assert failing(verify(aws, blueprint)) == set()
    assert objects(aws) == []


def test_without_a_role_on_the_instance_its_claims_are_not_known(aws: BotocoreAws, blueprint: Blueprint) -> None:
    """No credentials, no verdict: the claims are unknown, which is not "holds", and the reason is said."""
    association = inventory(aws)["associations"][0]
    aws.call("ec2", "DisassociateIamInstanceProfile", AssociationId=association)
    probes = verify(aws, blueprint)
    workload = [probe for probe in probes.values() if probe.claim.who == "api"]
    assert {probe.verdict for probe in workload} == {Verdict.UNKNOWN}
    assert "gives no credentials" in workload[0].reason
    strangers = [probe for probe in probes.values() if probe.claim.who == ANONYMOUS]
    assert {probe.verdict for probe in strangers} == {Verdict.HOLDS}


def test_another_role_on_the_instance_is_found(aws: BotocoreAws, blueprint: Blueprint) -> None:
    """The workload runs as some other role: the claim about who it is fails, though the call itself succeeds."""
    trust = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
    aws.call("iam", "CreateRole", RoleName="other", AssumeRolePolicyDocument=trust)
    aws.call("iam", "CreateInstanceProfile", InstanceProfileName="other")
    aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName="other", RoleName="other")
    association = inventory(aws)["associations"][0]
    profile = {"Name": "other"}
    aws.call("ec2", "ReplaceIamInstanceProfileAssociation", AssociationId=association, IamInstanceProfile=profile)
    probe = verify(aws, blueprint)["workload.api.identity"]
    assert (probe.verdict, probe.got) == (Verdict.FAILS, "allowed")
    assert "assumed-role/other/" in probe.reason
