"""`keyhole status` as a person and a machine meet it: what it prints, its exit codes, watching."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from keyhole.aws.client import BotocoreAws
from keyhole.cli.main import app
from keyhole.local.server import LocalAws
from keyhole.status.reading import read_status
from keyhole.status.report import make_report
from keyhole.status.show import render_report
from local_story import AccountFactory, blueprint_of

SPEC = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]

[workloads.task]
kind = "ecs"
grants = [{ bucket = "images", verbs = ["read"] }]
"""
BUCKET = "shop-images-123456789012"
Keyhole = Callable[..., Result]


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


@pytest.fixture
def where(local_aws: LocalAws, tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "keyhole.toml").write_text(SPEC, "utf-8")
    return ("-f", str(tmp_path / "keyhole.toml"), "--local", "--local-port", str(local_aws.port))


@pytest.fixture
def keyhole(where: tuple[str, ...]) -> Keyhole:
    def run(command: str, *words: str) -> Result:
        return CliRunner().invoke(app, (command, *where, *words), catch_exceptions=False)

    return run


def widen(aws: BotocoreAws) -> None:
    arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    aws.call("iam", "AttachRolePolicy", RoleName="shop-task", PolicyArn=arn)


def test_from_nothing_to_fine_to_drifted_to_mended(aws: BotocoreAws, keyhole: Keyhole) -> None:
    """Exit code 1 while nothing is there, 0 after `up`, 1 after a change by hand, 0 once `up` took it back."""
    nothing = keyhole("status")
    assert (nothing.exit_code, nothing.output.count("is not there")) == (1, 3)
    assert keyhole("up", "--yes").exit_code == 0
    fine = keyhole("status")
    assert (fine.exit_code, "everything is as the file says" in fine.output) == (0, True), fine.output
    widen(aws)
    drifted = keyhole("status")
    assert drifted.exit_code == 1
    assert re.search(r"✗ +role\.task +shop-task +has AmazonS3FullAccess attached", drifted.output)
    assert re.search(r"1 problem; `keyhole up .*--local.*` makes it as the file says", drifted.output)
    assert keyhole("up", "--yes").exit_code == 0
    assert keyhole("status").exit_code == 0


def test_json_has_all_of_it(aws: BotocoreAws, keyhole: Keyhole) -> None:
    """Every resource with its state, every finding with what shows and mends it."""
    keyhole("up", "--yes")
    aws.call("s3", "DeleteBucketPolicy", Bucket=BUCKET)
    result = keyhole("status", "--json")
    status = json.loads(result.stdout)
    assert (result.exit_code, status["fine"], status["counts"]["problem"]) == (1, False, 1)
    by_address = {entry["address"]: entry for entry in status["entries"]}
    assert by_address["role.task"]["state"] == "fine"
    (finding,) = by_address["bucket.images"]["findings"]
    assert (finding["check"], finding["severity"]) == ("bucket.policy", "problem")
    assert set(finding) == {"check", "severity", "summary", "evidence", "fix", "doc_url"}


def test_old_keys_are_named_on_demand(aws: BotocoreAws, keyhole: Keyhole) -> None:
    """The owner, the last use and the command; what is no key id is refused as wrong usage."""
    keyhole("up", "--yes")
    aws.call("iam", "CreateUser", UserName="legacy")
    key_id = aws.call("iam", "CreateAccessKey", UserName="legacy")["AccessKey"]["AccessKeyId"]
    shown = keyhole("status", "--old-key", key_id)
    assert shown.exit_code == 1
    assert "of user legacy, active, made just now, never used" in shown.output
    assert f"aws iam update-access-key --user-name legacy --access-key-id {key_id} --status Inactive" in shown.output
    assert keyhole("status", "--old-key", "secret").exit_code == 2


def test_no_credentials_is_aws_having_said_no(tmp_path: Path) -> None:
    """Without an answer from AWS there is no status: exit code 3."""
    (tmp_path / "keyhole.toml").write_text(SPEC, "utf-8")
    result = CliRunner().invoke(app, ("status", "-f", str(tmp_path / "keyhole.toml")), catch_exceptions=False)
    assert result.exit_code == 3


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("has_color", [True, False])
def test_it_fits_the_terminal(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path, width: int, has_color: bool) -> None:
    """No line is wider, nothing is cut off, and without colour there are no control characters."""
    keyhole("up", "--yes")
    widen(aws)
    blueprint = blueprint_of(tmp_path / "keyhole.toml")
    from datetime import UTC, datetime

    report = make_report(blueprint, read_status(aws, blueprint), datetime.now(UTC), " --local")
    console = Console(width=width, force_terminal=True, no_color=not has_color, color_system="standard")
    if not has_color:
        console = Console(width=width, no_color=True)
    with console.capture() as capture:
        console.print(render_report(report, width=width))
    shown = capture.get()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(len(line) for line in plain.splitlines()) <= width
    assert ("\x1b" in shown) is has_color
    assert "AmazonS3FullAccess" in re.sub(r"\s+", "", plain)
    assert "…" not in plain


def test_watching_tells_what_changes_and_ends_with_ctrl_c(
    aws: BotocoreAws, keyhole: Keyhole, where: tuple[str, ...]
) -> None:
    """On a pipe: a line for how it is, one for what comes, one for what goes; Ctrl-C is its ordinary end."""
    keyhole("up", "--yes")
    command = [sys.executable, "-m", "keyhole.cli.main", "status", *where, "--watch", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline().endswith("✓ everything is as the file says\n")
        widen(aws)
        assert watching.stdout.readline().endswith(
            "✗ role.task shop-task: has AmazonS3FullAccess attached, which is not in the file\n"
        )
        keyhole("up", "--yes")
        assert "✓ no longer: role.task shop-task" in watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=120) == 0
        assert watching.stdout.read() == ""


def test_watch_may_stand_alone_and_excludes_json(keyhole: Keyhole) -> None:
    """Without a number it means every 30 seconds, whatever option follows."""
    refused = keyhole("status", "--watch", "--json")
    assert (refused.exit_code, "exclude each other" in refused.output) == (2, True)
    assert keyhole("status", "--json", "--watch").exit_code == 2
    assert keyhole("status", "--watch", "0").exit_code == 2


def test_help_has_an_example() -> None:
    """`--help` shows how the command is typed."""
    result = CliRunner().invoke(app, ("status", "--help"))
    assert result.exit_code == 0
    assert "Example: keyhole status --local" in re.sub(r"\s+", " ", result.output)
