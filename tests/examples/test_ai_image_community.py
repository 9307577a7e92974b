"""ai-image-community: a Python API in a container on EC2, from nothing to nothing, by its instance's metadata."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path

import pytest
from example_commands import TIMEOUT_S, ExampleCopy

from keyhole.aws.client import BotocoreAws
from keyhole.local.server import LocalAws
from local_story import INSTANCE, AccountFactory, inventory, run_instance

BUCKET = "ai-image-community-123456789012"
KEY = "uploads/images/sunset.png"
PNG = b"\x89PNG\r\n\x1a\n"

# What the API does in its container: the SDK finds the role's credentials by itself, two hops from the metadata.
CONTAINER = f"""
import boto3
session = boto3.Session()
assert session.get_credentials().method == "iam-role", session.get_credentials().method
s3 = session.client("s3")
s3.put_object(Bucket={BUCKET!r}, Key={KEY!r}, Body={PNG!r}, ContentType="image/png")
listed = s3.list_objects_v2(Bucket={BUCKET!r}, Prefix="uploads/images/")["Contents"]
assert [item["Key"] for item in listed] == [{KEY!r}]
"""


@pytest.fixture
def root(account: AccountFactory) -> BotocoreAws:
    return account()


@pytest.fixture
def community(root: BotocoreAws, local_aws: LocalAws, example_folder: Path, tmp_path: Path) -> ExampleCopy:
    run_instance(root, INSTANCE)
    return ExampleCopy(example_folder / "ai-image-community", tmp_path, local_aws)


def test_from_nothing_to_nothing(root: BotocoreAws, community: ExampleCopy) -> None:
    """Up, every claim tried, used from a container, status, changed twice, down, nothing left."""
    before = inventory(root)
    community.run("status", code=1)
    community.run("up", "--yes")
    verified = json.loads(community.run("verify", "--json").stdout)["claims"]
    assert [claim for claim in verified if claim["verdict"] != "holds"] == []
    assert "nothing to do: AWS agrees with the file" in community.run("up").output

    community.run("run", "--as", "api", "--hops", "2", "--", sys.executable, "-c", CONTAINER)
    with urllib.request.urlopen(f"{root.endpoint_url}/{BUCKET}/{KEY}", timeout=TIMEOUT_S) as answer:
        assert (answer.read(), answer.headers["content-type"]) == (PNG, "image/png")
    assert "everyone may read uploads/images/*, as the file says" in community.run("status").output

    community.change("max_bytes = 10485760", "max_bytes = 5242880")
    assert changed_calls(community) == {}  # the upload service's business: AWS does not know it
    community.change('public_read = ["uploads/images/"]', MORE)
    assert changed_calls(community) == {
        "bucket.images": ["PutBucketVersioning", "PutBucketLifecycleConfiguration", "PutBucketCors"]
    }
    drift = community.run("status", code=1).output
    assert all(setting in drift for setting in ("versioning", "lifecycle", "CORS"))
    community.run("up", "--yes")
    community.run("status")
    community.run("verify")

    community.run("down", "--yes", code=2)
    community.run("down", "--yes", "--empty")
    assert inventory(root) == before


MORE = """\
public_read = ["uploads/images/"]
versioning = true
lifecycle = [{ abort_multipart_days = 7 }]
cors = [{ origins = ["https://community.example.com"], methods = ["GET"] }]"""


def changed_calls(example: ExampleCopy) -> dict[str, list[str]]:
    """Give the calls that `up` would make now, by address."""
    changes = json.loads(example.run("plan", "--json").stdout)["changes"]
    return {change["address"]: [call["operation"] for call in change["calls"]] for change in changes if change["calls"]}


def test_a_bucket_without_acls_serves_the_web_without_one(root: BotocoreAws, community: ExampleCopy) -> None:
    """An upload with `public-read` is denied to the API; one without an ACL is public by the bucket policy."""
    community.run("up", "--yes")
    put = f"import boto3; boto3.client('s3').put_object(Bucket={BUCKET!r}, Key={KEY!r}, Body=b'x'"
    container = ("run", "--as", "api", "--hops", "2", "--", sys.executable, "-c")
    community.run(*container, f"{put}, ACL='public-read')", code=1)
    assert root.call("s3", "ListObjectsV2", Bucket=BUCKET)["KeyCount"] == 0
    community.run(*container, f"{put})")
    with urllib.request.urlopen(f"{root.endpoint_url}/{BUCKET}/{KEY}", timeout=TIMEOUT_S) as answer:
        assert answer.status == 200
