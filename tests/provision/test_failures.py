"""Several branches that fail: the rest is done, and all failures are told together."""

import re

import pytest
import typer

from keyhole.aws import Call
from keyhole.cli import changing
from keyhole.cli.changing import carry_out, end
from keyhole.errors import AwsError, KeyholeError
from keyhole.naming import Scope
from keyhole.provision import Applied, Change, Plan, Verb
from recording_aws import RecordingAws

SCOPE = Scope("shop", "default", "111122223333", "eu-west-1")
REFUSED = {
    "CreateRole": AwsError("no", code="AccessDenied", operation="CreateRole", request_id="REQ-1", hint="ask for it"),
    "CreateBucket": AwsError(
        "taken", code="BucketAlreadyExists", operation="CreateBucket", request_id="REQ-2", hint="choose another name"
    ),
    "CreateTopic": AwsError("hm", code="Strange", operation="CreateTopic", request_id="REQ-3"),
}


def change(address: str, *operations: str, after: tuple[str, ...] = ()) -> Change:
    calls = tuple(Call("x", operation, why=f"why {operation}") for operation in operations)
    return Change(address, address, Verb.CREATE, calls, after)


PLAN = Plan(
    SCOPE,
    (
        change("policy.web", "CreatePolicy"),
        change("role.web", "CreateRole", "AttachRolePolicy", after=("policy.web",)),
        change("instance-profile.web", "CreateInstanceProfile", after=("role.web",)),
        change("bucket.a", "CreateBucket", "PutPublicAccessBlock"),
        change("trail.main", "CreateTrail", after=("bucket.a",)),
        change("topic.alarms", "CreateTopic"),
        change("bucket.b", "PutBucketTagging", "PutBucketEncryption"),
    ),
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[Applied, int, str]:
    """What became of the plan with three branches that fail, the exit code, and what was said."""
    from rich.console import Console

    import keyhole.cli.console as console

    stderr = Console(stderr=True, highlight=False, emoji=False, width=200)
    monkeypatch.setattr(console, "err", stderr)
    monkeypatch.setattr(changing, "err", stderr)
    applied = carry_out(PLAN, RecordingAws(refuse=REFUSED.get))
    with pytest.raises(typer.Exit) as left:
        end(applied, "done", "keyhole up")
    return applied, left.value.exit_code, capsys.readouterr().err


def test_branches_that_do_not_depend_on_a_failure_are_done(told: tuple[Applied, int, str]) -> None:
    """Three fail, what leans on them is not begun, the rest is done."""
    applied, _, _ = told
    assert sorted(done.address for done in applied.done) == ["bucket.b", "policy.web"]
    assert sorted(failure.change.address for failure in applied.failures) == ["bucket.a", "role.web", "topic.alarms"]
    assert sorted(skipped.address for skipped in applied.skipped) == ["instance-profile.web", "trail.main"]


def test_all_failures_are_told_with_code_operation_request_id_and_what_to_do(told: tuple[Applied, int, str]) -> None:
    """Nobody mends one only to meet the next; the exit code says that it was AWS."""
    _, exit_code, text = told
    assert exit_code == 3
    for error in REFUSED.values():
        assert f"{error.operation}: {error.code}: {error.message} (request id {error.request_id})" in text
    assert "help: ask for it" in text
    assert "help: choose another name" in text
    assert "help: AWS gives no further reason" in text
    assert "(why CreateRole)" in text
    assert re.search("not begun: (instance-profile.web, trail.main|trail.main, instance-profile.web)", text)
    assert "`keyhole up` goes on from here" in text


def test_on_a_pipe_each_resource_is_a_line(told: tuple[Applied, int, str]) -> None:
    """What was done and what failed is told as it happens, without a bar and without control characters."""
    _, _, text = told
    assert "✓ create policy.web" in text
    assert "✗ create role.web" in text
    assert "\x1b" not in text


def test_a_failure_of_aws_outweighs_one_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    """Where both happened, the exit code is that of AWS's, whichever came first."""
    from keyhole.provision import Failure

    ours = Failure(change("a"), None, KeyholeError("x"))
    aws = Failure(change("b"), None, REFUSED["CreateRole"])
    for failures in ([ours, aws], [aws, ours]):
        with pytest.raises(typer.Exit) as left:
            end(Applied(failures=failures), "done", "keyhole up")
        assert left.value.exit_code == 3
    capsys.readouterr()
