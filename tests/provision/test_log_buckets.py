"""Taking down a bucket that S3 writes access logs into: it fills by itself, and the refusal says so."""

from pathlib import Path

from keyhole.provision import apply_plan, plan_down, take_snapshot
from local_story import AccountFactory, blueprint_of, inventory, plan, up

FILE = """\
[app]
name = "shop"
region = "ap-northeast-2"
[buckets.images]
access_logs = "logs"
[buckets.logs]
"""


def test_logs_that_nobody_put_are_explained(account: AccountFactory, tmp_path: Path) -> None:
    """The bucket of the logs is refused with where they come from; `--empty` takes it away, after what it logs."""
    aws = account("ap-northeast-2")
    (tmp_path / "keyhole.toml").write_text(FILE, "utf-8")
    blueprint = blueprint_of(tmp_path / "keyhole.toml")
    assert up(aws, blueprint).is_complete
    assert plan(aws, blueprint).is_empty
    source, target = "shop-images-123456789012", "shop-logs-123456789012"
    aws.call("s3", "PutObject", Bucket=target, Key="access/images/2026-01-01-00-00-00-0", Body=b"a line")
    snapshot = take_snapshot(aws, blueprint, only_ours=True)
    (refusal,) = plan_down(blueprint, snapshot).refusals
    assert refusal.message.startswith(f"bucket `{target}` holds ")
    assert refusal.hint == f"S3 writes the access logs of `{source}` into it: add `--empty` to delete them too"
    assert apply_plan(plan_down(blueprint, snapshot, empty=True), aws).is_complete
    assert inventory(aws)["buckets"] == []
