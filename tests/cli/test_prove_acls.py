"""ACLs of buckets under `keyhole prove --live`: whom they let in, as far as that can be told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from keyhole.aws.client import BotocoreAws
from keyhole.cli.main import app
from keyhole.local.server import LocalAws
from local_story import AccountFactory

SPEC = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.private]

[workloads.office]
kind = "access-key"
grants = [{ bucket = "private", verbs = ["read", "list"] }]
"""
PRIVATE = "shop-private-123456789012"
Proofs = Callable[[], dict[str, dict[str, Any]]]


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


@pytest.fixture
def not_held(local_aws: LocalAws, aws: BotocoreAws, tmp_path: Path) -> Proofs:
    """Give the proofs that do not hold of the live account, whose bucket takes ACLs."""
    (tmp_path / "keyhole.toml").write_text(SPEC, "utf-8")
    where = ("-f", str(tmp_path / "keyhole.toml"), "--local", "--local-port", str(local_aws.port))
    assert CliRunner().invoke(app, ("up", *where, "--yes"), catch_exceptions=False).exit_code == 0
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    aws.call("s3", "PutBucketOwnershipControls", Bucket=PRIVATE, OwnershipControls=rules)

    def prove() -> dict[str, dict[str, Any]]:
        result = CliRunner().invoke(app, ("prove", *where, "--live", "--json"), catch_exceptions=False)
        return {proof["id"]: proof for proof in json.loads(result.output)["proofs"] if proof["verdict"] != "holds"}

    return prove


def test_an_acl_that_lets_in_another_account_is_seen(
    account: AccountFactory, aws: BotocoreAws, not_held: Proofs
) -> None:
    """It names it by a canonical id, of which nobody can tell whose it is; of the account's own nothing changes."""
    assert not not_held()
    other = account("eu-west-1", number="444455556666").call("s3", "ListBuckets")["Owner"]["ID"]
    aws.call("s3", "PutBucketAcl", Bucket=PRIVATE, GrantFullControl=f'id="{other}"')
    found = not_held()
    assert list(found) == ["bucket.private.nobody-more"]
    assert found["bucket.private.nobody-more"]["verdict"] == "unknown"


def test_who_has_an_account_is_not_anonymous(aws: BotocoreAws, not_held: Proofs) -> None:
    """Everybody with an account of AWS may list it, and the request that shows it is of one that has."""
    aws.call("s3", "DeletePublicAccessBlock", Bucket=PRIVATE)
    aws.call("s3", "PutBucketAcl", Bucket=PRIVATE, ACL="authenticated-read")
    found = not_held()
    assert found["bucket.private.nobody-more"]["witness"]["principal"] != "anonymous"
    assert "bucket.private.no-public-read" not in found


def test_a_group_of_which_nobody_knows_who_is_in_it_is_not_nobody(aws: BotocoreAws, not_held: Proofs) -> None:
    """S3's own group for the delivery of logs may write, and the file does not ask for that."""
    group = 'uri="http://acs.amazonaws.com/groups/s3/LogDelivery"'
    aws.call("s3", "PutBucketAcl", Bucket=PRIVATE, GrantWrite=group)
    assert not_held()["bucket.private.nobody-more"]["verdict"] == "unknown"
