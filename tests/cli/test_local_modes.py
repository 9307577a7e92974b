"""`keyhole local start --mode` and `keyhole local reset`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from gate_clients import Aws
from keyhole.cli.main import app
from keyhole.local.state import admin_token, read_state


def keyhole(*words: str) -> Result:
    return CliRunner().invoke(app, words, catch_exceptions=False)


def test_a_reset_empties_every_account(aws: Aws) -> None:
    """What was in it is gone, who had keys is unknown, and the root's keys stay."""
    bucket, user = aws.bucket(), aws.user()
    result = keyhole("local", "reset", "--port", str(aws.server.port))
    assert (result.exit_code, result.output) == (0, f"the local AWS on port {aws.server.port} is empty\n")
    assert aws.client("s3").list_buckets()["Buckets"] == []
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        aws.client("sts", user).get_caller_identity()
    aws.client("s3").create_bucket(Bucket=bucket)


def test_only_its_owner_resets_it(aws: Aws) -> None:
    """Without the token nothing happens, and with a wrong one neither."""
    import urllib.error
    import urllib.request

    bucket = aws.bucket()
    state = read_state(aws.server.port)
    assert state
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": admin_token(state.master)[:-1]}):
        request = urllib.request.Request(f"{aws.url}/_keyhole/reset", data=b"", method="POST", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        refused.value.close()
        assert refused.value.code == 401
    assert [one["Name"] for one in aws.client("s3").list_buckets()["Buckets"]] == [bucket]


def test_a_reset_needs_one_that_runs() -> None:
    """Nothing to reset is wrong usage."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert keyhole("local", "reset", "--port", str(port)).exit_code == 2


@pytest.mark.parametrize(
    ("mode", "said"), [("soft", "what IAM denies is recorded and let through"), ("off", "IAM is not asked")]
)
def test_a_mode_is_said_and_kept(mode: str, said: str) -> None:
    """At its start and in its status."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "keyhole.cli.main", "local", "start", "--port", port, "--mode", mode]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert process.stderr
        assert said in process.stderr.readline()
        assert f"mode {mode}" in keyhole("local", "status", "--port", port).output
    finally:
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_a_mode_that_there_is_not_is_wrong_usage() -> None:
    """The three are named."""
    result = keyhole("local", "start", "--mode", "lax")
    assert result.exit_code == 2
    assert "soft" in result.output
