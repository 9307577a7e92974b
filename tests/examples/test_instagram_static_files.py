"""instagram-static-files: an Express server with one access key and a public bucket, from nothing to nothing."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from example_commands import TIMEOUT_S, ExampleCopy
from typer.testing import CliRunner

from gate_clients import Aws, allow
from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.cli.main import app
from keyhole.errors import AwsError
from keyhole.local.server import LocalAws
from local_story import AccountFactory, inventory

ACCOUNT = "123456789012"
BUCKET = "instagram-static-files"
USER = f"arn:aws:iam::{ACCOUNT}:user/keyhole/instagram/default/instagram-server"
PAYROLL = "payroll-of-instagram"
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
MEBIBYTE = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n" + bytes(1000)


@pytest.fixture
def root(account: AccountFactory) -> BotocoreAws:
    return account("us-east-1")


@pytest.fixture
def instagram(local_aws: LocalAws, example_folder: Path, tmp_path: Path) -> ExampleCopy:
    return ExampleCopy(example_folder / "instagram-static-files", tmp_path, local_aws)


def test_from_nothing_to_nothing(root: BotocoreAws, instagram: ExampleCopy, packages: Path) -> None:
    """Up, every claim tried, used by the Express server, status, changed, emptied and deleted; nothing is left."""
    before = inventory(root)
    said = instagram.run("up", "--yes").output
    verified = json.loads(instagram.run("verify", "--json").stdout)["claims"]
    assert [claim for claim in verified if claim["verdict"] != "holds"] == []
    assert "nothing to do: AWS agrees with the file" in instagram.run("up").output
    key = _handed_over_key(instagram)
    assert key.secret_access_key not in said

    with express_server(instagram, packages) as server:
        image = server.upload(PNG)
        assert image["url"] == f"{root.endpoint_url}/{BUCKET}/images/{image['name']}"
        assert fetch(image["url"]) == (200, PNG, "image/png")
        assert fetch(f"{root.endpoint_url}/{BUCKET}?list-type=2")[0] == 403
        assert server.ask("DELETE", f"/images/{image['name']}")[0] == 204
        assert fetch(image["url"])[0] == 403
        kept = server.upload(PNG)
    assert key.secret_access_key not in server.log.read_text("utf-8")
    with express_server(instagram, packages, AWS_ENDPOINT_URL_S3="") as on_aws:
        assert on_aws.images_url == f"https://{BUCKET}.s3.us-east-1.amazonaws.com/"
    assert "everything is as the file says" in instagram.run("status").output

    instagram.change('public_read = [""]', 'public_read = [""]\nversioning = true')
    changed = [change for change in json.loads(instagram.run("plan", "--json").stdout)["changes"] if change["calls"]]
    assert [change["address"] for change in changed] == ["bucket.images"]
    assert [call["operation"] for call in changed[0]["calls"]] == ["PutBucketVersioning"]
    assert "versioning" in instagram.run("status", code=1).output
    instagram.run("up", "--yes")
    instagram.run("status")

    root.call("s3", "PutObject", Bucket=BUCKET, Key=f"images/{kept['name']}", Body=b"newer")
    root.call("s3", "DeleteObject", Bucket=BUCKET, Key=f"images/{kept['name']}")
    root.call("s3", "PutObject", Bucket=BUCKET, Key="images/of-today.png", Body=PNG)
    root.call("s3", "CreateMultipartUpload", Bucket=BUCKET, Key="images/unfinished.png")
    there = inventory(root)
    holds = "1 object, 3 old versions and delete markers and 1 unfinished upload"
    refused = instagram.run("down", "--yes", code=2).output
    assert f"`{BUCKET}` holds {holds}: it is not deleted" in refused
    assert inventory(root) == there
    plan = instagram.run("down", "--empty", "--yes").output
    assert f"delete what it holds: {holds}, for good" in plan
    assert f"delete access key {key.access_key_id}" in plan
    _nothing_is_left(root, instagram, key, before)


def _handed_over_key(instagram: ExampleCopy) -> Credentials:
    """Both files are for their owner alone and hold the same key, the CSV as the console writes it."""
    env_file, csv_file = instagram.folder / ".env", instagram.folder / "instagram-server_accessKeys.csv"
    assert [file.stat().st_mode & 0o777 for file in (env_file, csv_file)] == [0o600, 0o600]
    values = dict(line.split("=", 1) for line in env_file.read_text("utf-8").splitlines())
    key = Credentials(values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"])
    row = f"{key.access_key_id},{key.secret_access_key}"
    assert csv_file.read_bytes().decode() == f"Access key ID,Secret access key\r\n{row}\r\n"
    return key


def _nothing_is_left(
    root: BotocoreAws, instagram: ExampleCopy, key: Credentials, before: Mapping[str, list[str]]
) -> None:
    """Asked of the account and the folder themselves."""
    assert inventory(root) == before
    tagged = root.pages(
        "resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", TagFilters=[{"Key": "keyhole:app"}]
    )
    assert list(tagged) == []
    old = BotocoreAws("us-east-1", credentials=key, endpoint_url=root.endpoint_url, max_attempts=1)
    with pytest.raises(AwsError) as gone:
        old.call("sts", "GetCallerIdentity")
    assert gone.value.code == "InvalidClientTokenId"
    assert sorted(instagram.folder.glob(".env")) + sorted(instagram.folder.glob("*.csv")) == []


def test_the_server_takes_images_alone_and_leaves_no_parts(
    root: BotocoreAws, instagram: ExampleCopy, packages: Path
) -> None:
    """A large image goes in parts; one too large or not an image is refused, also where its length is not said."""
    instagram.run("up", "--yes")
    large = PNG + bytes(11 * MEBIBYTE)
    with express_server(instagram, packages, MAX_BYTES=str(12 * MEBIBYTE)) as server:
        assert fetch(server.upload(large)["url"])[1] == large
        too_large = large + bytes(2 * MEBIBYTE)
        assert server.ask("POST", "/images", too_large, "image/png")[0] == 413
        pieces = (too_large[at : at + MEBIBYTE] for at in range(0, len(too_large), MEBIBYTE))
        assert server.ask("POST", "/images", pieces, "image/png")[0] == 413
        assert server.ask("POST", "/images", PNG, "image/jpeg")[0] == 415
        assert server.ask("POST", "/images", PNG, "text/html")[0] == 415
        assert server.ask("POST", "/images", b"", "image/png")[0] == 415
        assert server.ask("DELETE", "/images/..%2Fother")[0] == 404
    kept = root.call("s3", "ListObjectsV2", Bucket=BUCKET)["Contents"]
    assert [item["Size"] for item in kept] == [len(large)]
    assert list(root.pages("s3", "ListMultipartUploads", "Uploads", Bucket=BUCKET)) == []


def test_an_acl_is_sent_only_where_told(aws: Aws, instagram: ExampleCopy, packages: Path) -> None:
    """A bucket of old with ACLs takes one and the image is public; the one of the file does without, and says so."""
    s3 = aws.client("s3")
    old = "old-bucket-with-acls"
    s3.create_bucket(Bucket=old, ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket=old)
    keys = aws.user(allow(["s3:PutObject", "s3:PutObjectAcl"], [f"arn:aws:s3:::{old}/*", f"arn:aws:s3:::{BUCKET}/*"]))
    instagram.run("up", "--yes")
    own = {"AWS_ACCESS_KEY_ID": keys.access_key_id, "AWS_SECRET_ACCESS_KEY": keys.secret_access_key}
    with express_server(instagram, packages, S3_BUCKET=old, **own) as server:
        assert fetch(server.upload(PNG)["url"])[0] == 403
    with express_server(instagram, packages, S3_BUCKET=old, S3_ACL="public-read", **own) as server:
        assert fetch(server.upload(PNG)["url"])[0] == 200
    with express_server(instagram, packages, S3_ACL="public-read", **own) as server:
        assert server.ask("POST", "/images", PNG, "image/png")[0] == 502
        log = server.log.read_text("utf-8")
    assert "AccessControlListNotSupported: The bucket does not allow ACLs; this bucket takes no ACL" in log
    assert keys.secret_access_key not in log


def test_the_key_does_not_reach_what_full_access_would(root: BotocoreAws, instagram: ExampleCopy) -> None:
    """Beyond its bucket everything is denied, on paper and for real; with AmazonS3FullAccess it would not be."""
    instagram.run("up", "--yes")
    root.call("s3", "CreateBucket", Bucket=PAYROLL)
    root.call("s3", "PutObject", Bucket=PAYROLL, Key="salaries", Body=b"x")
    server = BotocoreAws(
        "us-east-1", credentials=_handed_over_key(instagram), endpoint_url=root.endpoint_url, max_attempts=1
    )

    def answers() -> list[str]:
        return [answer_code(server, operation, params) for _, _, operation, params in BEYOND]

    def decisions() -> list[bool]:
        return [simulate(root, f"s3:{action}", resource) for action, resource, *_ in BEYOND]

    assert (set(answers()), set(decisions())) == ({"AccessDenied"}, {False})
    root.call("iam", "AttachUserPolicy", UserName="instagram-server", PolicyArn=FULL_ACCESS)
    assert (set(answers()), set(decisions())) == ({"OK"}, {True})
    assert "AmazonS3FullAccess" in instagram.run("status", code=1).output
    assert "detach AmazonS3FullAccess" in instagram.run("up", "--yes").output
    assert (set(answers()), set(decisions())) == ({"AccessDenied"}, {False})


BEYOND: tuple[tuple[str, str, str, dict[str, object]], ...] = (
    ("ListAllMyBuckets", "*", "ListBuckets", {}),
    ("GetObject", f"{PAYROLL}/salaries", "GetObject", {"Bucket": PAYROLL, "Key": "salaries"}),
    ("PutObject", f"{PAYROLL}/x", "PutObject", {"Bucket": PAYROLL, "Key": "x", "Body": b"x"}),
    ("DeleteObject", f"{PAYROLL}/x", "DeleteObject", {"Bucket": PAYROLL, "Key": "x"}),
    ("ListBucket", BUCKET, "ListObjectsV2", {"Bucket": BUCKET}),
)


def answer_code(aws: BotocoreAws, operation: str, params: dict[str, object]) -> str:
    """Give AWS's code for a refusal, or "OK"."""
    try:
        aws.call("s3", operation, **params)
    except AwsError as error:
        return error.code
    return "OK"


def simulate(root: BotocoreAws, action: str, resource: str) -> bool:
    """Hold iff `keyhole simulate` says that the server's user is allowed this, by its policies in the account."""
    arn = resource if resource == "*" else f"arn:aws:s3:::{resource}"
    port = str(root.endpoint_url).rpartition(":")[2]
    asked = ("--principal", USER, "--action", action, "--resource", arn, "--resource-account", ACCOUNT)
    result = CliRunner().invoke(
        app, ["simulate", *asked, "--from-account", "--local", "--local-port", port], catch_exceptions=False
    )
    assert result.exit_code in {0, 1}, result.output
    return result.exit_code == 0


@pytest.fixture
def packages(example_folder: Path) -> Path:
    """Where the server's JavaScript packages are installed."""
    found = example_folder / "instagram-static-files" / "node_modules"
    if not found.is_dir():
        pytest.skip("THE EXPRESS SERVER IS NOT TESTED: its packages are not installed; `make test` does it")
    return found


@dataclass(frozen=True)
class Express:
    """The example's server, at work."""

    port: int
    images_url: str
    log: Path

    def ask(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, content_type: str = ""
    ) -> tuple[int, bytes]:
        """Give the status and the body of an answer; it may come before the whole image was taken."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            headers = {"content-type": content_type} if content_type else {}
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def upload(self, image: bytes) -> dict[str, str]:
        """Give the name and the public URL of an image that is taken."""
        status, body = self.ask("POST", "/images", image, "image/png")
        assert status == 201, body
        found: dict[str, str] = json.loads(body)
        return found


@contextmanager
def express_server(example: ExampleCopy, packages: Path, **settings: str) -> Iterator[Express]:
    """Start it as `npm start` does, with the credentials that were handed over and no others."""
    if not (example.folder / "node_modules").exists():
        (example.folder / "node_modules").symlink_to(packages)
    node = Path(sys.executable).parent / "node"
    log = example.folder / "server.log"
    env = {"PATH": os.environ["PATH"], "HOME": str(example.folder), "PORT": "0", **settings}
    command = [str(node), "--env-file=.env", "server.mjs"]
    with (
        log.open("w+") as errors,
        subprocess.Popen(
            command,
            cwd=example.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # `node` is a program that starts another: both end with the group
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            told = re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+), images are at (\S+)\n", line)
            assert told, line + log.read_text("utf-8")
            yield Express(int(told[1]), told[2], log)
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def fetch(url: str) -> tuple[int, bytes, str]:
    """Give status, body and type of what a stranger gets."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return answer.status, answer.read(), answer.headers["content-type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers["content-type"]
