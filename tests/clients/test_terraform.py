"""A real Terraform keeps its state in a bucket of the local AWS, and its locks keep two runs apart."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from client_programs import TIMEOUT_S, environment, on_path, run

from gate_clients import Aws, allow

_LOCKS = "tf-locks"
_MAIN = """
terraform {{
  backend "s3" {{
    bucket  = "{bucket}"
    key     = "app/terraform.tfstate"
    region  = "us-east-1"
    encrypt = true
    {lock}
    use_path_style = true
  }}
}}
resource "terraform_data" "slow" {{
  provisioner "local-exec" {{
    command = "touch started; while [ ! -e go ]; do sleep 0.05; done"
  }}
}}
"""


@pytest.fixture
def terraform() -> str:
    return on_path("terraform", "its S3 backend is not tried")


@pytest.mark.parametrize(
    ("lock", "actions"),
    [
        ("use_lockfile = true", []),
        (f'dynamodb_table = "{_LOCKS}"', ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]),
    ],
    ids=["lockfile", "dynamodb"],
)
def test_state_and_lock(aws: Aws, tmp_path: Path, terraform: str, lock: str, actions: list[str]) -> None:
    """A user with the documented permissions inits and applies; a second apply meanwhile is refused by the lock."""
    bucket = aws.bucket()
    state = f"arn:aws:s3:::{bucket}/app/terraform.tfstate"
    grants = [
        allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
        allow(["s3:GetObject", "s3:PutObject"], state),
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{state}.tflock"),
    ]
    if actions:
        _make_lock_table(aws)
        grants[2] = allow(actions, f"arn:aws:dynamodb:us-east-1:123456789012:table/{_LOCKS}")
    env = {**environment(aws.url, aws.user(*grants)), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    (tmp_path / "main.tf").write_text(_MAIN.format(bucket=bucket, lock=lock))
    run([terraform, "init", "-input=false", "-no-color"], env, tmp_path)
    apply = [terraform, "apply", "-auto-approve", "-input=false", "-no-color"]
    with subprocess.Popen(apply, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as first:
        _wait_for(tmp_path / "started", first)
        refused = run([*apply, "-lock-timeout=0s"], env, tmp_path, fails=True)
        assert "Error acquiring the state lock" in refused
        (tmp_path / "go").touch()
        said, _ = first.communicate(timeout=TIMEOUT_S)
        assert first.returncode == 0, said.decode()
    again = run([terraform, "plan", "-detailed-exitcode", "-input=false", "-no-color"], env, tmp_path)
    assert "No changes" in again
    kept = [item["Key"] for item in aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    assert kept == ["app/terraform.tfstate"]


def test_denied_without_permission(aws: Aws, tmp_path: Path, terraform: str) -> None:
    """Terraform tells what its user may not do."""
    bucket = aws.bucket()
    env = {**environment(aws.url, aws.user()), "CHECKPOINT_DISABLE": "1"}
    (tmp_path / "main.tf").write_text(_MAIN.format(bucket=bucket, lock="use_lockfile = true"))
    said = run([terraform, "init", "-input=false", "-no-color"], env, tmp_path, fails=True)
    assert "StatusCode: 403" in said


def test_resources_of_the_aws_provider(aws: Aws, tmp_path: Path, terraform: str) -> None:
    """The AWS provider makes what the examples are made of, plans nothing the second time, and takes it all down."""
    plugins = os.environ.get("TERRAFORM_PLUGIN_DIR", "")
    if not plugins:
        pytest.skip("TERRAFORM'S AWS PROVIDER IS NOT TESTED: set TERRAFORM_PLUGIN_DIR to a folder that has it")
    root = aws.root
    env = {**environment(aws.url, root), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    (tmp_path / "main.tf").write_text((Path(__file__).parent / "provider.tf").read_text())
    run([terraform, "init", "-input=false", "-no-color", f"-plugin-dir={plugins}"], env, tmp_path)
    run([terraform, "apply", "-auto-approve", "-input=false", "-no-color"], env, tmp_path)
    run([terraform, "plan", "-detailed-exitcode", "-input=false", "-no-color"], env, tmp_path)
    run([terraform, "destroy", "-auto-approve", "-input=false", "-no-color"], env, tmp_path)


def _make_lock_table(aws: Aws) -> None:
    aws.client("dynamodb").create_table(
        TableName=_LOCKS,
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not file.exists():
        assert process.poll() is None, process.communicate()[0].decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)
