"""`keyhole run` with other people's SDKs: each finds the credentials of every kind of workload."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from client_programs import beside_python, node_script, run

from keyhole.local.server import LocalAws
from local_story import AccountFactory, blueprint_of, up

SPEC = """
[app]
name = "shop"
region = "eu-west-1"

[workloads.web]
kind = "ec2"

[workloads.worker]
kind = "ecs"

[workloads.report]
kind = "role"

[workloads.server]
kind = "access-key"

[workloads.deploy]
kind = "github-actions"
repository = "acme/shop"
"""
WHO = {
    "web": "assumed-role/shop-web/i-",
    "worker": "assumed-role/shop-worker/",
    "report": "assumed-role/shop-report/report-",
    "server": "user/keyhole/shop/default/shop-server",
    "deploy": "assumed-role/shop-deploy/GitHubActions",
}


@pytest.fixture
def file(tmp_path: Path, account: AccountFactory) -> Path:
    """The file, with everything in it made."""
    file = tmp_path / "keyhole.toml"
    file.write_text(SPEC, "utf-8")
    assert up(account("eu-west-1"), blueprint_of(file)).is_complete
    return file


def check_all(file: Path, port: int, command: list[str]) -> None:
    """Run the command as every workload, and expect it to be who it is run as."""
    keyhole = [sys.executable, "-m", "keyhole.cli.main", "run", "-f", str(file), "--local-port", str(port)]
    # The AWS CLI keeps sessions in the home folder.
    environment = {**os.environ, "HOME": str(file.parent)}
    for workload, arn in WHO.items():
        said = run([*keyhole, "--as", workload, "--", *command], environment, file.parent)
        assert f"::123456789012:{arn}" in said, workload


def test_the_aws_cli(file: Path, local_aws: LocalAws) -> None:
    """The AWS CLI is who the workload is."""
    check_all(file, local_aws.port, [beside_python("aws"), "sts", "get-caller-identity", "--output", "text"])


def test_the_javascript_sdk(file: Path, local_aws: LocalAws) -> None:
    """The AWS SDK for JavaScript is who the workload is."""
    check_all(file, local_aws.port, node_script("identity.mjs"))
