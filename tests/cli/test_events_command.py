"""`keyhole local events`: as JSON Lines, as lines for people, and going on with what comes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from keyhole.cli.main import app
from keyhole.local.event_text import describe_line, is_denied, parse_since
from keyhole.local.state import events_path
from made_events import asked, event, listing, on_object

PORT = 45_990
ANONYMOUS = {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
ROOT = {"type": "Root", "arn": "arn:aws:iam::123456789012:root", "accountId": "123456789012"}
PUT = {**on_object("Put", "images/up/a.png"), "eventTime": "2026-01-31T12:00:00Z"}
DENIED = event(
    "GetObject",
    asked("s3:GetObject", "arn:aws:s3:::images/x", allowed=False, reason="no identity-based policy allows it"),
    status=403,
    errorCode="AccessDenied",
    eventTime="2026-01-31T12:00:05Z",
)
FORGED = event("ListUsers", identity=ANONYMOUS, status=403, errorCode="InvalidClientTokenId", errorMessage="no")
BY_ROOT = event("CreateBucket", asked("s3:CreateBucket", "arn:aws:s3:::images"), identity=ROOT)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a local AWS that does not run, with some events in it."""
    monkeypatch.setenv("KEYHOLE_STATE_DIR", str(tmp_path))
    write(events_path(PORT), PUT, DENIED, FORGED, BY_ROOT)
    return events_path(PORT)


def write(path: Path, *events: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in events)


def events(*words: str) -> Result:
    return CliRunner().invoke(app, ["local", "events", "--port", str(PORT), *words], catch_exceptions=False)


def test_a_pipe_gets_the_lines_as_they_are(path: Path) -> None:
    """Byte for byte: what reads CloudTrail reads this."""
    assert events().output == path.read_text("utf-8")
    assert events("--json").output == path.read_text("utf-8")


def test_people_get_a_line_for_each(path: Path) -> None:
    """Time, who, what, on what, and what became of it."""
    lines = [line.split("  ") for line in events("--text").output.splitlines()]
    assert [[column.strip() for column in line if column.strip()] for line in lines] == [
        ["12:00:00Z", "assumed-role/web/s", "s3:PutObject", "images/up/a.png", "allowed"],
        ["12:00:05Z", "assumed-role/web/s", "s3:GetObject", "images/x", "DENIED", "no identity-based policy allows it"],
        ["12:00:00Z", "anonymous", "s3:ListUsers", "REFUSED", "InvalidClientTokenId: no"],
        ["12:00:00Z", "root 123456789012", "s3:CreateBucket", "images", "allowed"],
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--denied"], ["GetObject", "ListUsers"]),
        (["--principal", "ROLE/WEB"], ["PutObject", "GetObject"]),
        (["--principal", "root"], ["CreateBucket"]),
        (["--since", "2026-01-31T12:00:01+00:00"], ["GetObject"]),
        (["--since", "1s", "--denied"], []),
    ],
)
def test_some_of_them(path: Path, words: list[str], expected: list[str]) -> None:
    """Filters go together."""
    assert [json.loads(line)["eventName"] for line in events(*words).output.splitlines()] == expected


def test_what_is_no_time_is_said() -> None:
    """Wrong usage, with what to write."""
    result = events("--since", "yesterday")
    assert result.exit_code == 2
    assert "`yesterday` is no time" in result.output


def test_ages_and_moments() -> None:
    """Ages count back from now; a moment without an offset is one here."""
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert parse_since("90s", now) == "2026-01-31T11:58:30Z"
    assert parse_since("2d", now) == "2026-01-29T12:00:00Z"
    assert parse_since("2026-01-31T12:00:00+02:00", now) == "2026-01-31T10:00:00Z"
    local = datetime(2026, 1, 31, 12).astimezone(UTC)
    assert parse_since("2026-01-31T12:00", now) == f"{local:%Y-%m-%dT%H:%M:%SZ}"


def test_where_none_has_run_there_is_nothing_to_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and how to get at one."""
    monkeypatch.setenv("KEYHOLE_STATE_DIR", str(tmp_path))
    result = events()
    assert result.exit_code == 2
    assert "no local AWS has run on port" in result.output


def test_a_line_commands_no_terminal() -> None:
    """Control characters that a client put into a key are shown, not sent."""
    line = describe_line(on_object("Put", "images/\x1b[2J\r\na"))
    assert line.resource == "images/\\x1b[2J\\r\\na"


def test_outcomes() -> None:
    """Errors that are no denials, parts that were denied, and denials that were let through are told apart."""
    missing = on_object("Get", "b/k") | {"errorCode": "NoSuchKey", "errorMessage": "gone"}
    missing["keyhole"]["status"] = 404
    assert (describe_line(missing).outcome, is_denied(missing)) == ("NoSuchKey", False)
    first = asked("s3:DeleteObject", "arn:aws:s3:::b/1")
    part = event("DeleteObjects", first, asked("s3:DeleteObject", "arn:aws:s3:::b/2", allowed=False, reason="no"))
    assert describe_line(part).resource == "b/2 (+1)"
    assert describe_line(part).outcome == "DENIED"
    soft = listing("b", allowed=False)
    soft["keyhole"]["mode"] = "soft"
    assert describe_line(soft).outcome == "denied, let through"
    json_error = event("GetItem", identity=ANONYMOUS, status=400, errorCode="UnrecognizedClientException")
    assert is_denied(json_error)
    named = event("", identity=ANONYMOUS, status=400, requestParameters={"bucketName": "b", "key": "k"})
    named["keyhole"]["claimedAccessKeyId"] = "AKIA"
    line = describe_line(named)
    assert (line.call, line.resource, line.principal, line.outcome) == ("s3:?", "b/k", "unverified AKIA", "400")


@pytest.fixture
def following(path: Path) -> Iterator[subprocess.Popen[str]]:
    """`events --follow`, which has shown what there was."""
    words = [sys.executable, "-m", "keyhole.cli.main", "local", "events", "--port", str(PORT), "--follow"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout
    for _ in range(4):
        process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def test_following_goes_on_until_ctrl_c(path: Path, following: subprocess.Popen[str]) -> None:
    """What comes is shown at once, also after a restart of the local AWS; Ctrl-C is its ordinary end."""
    assert following.stdout
    write(path, PUT)
    assert json.loads(following.stdout.readline())["eventName"] == "PutObject"
    path.unlink()
    write(path, BY_ROOT)
    assert json.loads(following.stdout.readline())["eventName"] == "CreateBucket"
    following.send_signal(signal.SIGINT)
    assert following.communicate(timeout=10) == ("", "")
    assert following.returncode == 0


def test_following_ends_with_its_reader(following: subprocess.Popen[str]) -> None:
    """`| head` has enough: it ends without a word, and without waiting for another event."""
    assert following.stdout
    assert following.stderr
    following.stdout.close()
    assert following.wait(timeout=10) == 0
    assert following.stderr.read() == ""


def test_a_pipe_that_closes_is_no_error(path: Path) -> None:
    """More than a pipe holds, and a reader of one line."""
    write(path, *[PUT] * 2000)
    words = f"{sys.executable} -m keyhole.cli.main local events --port {PORT}; echo $? >&2"
    done = subprocess.run(["sh", "-c", f"({words}) | head -n 1"], capture_output=True, text=True, check=False)
    assert (done.stdout.count("\n"), done.stderr) == (1, "0\n")


def test_columns_grow_with_what_they_hold(path: Path) -> None:
    """The outcomes stand below each other also where a principal's name is long."""
    arn = "arn:aws:sts::123456789012:assumed-role/shop-task/ca7133e20a3470fb22605c06b06ff2dd"
    task = {"type": "AssumedRole", "arn": arn, "accountId": "123456789012"}
    write(path, event("PutObject", asked("s3:PutObject", "arn:aws:s3:::images/x"), identity=task))
    lines = [line for line in events("--text").output.splitlines() if line.endswith("allowed")]
    assert len(lines) == 3
    assert len({line.rindex("allowed") for line in lines}) == 1
