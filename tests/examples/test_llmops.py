"""llmops: Terraform's state, GitHub's jobs and ECS tasks, from nothing to nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from example_commands import TIMEOUT_S, ExampleCopy, program, run_program

from gate_clients import Aws, allow
from keyhole.aws.client import BotocoreAws
from keyhole.cli.github_environment import fetch_job_token
from keyhole.errors import AwsError
from keyhole.local.github_job import request_job
from keyhole.local.server import LocalAws
from keyhole.local.state import read_state
from local_story import AccountFactory, inventory

ACCOUNT = "123456789012"
STATE, MODELS = f"llmops-terraform-state-{ACCOUNT}", f"llmops-models-{ACCOUNT}"
ROLES = f"arn:aws:iam::{ACCOUNT}:role/keyhole/llmops/default"


@pytest.fixture
def root(account: AccountFactory) -> BotocoreAws:
    return account("us-east-1")


@pytest.fixture
def llmops(local_aws: LocalAws, example_folder: Path, tmp_path: Path) -> ExampleCopy:
    return ExampleCopy(example_folder / "llmops", tmp_path, local_aws)


def test_from_nothing_to_nothing(root: BotocoreAws, llmops: ExampleCopy) -> None:
    """Up, every claim tried, used by a job and a task, nothing to do the second time, changed, down, nothing left."""
    before = inventory(root)
    llmops.run("up", "--yes")
    verified = json.loads(llmops.run("verify", "--json").stdout)["claims"]
    assert [claim for claim in verified if claim["verdict"] != "holds"] == []
    assert "nothing to do: AWS agrees with the file" in llmops.run("up").output
    _looks_as_described(root)

    put = "import boto3, sys; boto3.client('s3').put_object(Bucket=sys.argv[1], Key=sys.argv[2], Body=b'x')"
    python = (sys.executable, "-c", put)
    llmops.run("run", "--as", "deploy", "--", *python, STATE, "llmops/from-a-job")
    llmops.run("run", "--as", "task", "--", *python, MODELS, "outputs/from-a-task")
    llmops.run("run", "--as", "task", "--", *python, MODELS, "models/from-a-task", code=1)
    keys = [item["Key"] for item in root.call("s3", "ListObjectsV2", Bucket=MODELS)["Contents"]]
    assert keys == ["outputs/from-a-task"]

    llmops.change('branch = "main"', 'branch = "release"')
    llmops.change('prefix = "outputs/", verbs = ["read", "write"]', 'prefix = "outputs/", verbs = ["write"]')
    plan = json.loads(llmops.run("plan", "--json").stdout)["changes"]
    made = {change["address"]: [call["operation"] for call in change["calls"]] for change in plan if change["calls"]}
    assert made == {"role.deploy": ["UpdateAssumeRolePolicy"], "policy.task": ["CreatePolicyVersion"]}
    llmops.run("up", "--yes")

    llmops.run("down", "--yes", "--empty")
    assert inventory(root) == before


def _looks_as_described(root: BotocoreAws) -> None:
    """What the file says of settings that no claim is about."""
    assert root.call("s3", "GetBucketVersioning", Bucket=STATE)["Status"] == "Enabled"
    rules = root.call("s3", "GetBucketEncryption", Bucket=STATE)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert all(root.call("s3", "GetPublicAccessBlock", Bucket=STATE)["PublicAccessBlockConfiguration"].values())
    assert root.call("cloudtrail", "GetTrailStatus", Name="llmops-trail")["IsLogging"]
    subscriptions = root.call("sns", "ListSubscriptions")["Subscriptions"]
    assert [subscription["Endpoint"] for subscription in subscriptions] == ["ops@example.com"]
    attached = root.call("iam", "ListAttachedRolePolicies", RoleName="ecsTaskExecutionRole")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonECSTaskExecutionRolePolicy"]
    for role in ("ecsTaskRole", "ecsTaskExecutionRole"):
        (statement,) = root.call("iam", "GetRole", RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_only_a_job_of_the_branch_gets_the_role(root: BotocoreAws, llmops: ExampleCopy, local_aws: LocalAws) -> None:
    """A token of main opens the role and puts the state; one of another branch or repository opens nothing."""
    llmops.run("up", "--yes")
    stranger = BotocoreAws("us-east-1", anonymous=True, endpoint_url=root.endpoint_url, max_attempts=1)
    state = read_state(local_aws.port)
    assert state is not None
    arn = f"{ROLES}/llmops-github-actions-role"

    def assume(repository: str, branch: str) -> dict[str, str]:
        token = fetch_job_token(request_job(state, repository, branch=branch), "sts.amazonaws.com")
        params = {"RoleArn": arn, "RoleSessionName": "job", "WebIdentityToken": token}
        found: dict[str, str] = stranger.call("sts", "AssumeRoleWithWebIdentity", **params)["Credentials"]
        return found

    assert assume("acme/llmops", "main")["AccessKeyId"].startswith("ASIA")
    for repository, branch in (("acme/llmops", "feature"), ("acme/llmops-2", "main"), ("other/llmops", "main")):
        with pytest.raises(AwsError) as denied:
            assume(repository, branch)
        assert denied.value.code == "AccessDenied"


def test_terraform_keeps_its_state_and_its_lock_there(aws: Aws, llmops: ExampleCopy) -> None:
    """A real Terraform, as the role, by the printed block: the second of two applies is refused by the lock."""
    terraform = program("terraform", "its state and lock are not tried")
    llmops.run("up", "--yes")
    folder = llmops.folder
    (folder / "backend.tf").write_text(llmops.run("snippets", "backend").stdout, "utf-8")
    (folder / "main.tf").write_text(SLOW, "utf-8")
    role = f"{ROLES}/llmops-terraform-role"
    caller = aws.client("sts", aws.user(allow("sts:AssumeRole", role)))
    keys = caller.assume_role(RoleArn=role, RoleSessionName="terraform")["Credentials"]
    env = {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    run_program([terraform, "init", "-input=false", "-no-color"], folder, env)
    apply = [terraform, "apply", "-auto-approve", "-input=false", "-no-color"]
    with subprocess.Popen(
        apply, cwd=folder, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as first:
        _wait_for(folder / "started", first)
        refused = run_program([*apply, "-lock-timeout=0s"], folder, env, fails=True)
        assert "Error acquiring the state lock" in refused
        (folder / "go").touch()
        said, _ = first.communicate(timeout=TIMEOUT_S)
        assert first.returncode == 0, said.decode()
    kept = [item["Key"] for item in aws.client("s3").list_objects_v2(Bucket=STATE)["Contents"]]
    assert kept == ["llmops/terraform.tfstate"]


SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch started; while [ ! -e go ]; do sleep 0.05; done"
  }
}
"""


def _wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not file.exists():
        assert process.poll() is None, process.communicate()[0].decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_taken_bucket_name_is_told_with_a_free_one(
    root: BotocoreAws, account: AccountFactory, llmops: ExampleCopy
) -> None:
    """Someone else has the audit bucket's name: nothing is changed, and the name that is proposed is free."""
    account("us-east-1", "999988887777").call("s3", "CreateBucket", Bucket="llmops-audit-logs")
    before = inventory(root)
    said = llmops.run("up", "--yes", code=2).output
    assert "the bucket name `llmops-audit-logs` is taken by another AWS account" in said
    assert f"`llmops-audit-logs-{ACCOUNT}` is free" in said
    assert inventory(root) == before
    llmops.change('"llmops-audit-logs"', f'"llmops-audit-logs-{ACCOUNT}"')
    llmops.run("up", "--yes")


def test_a_table_to_lock_with_instead(root: BotocoreAws, llmops: ExampleCopy) -> None:
    """With `table_name` the table is made, the block names it, and who is named may lock with it."""
    llmops.change('bucket = "state"                                # locked', LOCK_TABLE)
    llmops.run("up", "--yes")
    table = root.call("dynamodb", "DescribeTable", TableName="llmops-terraform-locks")["Table"]
    assert (table["KeySchema"][0]["AttributeName"], table["BillingModeSummary"]["BillingMode"]) == (
        "LockID",
        "PAY_PER_REQUEST",
    )
    block = llmops.run("snippets", "backend").stdout
    assert 'dynamodb_table = "llmops-terraform-locks"' in block
    assert "use_lockfile" not in block
    verified = json.loads(llmops.run("verify", "--json").stdout)["claims"]
    assert [claim["verdict"] for claim in verified if claim["id"] == "workload.terraform.lock"] == ["holds"]


LOCK_TABLE = """\
bucket = "state"
table_name = "llmops-terraform-locks"
workloads = ["terraform", "deploy"]             # locked"""
