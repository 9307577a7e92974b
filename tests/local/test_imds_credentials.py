"""The credentials that the metadata service gives: those of the role attached now, where it trusts EC2."""

from __future__ import annotations

import json

import pytest
from imds_bench import ROLE, Bench
from memory_backend import ACCOUNT, make_role, trust_of

from keyhole.iam.model import PrincipalKind


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_credentials_are_a_session_of_the_role_named_by_the_instance(bench: Bench) -> None:
    """The document's credentials are known to the store and act as role/instance id, for six hours."""
    document = bench.credentials()
    session = bench.sessions.find(document["AccessKeyId"])
    assert session is not None
    assert (document["Code"], document["Type"]) == ("Success", "AWS-HMAC")
    assert (document["SecretAccessKey"], document["Token"]) == (session.secret_access_key, session.session_token)
    assert (document["LastUpdated"], document["Expiration"]) == ("2031-05-17T12:30:00Z", "2031-05-17T18:30:00Z")
    assert session.principal.kind is PrincipalKind.ROLE_SESSION
    assert session.principal.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/web/{bench.instance_id}"
    assert session.principal.role_arn == bench.role.arn
    assert (session.session_name, session.role_id) == (bench.instance_id, bench.role.role_id)


def test_credentials_stay_until_half_an_hour_before_their_end(bench: Bench) -> None:
    """The same credentials are served until they are to be renewed; the old ones then still live."""
    first = bench.credentials()
    bench.clock.advance(hours=5, minutes=30)
    assert bench.credentials() == first
    bench.clock.advance(seconds=1)
    second = bench.credentials()
    assert second["AccessKeyId"] != first["AccessKeyId"]
    assert second["Expiration"] == "2031-05-18T00:00:01Z"
    old = bench.sessions.find(first["AccessKeyId"])
    assert old is not None
    assert not old.is_expired(bench.clock())


def test_listing_issues_no_credentials(bench: Bench) -> None:
    """Only the role's own entry makes a session."""
    before = bench.credentials()
    bench.clock.advance(hours=6)
    bench.ask("/latest/meta-data/iam/security-credentials/")
    assert bench.credentials()["LastUpdated"] == "2031-05-17T18:30:00Z"
    assert bench.credentials()["AccessKeyId"] != before["AccessKeyId"]


def test_iam_info_names_the_profile(bench: Bench) -> None:
    """iam/info has the ARN and the id of the instance profile."""
    info = json.loads(bench.ask("/latest/meta-data/iam/info").text)
    assert info["Code"] == "Success"
    assert info["InstanceProfileArn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/app/web"
    assert info["InstanceProfileId"].startswith("AIPA")


def test_a_profile_that_was_deleted_is_said_to_be_gone(bench: Bench) -> None:
    """iam/info has AWS's code for it, and there are no credentials."""
    bench.backend.change_instance(bench.instance_id, profile_id="", role=None)
    info = json.loads(bench.ask("/latest/meta-data/iam/info").text)
    assert info["Code"] == "InstanceProfileNotFound"
    assert bench.ask("/latest/meta-data/iam/").text == "info"


def test_another_role_is_served_at_once(bench: Bench) -> None:
    """After the profile was swapped, the new role is listed and served, and the old one is 404."""
    old = bench.credentials()
    bench.swap_role(make_role("batch"))
    assert bench.ask("/latest/meta-data/iam/security-credentials/").text == "batch"
    assert bench.ask(ROLE).status == 404
    new = bench.credentials("/latest/meta-data/iam/security-credentials/batch")
    session = bench.sessions.find(new["AccessKeyId"])
    assert session is not None
    assert new["AccessKeyId"] != old["AccessKeyId"]
    assert session.principal.role_arn.endswith("/batch")


def test_a_role_made_anew_under_its_name_gets_new_credentials(bench: Bench) -> None:
    """A role is its AROA… id, not its name."""
    old = bench.credentials()
    bench.swap_role(make_role(role_id="AROAMADEANEW"))
    session = bench.sessions.find(bench.credentials()["AccessKeyId"])
    assert session is not None
    assert session.access_key_id != old["AccessKeyId"]
    assert session.role_id == "AROAMADEANEW"


@pytest.mark.parametrize("path", ["", "/info", "/security-credentials/", "/security-credentials/web"])
def test_without_a_profile_there_is_no_iam(bench: Bench, path: str) -> None:
    """After the profile was detached, everything below iam is 404, and the listing has no iam."""
    bench.credentials()
    bench.swap_role(None)
    assert bench.ask(f"/latest/meta-data/iam{path}").status == 404
    assert "iam/" not in bench.ask("/latest/meta-data/").text


def test_a_profile_without_a_role_has_no_credentials(bench: Bench) -> None:
    """An empty profile is told by iam/info, and gives no credentials."""
    bench.backend.change_instance(bench.instance_id, role=None)
    assert bench.ask("/latest/meta-data/iam/info").status == 200
    assert bench.ask("/latest/meta-data/iam/security-credentials/").status == 404


@pytest.mark.parametrize(
    "trust",
    [
        trust_of("ecs-tasks.amazonaws.com"),
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}',
        trust_of("ec2.amazonaws.com").replace(
            '"Action"', '"Condition": {"StringEquals": {"sts:ExternalId": "x"}}, "Action"'
        ),
        trust_of("ec2.amazonaws.com").replace("Allow", "Alow"),
        "not json",
        "",
    ],
    ids=["another service", "denied", "condition", "malformed", "not json", "empty"],
)
def test_a_role_that_does_not_trust_ec2_gives_no_credentials(bench: Bench, trust: str) -> None:
    """Where EC2 may not assume the role, the document says so and has no key; when it may again, it has."""
    bench.swap_role(make_role(trust=trust))
    refusal = bench.credentials()
    assert refusal["Code"] == "AssumeRoleUnauthorizedAccess"
    assert refusal["Message"].startswith("EC2 cannot assume the role web.")
    assert set(refusal) == {"Code", "Message", "LastUpdated"}
    bench.swap_role(make_role())
    assert bench.credentials()["Code"] == "Success"


def test_a_trust_that_is_taken_away_stops_the_credentials(bench: Bench) -> None:
    """Credentials that were served before are not served to a role that no longer trusts EC2."""
    assert bench.credentials()["Code"] == "Success"
    bench.swap_role(make_role(trust=trust_of("lambda.amazonaws.com")))
    assert bench.credentials()["Code"] == "AssumeRoleUnauthorizedAccess"


def test_a_trust_that_is_bound_to_ec2s_own_keys_holds(bench: Bench) -> None:
    """EC2 comes as an AWS service, over TLS, in the instance's region."""
    conditions = (
        '"Condition": {"Bool": {"aws:PrincipalIsAWSService": "true", "aws:SecureTransport": "true"}, '
        '"StringEquals": {"aws:RequestedRegion": "ap-northeast-2"}}, "Action"'
    )
    bench.swap_role(make_role(trust=trust_of("ec2.amazonaws.com").replace('"Action"', conditions)))
    assert bench.credentials()["Code"] == "Success"
