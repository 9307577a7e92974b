"""Access keys: age, last use, those that are inactive or too many, and old ones on their way out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.blueprint import Blueprint
from keyhole.errors import KeyholeError
from keyhole.status.keys import (
    check_key_id,
    describe_key,
    describe_use,
    key_findings,
    keys_findings,
    old_key_findings,
)
from keyhole.status.reading import AccessKey, read_status
from keyhole.status.report import Report, make_report
from local_story import AccountFactory, blueprint_of, up

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SPEC = """\
[app]
name = "masks"
region = "us-east-1"
[buckets.masks]
[workloads.uploader]
kind = "access-key"
grants = [{ bucket = "masks", prefix = "mask/", verbs = ["read", "write"] }]
"""
USER = "masks-uploader"


def key(days: float = 10, used_days: float | None = 1, *, is_active: bool = True) -> AccessKey:
    last_used = NOW - timedelta(days=used_days) if used_days is not None else None
    return AccessKey("AKIAEXAMPLE", "ann", is_active, NOW - timedelta(days=days), last_used, "s3", "us-east-1")


def test_a_young_key_in_use_is_fine() -> None:
    """Nothing is found about it, and its line has its age and its last use."""
    assert list(key_findings(key(), NOW, "")) == []
    assert list(keys_findings((key(),), NOW, "")) == []
    assert describe_key(key(), NOW) == "active, made 10 days ago, last used 1 day ago for s3 in us-east-1"
    assert describe_use(key(used_days=None), NOW) == "never used"
    assert describe_key(key(days=0, used_days=0.1), NOW).startswith("active, made just now, last used 2 hours ago")


def test_a_key_of_more_than_90_days_is_due() -> None:
    """The day after the ninetieth it is told, with the command that makes another."""
    assert list(key_findings(key(days=90), NOW, "")) == []
    (finding,) = key_findings(key(days=90.5), NOW, " --local")
    assert (finding.check, finding.fix) == ("key.age", "`keyhole rotate --local`")


def test_an_inactive_key_is_to_be_deleted() -> None:
    """It is told with the exact command."""
    (finding,) = key_findings(key(is_active=False), NOW, "")
    assert finding.check == "key.inactive"
    assert "`aws iam delete-access-key --user-name ann --access-key-id AKIAEXAMPLE`" in finding.fix


@pytest.mark.parametrize(
    ("keys", "check"),
    [((key(), key()), "key.two"), ((key(is_active=False),), "key.none-active")],
)
def test_what_is_wrong_with_a_users_keys_together(keys: tuple[AccessKey, ...], check: str) -> None:
    """Two active ones are an unfinished rotation; none active means that nothing works."""
    assert [finding.check for finding in keys_findings(keys, NOW, "")] == [check]


@pytest.mark.parametrize(
    ("old", "check", "told"),
    [
        (key(used_days=6.9), "old-key.in-use", "switch over what uses it"),
        (key(used_days=8), "old-key.unused", "aws iam update-access-key --user-name ann --access-key-id AKIAEXAMPLE"),
        (key(used_days=None), "old-key.unused", "--status Inactive"),
        (key(is_active=False), "old-key.inactive", "aws iam delete-access-key --user-name ann"),
    ],
)
def test_an_old_key_goes_step_by_step(old: AccessKey, check: str, told: str) -> None:
    """In use it stays; unused it is deactivated first, and deleted only then."""
    (finding,) = old_key_findings(old, NOW)
    assert finding.check == check
    assert told in finding.fix
    assert finding.summary.startswith("of user ann, ")
    assert ("delete" in finding.fix) == (check != "old-key.in-use")


@pytest.mark.parametrize("text", ["", "AKIA", "ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"])
def test_what_is_no_key_id_is_refused_and_not_repeated(text: str) -> None:
    """It may be the secret, pasted into the wrong place."""
    with pytest.raises(KeyholeError) as refused:
        check_key_id(text)
    assert not text or text not in f"{refused.value} {refused.value.hint}".split()


Status = Callable[..., Report]


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("us-east-1")


@pytest.fixture
def app(aws: BotocoreAws, tmp_path: Path) -> Blueprint:
    (tmp_path / "keyhole.toml").write_text(SPEC, "utf-8")
    blueprint = blueprint_of(tmp_path / "keyhole.toml")
    assert up(aws, blueprint).is_complete
    for old in aws.pages("iam", "ListAccessKeys", "AccessKeyMetadata", UserName=USER):
        aws.call("iam", "DeleteAccessKey", UserName=USER, AccessKeyId=old["AccessKeyId"])
    return blueprint


def look(aws: BotocoreAws, app: Blueprint, *old_keys: str) -> dict[tuple[str, str], list[str]]:
    """Give the checks of what was found about keys, by address and name."""
    report = make_report(app, read_status(aws, app, old_keys), datetime.now(UTC))
    entries = (entry for entry in report.entries if entry.address.startswith("key"))
    return {(entry.address, entry.name): [finding.check for finding in entry.findings] for entry in entries}


def test_the_keys_of_a_workload_are_read(aws: BotocoreAws, app: Blueprint) -> None:
    """None, one, two, and one of them switched off: each is told as it is."""
    assert look(aws, app) == {("key.uploader", USER): ["key.none"]}
    one, two = (aws.call("iam", "CreateAccessKey", UserName=USER)["AccessKey"]["AccessKeyId"] for _ in range(2))
    found = look(aws, app)
    assert found.pop(("key.uploader", USER)) == ["key.two"]
    assert found == {("key.uploader", one): [], ("key.uploader", two): []}
    aws.call("iam", "UpdateAccessKey", UserName=USER, AccessKeyId=one, Status="Inactive")
    assert look(aws, app) == {("key.uploader", one): ["key.inactive"], ("key.uploader", two): []}


def test_an_old_key_is_found_with_its_owner_and_last_use(aws: BotocoreAws, app: Blueprint) -> None:
    """Of whichever user of the account: in use, deactivated, gone."""
    aws.call("iam", "CreateUser", UserName="legacy")
    made = aws.call("iam", "CreateAccessKey", UserName="legacy")["AccessKey"]
    key_id = made["AccessKeyId"]
    assert look(aws, app, key_id)["key", key_id] == ["old-key.unused"]
    credentials = Credentials(key_id, made["SecretAccessKey"])
    BotocoreAws("us-east-1", credentials=credentials, endpoint_url=aws.endpoint_url).call("sts", "GetCallerIdentity")
    assert look(aws, app, key_id)["key", key_id] == ["old-key.in-use"]
    aws.call("iam", "UpdateAccessKey", UserName="legacy", AccessKeyId=key_id, Status="Inactive")
    assert look(aws, app, key_id)["key", key_id] == ["old-key.inactive"]
    aws.call("iam", "DeleteAccessKey", UserName="legacy", AccessKeyId=key_id)
    assert look(aws, app, key_id)["key", key_id] == []


def test_a_key_that_is_handed_over_is_fine_until_the_place_loses_it(aws: BotocoreAws, tmp_path: Path) -> None:
    """Right after `up` the env file holds it; with the file gone there is a key, and nobody here has it."""
    (tmp_path / "keyhole.toml").write_text(f'{SPEC}handover = {{ env_file = "app.env" }}\n', "utf-8")
    app = blueprint_of(tmp_path / "keyhole.toml")
    assert up(aws, app).is_complete
    report = make_report(app, read_status(aws, app), datetime.now(UTC))
    assert report.is_fine, report
    (entry,) = (entry for entry in report.entries if entry.address == "access-key.uploader")
    (key_id,) = (item["AccessKeyId"] for item in aws.pages("iam", "ListAccessKeys", "AccessKeyMetadata", UserName=USER))
    assert (entry.group, key_id in entry.summary, "app.env" in entry.summary) == ("workload uploader", True, True)
    (tmp_path / "app.env").unlink()
    report = make_report(app, read_status(aws, app), datetime.now(UTC))
    found = [(entry.address, one.check) for entry in report.entries for one in entry.findings if one.counts]
    assert found == [("access-key.uploader", "key.handover")]
