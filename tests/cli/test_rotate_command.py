"""Access keys as a person meets them on the command line, and that nobody ever sees the secret of one."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from key_story import EVERYWHERE, HEAD, key_ids, key_in, works
from keyhole.aws.client import BotocoreAws
from keyhole.cli.main import app
from keyhole.cli.rotate import parse_time
from keyhole.errors import KeyholeError
from keyhole.local.server import LocalAws
from keyhole.local.state import events_path
from local_story import AccountFactory

Keyhole = Callable[..., Result]


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


@pytest.fixture
def keyhole(local_aws: LocalAws, tmp_path: Path) -> Keyhole:
    """Runs one command on the file of the test's folder, in the local AWS."""
    (tmp_path / "keyhole.toml").write_text(HEAD + EVERYWHERE, "utf-8")
    where = ("-f", str(tmp_path / "keyhole.toml"), "--local", "--local-port", str(local_aws.port))

    def run(command: str, *words: str) -> Result:
        return CliRunner().invoke(app, (command, *where, *words), catch_exceptions=False)

    return run


def test_no_secret_is_ever_shown(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path, local_aws: LocalAws) -> None:
    """Every output of every command, plans in JSON, and the local AWS's events: no secret of any key is in them."""
    shown, secrets = [], []
    for command, *words in (
        ("plan", "-v"),
        ("plan", "--json"),
        ("up", "--yes", "--json"),
        ("plan", "-v"),
        ("rotate", "--yes"),
        ("rotate", "--yes", "--json", "--unused-for", "0"),
        ("verify", "--json"),
        ("down", "--yes"),
    ):
        result = keyhole(command, *words)
        shown.append(result.output)
        if (tmp_path / "app.env").exists():
            secrets.append(key_in(tmp_path)[1])
    shown.append(events_path(local_aws.port).read_text("utf-8"))
    assert "CreateAccessKey" in shown[-1]
    assert len(set(secrets)) >= 2
    assert [secret for secret in set(secrets) for text in shown if secret in text] == []


def test_a_rotation_is_told_step_by_step(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path) -> None:
    """The first run says when the old key may end and exits with 1; one that does not wait ends it, in two runs."""
    assert keyhole("up", "--yes").exit_code == 0
    first = keyhole("rotate", "--yes")
    assert first.exit_code == 1
    assert "stays active: never used as far as AWS tells, and AWS tells of uses some hours late" in first.output
    assert "to go on: `keyhole rotate" in first.output
    assert (len(key_ids(aws)), works(aws, tmp_path)) == (2, True)
    forced = keyhole("rotate", "up", "--yes", "--force")
    assert (forced.exit_code, "is inactive: the next run deletes it" in forced.output) == (1, True)
    last = keyhole("rotate", "up", "--yes")
    assert (last.exit_code, "is the only key of up" in last.output) == (0, True)
    assert key_ids(aws) == [key_in(tmp_path)[0]]


def test_a_rotation_in_json_is_data(aws: BotocoreAws, keyhole: Keyhole, tmp_path: Path) -> None:
    """Ids and what is left, and nothing else on stdout."""
    keyhole("up", "--yes")
    old = key_in(tmp_path)[0]
    (told,) = json.loads(keyhole("rotate", "--yes", "--json").stdout)
    assert (told["complete"], told["old_access_key_id"], told["access_key_id"]) == (False, old, key_in(tmp_path)[0])
    assert told["old_key_may_end"].endswith(" UTC")


def test_what_cannot_be_rotated_is_refused(keyhole: Keyhole, tmp_path: Path) -> None:
    """Before `up`, an unknown workload, one without a hand-over, and nobody to ask: each says what to do."""
    assert "make it first: `keyhole up" in keyhole("rotate", "--yes").output
    keyhole("up", "--yes")
    assert "there is no workload `other`" in keyhole("rotate", "other").output
    unasked = keyhole("rotate")
    assert (unasked.exit_code, "add `--yes` to go ahead" in unasked.output) == (2, True)
    file = tmp_path / "keyhole.toml"
    file.write_text(HEAD.replace("[workloads.up.handover]\n", ""), "utf-8")
    refused = keyhole("rotate", "up")
    assert (refused.exit_code, "handed over nowhere" in refused.output) == (2, True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_file_that_git_tracks_gets_a_warning(keyhole: Keyhole, tmp_path: Path) -> None:
    """The plan warns before a secret is written where it would be committed."""
    (tmp_path / "app.env").write_text("PORT=80\n", "utf-8")
    assert "git tracks" not in keyhole("plan").output
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "app.env"], check=True)
    assert "git tracks `app.env`: the secret would be in the next commit" in keyhole("plan").output


def test_times_are_written_with_their_unit() -> None:
    """Hours, minutes, days, or none at all."""
    assert [parse_time(text).total_seconds() for text in ("24h", "90m", "7d", "0")] == [86400, 5400, 604800, 0]
    for text in ("", "h", "-1h", "1 day", "9999999d"):
        with pytest.raises(KeyholeError, match="is not a length of time"):
            parse_time(text)
