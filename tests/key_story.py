"""What several tests tell of an access key that is handed over: its file, its places, its user's keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keyhole.aws import Aws
from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.blueprint import Blueprint
from keyhole.handover.env_text import read_values
from keyhole.resources.access_key import AccessKey, ExistingAccessKey, read_handed_over
from local_story import blueprint_of

HEAD = """\
[app]
name = "masks"
region = "eu-west-1"

[buckets.masks]

[workloads.up]
kind = "access-key"
user_name = "up"
grants = [{ bucket = "masks", verbs = ["read"] }]

[workloads.up.handover]
"""
ENV = 'env_file = "app.env"\n'
EVERYWHERE = f'{ENV}toml_file = "app.toml"\ncsv_file = "key.csv"\nsecret = "masks/key"\n'


def app_with(folder: Path, places: str = ENV) -> Blueprint:
    """Give the blueprint of an app whose one workload's key is handed over in these places."""
    file = folder / "keyhole.toml"
    file.write_text(HEAD + places, "utf-8")
    return blueprint_of(file)


def key_of(app: Blueprint) -> AccessKey:
    return next(want for want in app.resources if isinstance(want, AccessKey))


def state_of(aws: Aws, app: Blueprint) -> ExistingAccessKey:
    found = read_handed_over(aws, key_of(app))
    assert found is not None
    return found


def key_ids(aws: Aws, user_name: str = "up") -> list[str]:
    found: list[dict[str, Any]] = list(aws.pages("iam", "ListAccessKeys", "AccessKeyMetadata", UserName=user_name))
    return [key["AccessKeyId"] for key in found]


def key_in(folder: Path) -> tuple[str, str]:
    """Give id and secret of the key in the env file."""
    found = read_values((folder / "app.env").read_text("utf-8"))
    return str(found["AWS_ACCESS_KEY_ID"]), str(found["AWS_SECRET_ACCESS_KEY"])


def holder_of(aws: BotocoreAws, key: tuple[str, str]) -> BotocoreAws:
    """Give the AWS port of whoever has the key."""
    return BotocoreAws(aws.region, credentials=Credentials(*key), endpoint_url=aws.endpoint_url, max_attempts=1)


def works(aws: BotocoreAws, folder: Path) -> bool:
    """Hold iff the key in the env file is the user's."""
    answer = holder_of(aws, key_in(folder)).call("sts", "GetCallerIdentity")
    return str(answer["Arn"]).endswith("/up")
