"""A bucket's access logs in an account: turned on after the bucket that takes them, off again, and taken down."""

from __future__ import annotations

from pathlib import Path

from local_story import AccountFactory, blueprint_of, down, inventory, plan, up

LOGGED = """\
[app]
name = "shop"
region = "us-east-1"
[buckets.a]
access_logs = "z"
[buckets.z]
"""


def test_on_and_off_and_gone(account: AccountFactory, tmp_path: Path) -> None:
    """The log bucket is made first; a second run changes nothing; leaving `access_logs` out turns it off."""
    aws = account("us-east-1")
    before = inventory(aws)
    file = tmp_path / "keyhole.toml"
    file.write_text(LOGGED, "utf-8")
    assert up(aws, blueprint_of(file)).is_complete
    assert aws.call("s3", "GetBucketLogging", Bucket="shop-a-123456789012")["LoggingEnabled"] == {
        "TargetBucket": "shop-z-123456789012",
        "TargetPrefix": "access/a/",
    }
    assert plan(aws, blueprint_of(file)).is_empty
    file.write_text(LOGGED.replace('access_logs = "z"\n', ""), "utf-8")
    changes = {
        change.address: [call.operation for call in change.calls] for change in plan(aws, blueprint_of(file)).changes
    }
    assert changes == {"bucket.a": ["PutBucketLogging"], "bucket.z": ["PutBucketPolicy"]}
    assert up(aws, blueprint_of(file)).is_complete
    assert "LoggingEnabled" not in aws.call("s3", "GetBucketLogging", Bucket="shop-a-123456789012")
    assert plan(aws, blueprint_of(file)).is_empty
    file.write_text(LOGGED, "utf-8")
    assert up(aws, blueprint_of(file)).is_complete
    assert down(aws, blueprint_of(file), empty=True).is_complete
    assert inventory(aws) == before
