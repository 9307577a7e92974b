"""Settings that do not go together, and figures that S3 refuses: told before the first call."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyhole.errors import SpecError
from keyhole.spec import load_spec

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
HEAD = '[app]\nname = "shop"\nregion = "eu-west-1"\n[buckets.logs]\n'


def mistakes(folder: Path, text: str) -> list[str]:
    file = folder / "keyhole.toml"
    file.write_text(HEAD + text, "utf-8")
    with pytest.raises(SpecError) as caught:
        load_spec(file)
    return [f"{m.where.rpartition(':')[2]}: {m.message}; {m.hint}" for m in caught.value.mistakes]


def transitions(*steps: tuple[int, str]) -> str:
    entries = ", ".join(f'{{ days = {days}, storage_class = "{name}" }}' for days, name in steps)
    return f"lifecycle = [{{ transitions = [{entries}] }}]"


@pytest.mark.parametrize(
    ("settings", "mistake"),
    [
        (f'kms_key = "{KEY}"', "6: bucket `a` has a KMS key, and its encryption does not use it"),
        (
            f'encryption = "aws:kms"\nkms_key = "{KEY.replace("eu-west-1", "us-east-1")}"',
            "7: the key of bucket `a` is in `us-east-1`, and the bucket in `eu-west-1`",
        ),
        ('encryption = "aws:kms"\nkms_key = "alias/mine"', "`alias/mine` is not the ARN of a KMS key"),
        ('encryption = "aws:kms"\npublic_read = [""]', "7: bucket `a` is encrypted by KMS, and strangers cannot read"),
        ('encryption = "DES"', "`DES` is not known here; write 'AES256' or 'aws:kms'"),
        ('access_logs = "log"', "6: the access logs of `a` go to `log`, which is no bucket here; the file has `logs`"),
        ('access_logs = "a"', "6: the access logs of `a` go to a bucket whose own requests are logged"),
        (transitions((60, "GLACIER"), (90, "STANDARD_IA")), "S3 moves no objects from GLACIER to STANDARD_IA"),
        (transitions((30, "STANDARD_IA"), (45, "GLACIER")), "write `days = 60` or more for GLACIER"),
        ("lifecycle = [{ expire_days = 2147483648 }]", "it must be 2147483647 or less"),
        ("lifecycle = [{ expire_days = 0 }]", "it must be above 0"),
        ("lifecycle = [{ transitions = [{ days = -1, storage_class = 'GLACIER' }] }]", "it must be 0 or more"),
    ],
)
def test_each_is_told_with_line_and_fix(tmp_path: Path, settings: str, mistake: str) -> None:
    """What S3 refuses, or would take and never do, is told with its line."""
    found = mistakes(tmp_path, f"[buckets.a]\n{settings}\n")
    assert any(mistake in line for line in found), found


def test_logs_of_logs_and_logs_under_kms_are_refused(tmp_path: Path) -> None:
    """A bucket that takes logs is neither logged itself nor encrypted by KMS."""
    chain = '[buckets.a]\naccess_logs = "b"\n[buckets.b]\naccess_logs = "logs"\n'
    assert "6: the access logs of `a` go to a bucket whose own requests are logged" in mistakes(tmp_path, chain)[0]
    kms = '[buckets.a]\naccess_logs = "b"\n[buckets.b]\nencryption = "aws:kms"\n'
    assert "6: the access logs of `a` go to `b`, which is encrypted by KMS" in mistakes(tmp_path, kms)[0]


def test_the_lifecycle_of_a_common_archive_is_taken(tmp_path: Path) -> None:
    """Standard-IA after 90 days, Glacier after a year."""
    file = tmp_path / "keyhole.toml"
    file.write_text(HEAD + transitions((90, "STANDARD_IA"), (365, "GLACIER")), "utf-8")
    assert len(load_spec(file).app.buckets["logs"].lifecycle[0].transitions) == 2


@pytest.mark.parametrize(
    ("settings", "mistake"),
    [
        (
            'managed_policies = ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]',
            "write what follows `policy/`: `AmazonS3",
        ),
        ('managed_policies = ["a b"]', "`a b` is not a name of a policy"),
        ('managed_policies = ["A", "A"]', "8: `A` is there twice; remove one"),
        (f'role_name = "{"r" * 65}"', "has 65 characters: IAM takes 64 at most"),
        ('policy_file = ""', "must not be empty"),
    ],
)
def test_mistakes_in_a_workload(tmp_path: Path, settings: str, mistake: str) -> None:
    """Names that IAM would refuse or that lead nowhere."""
    found = mistakes(tmp_path, f'[workloads.web]\nkind = "ecs"\n\n{settings}\n')
    assert any(mistake in line for line in found), found


@pytest.mark.parametrize("mail", ["ops", "ops@example", "Ops <ops@example.com>", "ops@example.com, b@example.com"])
def test_a_mail_address_that_nothing_reaches(tmp_path: Path, mail: str) -> None:
    """One address, with a domain, and nothing beside it."""
    found = mistakes(tmp_path, f'[monitoring]\nmails = ["{mail}"]\n')
    assert any(f"`{mail}` is not a mail address" in line for line in found), found


def test_a_key_that_terraform_refuses(tmp_path: Path) -> None:
    """The state's key has no slash at either end."""
    found = mistakes(tmp_path, 'versioning = true\n[terraform_state]\nbucket = "logs"\nkey = "/state"\n')
    assert any("`/state` is not a key that Terraform takes" in line for line in found), found
