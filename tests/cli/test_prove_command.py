"""`keyhole prove` as a person, an auditor and code scanning meet it, on the plan and on what the account has."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from keyhole.aws.client import BotocoreAws
from keyhole.cli.main import app
from keyhole.local.server import LocalAws
from local_story import AccountFactory

SPEC = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]
public_read = ["public/"]

[buckets.private]

[workloads.task]
kind = "ecs"
grants = [{ bucket = "images", prefix = "up/", verbs = ["read", "write"] }]

[workloads.office]
kind = "access-key"
grants = [{ bucket = "private", verbs = ["read", "list"] }]
"""
IMAGES, PRIVATE = "shop-images-123456789012", "shop-private-123456789012"
Keyhole = Callable[..., Result]


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


@pytest.fixture
def keyhole(local_aws: LocalAws, tmp_path: Path) -> Keyhole:
    (tmp_path / "keyhole.toml").write_text(SPEC, "utf-8")
    where = ("-f", str(tmp_path / "keyhole.toml"), "--local", "--local-port", str(local_aws.port))

    def run(command: str, *words: str) -> Result:
        return CliRunner().invoke(app, (command, *where, *words), catch_exceptions=False)

    return run


def attach_full_access(aws: BotocoreAws) -> None:
    aws.call("iam", "AttachRolePolicy", RoleName="shop-task", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")


def test_what_is_changed_by_hand_is_refuted_live(aws: BotocoreAws, keyhole: Keyhole) -> None:
    """All holds after `up`; then somebody attaches a policy, and the proof names it, while the plan still holds."""
    assert keyhole("up", "--yes").exit_code == 0
    fine = keyhole("prove", "--live")
    assert fine.exit_code == 0, fine.output
    attach_full_access(aws)
    assert keyhole("prove").exit_code == 0
    found = keyhole("prove", "--live", "--json")
    assert found.exit_code == 1
    failing = {proof["id"]: proof for proof in json.loads(found.output)["proofs"] if proof["verdict"] == "fails"}
    more = failing["workload.task.nothing-more"]
    assert "AmazonS3FullAccess" in more["by"]
    assert more["witness"]["principal"].startswith("arn:aws:sts::123456789012:assumed-role/shop-task/")


def test_groups_boundaries_trust_and_bucket_policies_count(aws: BotocoreAws, keyhole: Keyhole) -> None:
    """Each is widened, or tightened, by hand, and a proof fails for each."""
    assert keyhole("up", "--yes").exit_code == 0
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    aws.call("iam", "CreateGroup", GroupName="staff")
    aws.call(
        "iam", "PutGroupPolicy", GroupName="staff", PolicyName="all", PolicyDocument=json.dumps(document(everything))
    )
    aws.call("iam", "AddUserToGroup", GroupName="staff", UserName="shop-office")
    assert "group staff: all" in failing(keyhole)["workload.office.nothing-more"]["by"]

    aws.call(
        "iam",
        "PutRolePermissionsBoundary",
        RoleName="shop-task",
        PermissionsBoundary="arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess",
    )
    trusting = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    aws.call("iam", "UpdateAssumeRolePolicy", RoleName="shop-task", PolicyDocument=json.dumps(document(trusting)))
    outsider = {"AWS": "arn:aws:iam::444455556666:root"}
    opened = {**everything, "Principal": outsider, "Resource": f"arn:aws:s3:::{PRIVATE}/*"}
    aws.call("s3", "PutBucketPolicy", Bucket=PRIVATE, Policy=json.dumps(document(opened)))
    found = failing(keyhole)
    assert any(name.startswith("workload.task.images") for name in found)
    assert "role.task.nobody-more" in found
    assert "444455556666" in found["bucket.private.nobody-more"]["witness"]["principal"]
    assert "bucket.private.tls-only" in found


def test_block_public_access_takes_what_a_policy_gives(aws: BotocoreAws, keyhole: Keyhole) -> None:
    """Someone turns it on: the web no longer reads what the file makes public."""
    assert keyhole("up", "--yes").exit_code == 0
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    aws.call("s3", "PutPublicAccessBlock", Bucket=IMAGES, PublicAccessBlockConfiguration=dict.fromkeys(names, True))
    found = failing(keyhole)
    assert found
    assert all("everyone" in proof["sentence"] or "web" in proof["sentence"] for proof in found.values()), found
    assert all(proof["witness"]["principal"] == "anonymous" for proof in found.values())


def test_an_acl_by_hand_is_seen(aws: BotocoreAws, keyhole: Keyhole) -> None:
    """Everyone may list the bucket: nothing of it stands in a policy."""
    assert keyhole("up", "--yes").exit_code == 0
    aws.call("s3", "DeletePublicAccessBlock", Bucket=PRIVATE)
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    aws.call("s3", "PutBucketOwnershipControls", Bucket=PRIVATE, OwnershipControls=rules)
    aws.call("s3", "PutBucketAcl", Bucket=PRIVATE, ACL="public-read")
    found = failing(keyhole)["bucket.private.nobody-more"]
    assert "ACLREAD" in found["by"]
    assert found["witness"]["action"].startswith("s3:List")


def test_what_is_not_there_is_said(aws: BotocoreAws, keyhole: Keyhole) -> None:
    """Nothing is proved of roles that nobody has made."""
    result = keyhole("prove", "--live")
    assert result.exit_code != 0
    assert "there is no" in result.output


def failing(keyhole: Keyhole) -> dict[str, dict[str, Any]]:
    proofs = json.loads(keyhole("prove", "--live", "--json").output)["proofs"]
    return {proof["id"]: proof for proof in proofs if proof["verdict"] != "holds"}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


class Page(HTMLParser):
    """Collects what a page would load, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [str(value) for name, value in attrs if name in {"src", "href", "xlink:href", "data"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_reports_tell_what_failed_and_where(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path) -> None:
    """A page that loads nothing, results for code scanning at their lines, and a comment for a pull request."""
    assert keyhole("up", "--yes").exit_code == 0
    attach_full_access(aws)
    html, sarif = tmp_path / "access.html", tmp_path / "access.sarif"
    result = keyhole("prove", "--live", "--html", str(html), "--sarif", str(sarif), "--markdown")
    assert result.exit_code == 1
    assert "refuted" in result.output.splitlines()[0]
    assert "AmazonS3FullAccess" in result.output

    page = Page(html.read_text("utf-8"))
    assert page.loads == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "svg" in page.tags
    assert "url(" not in html.read_text("utf-8")
    for shown in ("task", "images/up/", "everyone on the web", "images/public/", "AmazonS3FullAccess", "refuted"):
        assert shown in page.text, shown
    assert 'class="fails"' in html.read_text("utf-8")

    check_sarif(json.loads(sarif.read_text("utf-8")))


def check_sarif(found: dict[str, Any]) -> None:
    """Check by hand what SARIF 2.1.0 and code scanning ask of a file."""
    assert found["version"] == "2.1.0"
    assert str(found["$schema"]).endswith("sarif-2.1.0.json")
    (run,) = found["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "keyhole"
    rules = [rule["id"] for rule in driver["rules"]]
    assert run["results"]
    prints = set()
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"error", "warning"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"].endswith("keyhole.toml")
        line = SPEC.splitlines()[place["region"]["startLine"] - 1]
        assert line.strip(), place
        prints.add(result["partialFingerprints"]["keyhole/v1"])
    assert len(prints) == len(run["results"])


def test_nothing_fails_and_the_reports_say_so(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path) -> None:
    """On the plan, before anything is there."""
    html, sarif = tmp_path / "access.html", tmp_path / "access.sarif"
    result = keyhole("prove", "--html", str(html), "--sarif", str(sarif), "--markdown")
    assert result.exit_code == 0
    assert result.output.startswith("**all ")
    assert "What was not shown" not in html.read_text("utf-8")
    assert json.loads(sarif.read_text("utf-8"))["runs"][0]["results"] == []


def test_two_forms_at_once_and_a_file_that_cannot_be_written_are_refused(aws: BotocoreAws, keyhole: Keyhole) -> None:
    """With what to do instead."""
    both = keyhole("prove", "--json", "--markdown")
    assert (both.exit_code != 0, "exclude each other" in both.output) == (True, True)
    nowhere = keyhole("prove", "--html", "/nowhere/at/all.html")
    assert (nowhere.exit_code != 0, "cannot be written" in nowhere.output) == (True, True)
