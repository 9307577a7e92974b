"""What is wrong in a file is said with its place and the fix before anything is changed, by `plan`, `up` and `down`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from keyhole.cli.main import app
from keyhole.local.server import LocalAws
from keyhole.local.state import events_path
from local_story import AccountFactory, inventory

APP = '[app]\nname = "shop"\nregion = "eu-west-1"\n'
IMAGES = "[buckets.images]\n"
WEB = '[workloads.web]\nkind = "role"\n'
JOB = '[workloads.job]\nkind = "github-actions"\nbranch = "main"\n'
RULE = "[[buckets.images.lifecycle]]\n"


def grant(bucket: str = "images", prefix: str = "") -> str:
    return f'{IMAGES}{WEB}grants = [{{ bucket = "{bucket}", prefix = "{prefix}", verbs = ["read"] }}]\n'


# What is seen in the file alone: nobody is asked for it.
ON_PAPER = {
    "a table twice": (IMAGES + IMAGES, ":5: table `buckets.images` is there twice", "join the two"),
    "a name twice": (
        '[buckets.a]\nname = "shop-x"\n[buckets.b]\nname = "shop-x"\n',
        ":7: buckets `a` and `b` have the same name `shop-x`",
        "give one of them another name",
    ),
    "upwards": (grant(prefix="../"), ":7: ", "write a plain path"),
    "upwards within": (grant(prefix="up/../../x/"), ":7: ", "write a plain path"),
    "from the root": (grant(prefix="/up/"), "starts with a slash", "write `up/`"),
    "a star": (grant(prefix="up/*/"), "has a wildcard in it", "write the prefix alone"),
    "a question mark": (grant(prefix="u?/"), "has a wildcard in it", "write the prefix alone"),
    "a policy variable": (grant(prefix="${aws:username}/"), "has a policy variable in it", "write one prefix"),
    "a placeholder": (grant(prefix="{account}/"), "has a placeholder in it", "write a plain path"),
    "half a name": (grant(prefix="up"), "would cover `up-other` as well", "write `up/`"),
    "no such bucket": (grant("imagse"), ":7: workload `web` has a grant on `imagse`", "the file has `images`"),
    "infrequent too early": (
        f'{IMAGES}{RULE}transitions = [{{ days = 29, storage_class = "STANDARD_IA" }}]\n',
        ":6: `buckets.images.lifecycle.0.transitions.0`: S3 moves objects to STANDARD_IA after 30 days at the earliest",
        "write `days = 30`",
    ),
    "upstream": (
        f'{IMAGES}{RULE}transitions = [{{ days = 90, storage_class = "GLACIER" }}, '
        '{ days = 180, storage_class = "STANDARD_IA" }]\n',
        ":5: `buckets.images.lifecycle.0`: S3 moves no objects from GLACIER to STANDARD_IA",
        "leave one of the two out",
    ),
    "gone before it moves": (
        f'{IMAGES}{RULE}transitions = [{{ days = 90, storage_class = "STANDARD_IA" }}]\nexpire_days = 60\n',
        ":5: `buckets.images.lifecycle.0`: objects would expire before their last transition",
        "make `expire_days` larger",
    ),
    "no day": (f"{IMAGES}{RULE}expire_days = 0\n", ":6: ", "it must be above 0"),
    "a long role": (f'{WEB}role_name = "{"r" * 65}"\n', "has 65 characters: IAM takes 64 at most", "shorten it"),
    "no mail": (
        '[monitoring]\nmails = ["ops@example"]\n',
        ":5: `monitoring.mails.0`",
        "write it like `ops@example.com`",
    ),
    "anyone's repository": (f'{JOB}repository = "*/infra"\n', ":7: ", "name one repository: `acme/infra`"),
    "any repository": (f'{JOB}repository = "acme/*"\n', ":7: ", "name one repository: `acme/infra`"),
    "half an account": (
        'account = "12345678901"\n',
        ":4: `app.account`: `12345678901` is not an AWS account id",
        "write its 12 digits in quotes",
    ),
}
# What is seen when the account is known: GetCallerIdentity has told it, and nothing else was asked.
IN_THE_ACCOUNT = {
    "another account": (
        f'account = "999988887777"\n{IMAGES}',
        ":4: the credentials belong to account `123456789012`, the file says `999988887777`",
        "or correct `account`",
    ),
    "a completed name twice": (
        '[buckets.a]\nname = "shop-b-{account}"\n[buckets.b]\n',
        ":6: buckets `a` and `b` are both named `shop-b-123456789012`",
        "rename one",
    ),
    "a role that is long when completed": (
        f'{WEB}role_name = "{"r" * 53}{{account}}"\n',
        "has 65 characters: IAM takes 64 at most",
        "set a shorter `role_name`",
    ),
}


@pytest.fixture
def wire(local_aws: LocalAws, account: AccountFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LocalAws:
    """The ordinary credentials lead to the local AWS's root, and the folder is one of its own."""
    assert inventory(account("eu-west-1"))["buckets"] == []
    root = local_aws.root_credentials()
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", root.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", root.secret_access_key)
    monkeypatch.chdir(tmp_path)
    return local_aws


def said(words: list[str], text: str) -> str:
    """Run a command on the file, which must be wrong usage, and give what it says."""
    Path("keyhole.toml").write_text(APP + text, "utf-8")
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 2, result.output
    return " ".join(result.output.split())


@pytest.mark.parametrize("case", ON_PAPER)
def test_the_file_alone_is_judged_without_a_call(case: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Place, mistake and fix are told where nobody could be asked: the endpoint is closed."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    text, mistake, fix = ON_PAPER[case]
    output = said(["up", "--yes"], text)
    assert output.startswith("error: keyhole.toml:")
    assert mistake in output
    assert fix in output


@pytest.mark.parametrize("case", IN_THE_ACCOUNT)
@pytest.mark.parametrize("words", [["plan"], ["up", "--yes"], ["down", "--yes"]])
def test_nothing_but_the_account_is_asked_for(words: list[str], case: str, wire: LocalAws) -> None:
    """GetCallerIdentity is the only call of a command that then refuses the file."""
    text, mistake, fix = IN_THE_ACCOUNT[case]
    before = calls(wire)
    output = said(words, text)
    assert mistake in output
    assert fix in output
    assert calls(wire)[len(before) :] == ["GetCallerIdentity"]


def calls(local_aws: LocalAws) -> list[str]:
    """Give the names of the calls so far."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in events_path(local_aws.port).read_text().splitlines()]
    return [str(line["eventName"]) for line in lines]
