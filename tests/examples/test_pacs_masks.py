"""pacs-masks: a service outside AWS with one key and signed URLs, in three environments, from nothing to nothing."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import md5
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from example_commands import ExampleCopy, run_program
from playwright.sync_api import Browser

from keyhole.aws.client import BotocoreAws
from keyhole.local.server import LocalAws
from local_story import AccountFactory, inventory

Sign = Callable[..., str]
ACCOUNT = "123456789012"
DEV, PROD = "pacs-masks-dev", "pacs-masks-prod"
MASK = "mask/study-1/lung.png"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/keyhole/pacs-masks/dev/pacs-masks-dev-uploader"


@pytest.fixture
def root(account: AccountFactory) -> BotocoreAws:
    return account("us-east-1")


@pytest.fixture
def pacs(local_aws: LocalAws, example_folder: Path, tmp_path: Path) -> ExampleCopy:
    return ExampleCopy(example_folder / "pacs-masks", tmp_path, local_aws)


@pytest.fixture(scope="module")
def program() -> Iterator[ModuleType]:
    """The example's own program, as another one would import it."""
    name = "signed_urls"
    spec = spec_from_file_location(name, Path(__file__).parents[2] / "examples" / "pacs-masks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]


@pytest.fixture
def sign(pacs: ExampleCopy, program: ModuleType) -> Sign:
    """Signs by a file that Keyhole wrote: its name, `upload` or `download`, the mask, how long."""

    def sign_with(file: str, direction: str = "upload", key: str = MASK, ttl_s: int | None = None) -> str:
        url: str = program.UrlSigner(program.load_settings(pacs.folder / file)).sign(direction, key, ttl_s)
        return url

    return sign_with


def upload(url: str, content: bytes = b"a mask") -> httpx.Response:
    return httpx.put(url, content=content)


def error_code(answer: httpx.Response) -> str:
    found = re.search(r"<Code>(.*?)</Code>", answer.text)
    assert found is not None, answer.text
    return found[1]


def planned(pacs: ExampleCopy, environment: str) -> dict[str, list[str]]:
    """Give the operations of each change that the plan has calls for."""
    changes = json.loads(pacs.run("plan", "-e", environment, "--json").stdout)["changes"]
    return {change["address"]: [call["operation"] for call in change["calls"]] for change in changes if change["calls"]}


def everything(root: BotocoreAws) -> dict[str, list[str]]:
    secrets = [item["Name"] for item in root.pages("secretsmanager", "ListSecrets", "SecretList")]
    return {**inventory(root), "secrets": secrets}


def test_from_nothing_to_nothing(root: BotocoreAws, pacs: ExampleCopy, sign: Sign) -> None:
    """Two environments up in one account, every claim tried, used, changed, and each taken down for itself."""
    before, shipped = everything(root), sorted(path.name for path in pacs.folder.iterdir())
    ours = pacs.folder / "uploader.dev.env"
    ours.write_text("RUST_LOG=info\n", "utf-8")
    ours.chmod(0o644)
    for environment in ("dev", "prod"):
        pacs.run("up", "-e", environment, "--yes")
        assert "nothing to do: AWS agrees with the file" in pacs.run("up", "-e", environment).output
    assert sorted(everything(root)["users"]) == ["pacs-mask-uploader", "pacs-mask-uploader-dev"]
    for environment in ("dev", "prod"):
        verified = json.loads(pacs.run("verify", "-e", environment, "--json").stdout)["claims"]
        assert len(verified) > 15
        assert [claim for claim in verified if claim["verdict"] != "holds"] == []
        pacs.run("status", "-e", environment)
    _looks_as_described(root)
    _is_handed_over(pacs)

    assert upload(sign("uploader.dev.env")).status_code == 200
    assert httpx.get(sign("uploader.dev.toml", "download")).content == b"a mask"
    # Who may list under one prefix alone is not told that an object is missing.
    assert error_code(httpx.get(sign("uploader.prod.env", "download"))) == "AccessDenied"

    pacs.change("days = 365", "days = 400")
    pacs.change('"http://localhost:3000", ', '"http://localhost:5173", ')
    lifecycle, cors = "PutBucketLifecycleConfiguration", "PutBucketCors"
    assert planned(pacs, "dev") == {"bucket.masks": [lifecycle, cors]}
    assert planned(pacs, "prod") == {"bucket.masks": [lifecycle]}
    pacs.run("up", "-e", "dev", "--yes")
    (rule,) = root.call("s3", "GetBucketLifecycleConfiguration", Bucket=DEV)["Rules"]
    assert [step["Days"] for step in rule["Transitions"]] == [90, 400]

    assert "holds 1 object: it is not deleted" in pacs.run("down", "-e", "dev", "--yes", code=2).output
    said = pacs.run("down", "-e", "dev", "--yes", "--empty").output
    assert f"nothing tagged as pacs-masks (dev) in account {ACCOUNT} is left" in said
    assert sorted(everything(root)["users"]) == ["pacs-mask-uploader"]
    assert upload(sign("uploader.prod.toml")).status_code == 200
    pacs.run("down", "-e", "prod", "--yes", "--empty")
    assert everything(root) == before
    assert ours.read_text("utf-8") == "RUST_LOG=info\n"
    ours.unlink()
    assert sorted(path.name for path in pacs.folder.iterdir()) == shipped


def _looks_as_described(root: BotocoreAws) -> None:
    """What the file says of settings that no claim is about."""
    for bucket in (DEV, PROD):
        assert root.call("s3", "GetBucketVersioning", Bucket=bucket).get("Status") is None
        assert all(root.call("s3", "GetPublicAccessBlock", Bucket=bucket)["PublicAccessBlockConfiguration"].values())
        (rule,) = root.call("s3", "GetBucketLifecycleConfiguration", Bucket=bucket)["Rules"]
        assert [(step["Days"], step["StorageClass"]) for step in rule["Transitions"]] == [
            (90, "STANDARD_IA"),
            (365, "GLACIER"),
        ]
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
        assert root.call("s3", "ListBucketMetricsConfigurations", Bucket=bucket)["MetricsConfigurationList"]
    alarms = root.call("cloudwatch", "DescribeAlarms")["MetricAlarms"]
    limits = {alarm["AlarmName"]: (alarm["MetricName"], alarm["Threshold"]) for alarm in alarms}
    assert limits == {
        f"{bucket}-masks-{name}": limit
        for bucket in (DEV, PROD)
        for name, limit in (
            ("4xx", ("4xxErrors", 0.05)),
            ("5xx", ("5xxErrors", 0.01)),
            ("surge", ("AllRequests", 10_000)),
        )
    }
    mails = {item["Endpoint"] for item in root.pages("sns", "ListSubscriptions", "Subscriptions")}
    assert mails == {"ops@example.com"}


def _is_handed_over(pacs: ExampleCopy) -> None:
    """The files are for their owner alone, with the names that the service reads, and what stood there is kept."""
    for name in ("uploader.dev.env", "uploader.dev.toml", "uploader.prod.env", "uploader.prod.toml"):
        assert (pacs.folder / name).stat().st_mode & 0o777 == 0o600
    lines = (pacs.folder / "uploader.dev.env").read_text("utf-8").splitlines()
    assert [line.partition("=")[0] for line in lines] == ["RUST_LOG", *VARIABLES]
    values = dict(line.split("=", 1) for line in lines)
    assert values["APP_OBJECT_STORAGE__BUCKET_NAME"] == DEV
    assert (values["APP_SIGNED_URL__DEFAULT_TTL"], values["APP_SIGNED_URL__MAX_TTL"]) == ("600", "3600")


VARIABLES = [
    "APP_OBJECT_STORAGE__PROVIDER",
    "APP_OBJECT_STORAGE__BUCKET_NAME",
    "APP_OBJECT_STORAGE__REGION",
    "APP_OBJECT_STORAGE__ENDPOINT",
    "APP_OBJECT_STORAGE__ACCESS_KEY",
    "APP_OBJECT_STORAGE__SECRET_KEY",
    "APP_SIGNED_URL__DEFAULT_TTL",
    "APP_SIGNED_URL__MAX_TTL",
]


def test_a_signed_url_is_for_one_object_one_method_and_its_time(pacs: ExampleCopy, sign: Sign) -> None:
    """600 s by default, 3600 s at most; another method, a longer time or a key outside `mask/` is refused by S3."""
    pacs.run("up", "-e", "dev", "--yes")
    url = sign("uploader.dev.env")
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["600"]
    longest = sign("uploader.dev.toml", "download", MASK, 3600)
    assert parse_qs(urlsplit(longest).query)["X-Amz-Expires"] == ["3600"]
    for ttl_s in (3601, 0, -1):
        with pytest.raises(ValueError, match=f"a URL lives for 1 to 3600 seconds, not {ttl_s}"):
            sign("uploader.dev.env", "upload", MASK, ttl_s)

    assert upload(url).status_code == 200
    assert error_code(httpx.get(url)) == "SignatureDoesNotMatch"
    assert error_code(upload(url.replace("Expires=600", "Expires=86400"))) == "SignatureDoesNotMatch"
    assert error_code(upload(url.replace("lung.png", "heart.png"))) == "SignatureDoesNotMatch"
    outside = upload(sign("uploader.dev.env", "upload", "reports/study-1.pdf"))
    assert (outside.status_code, error_code(outside)) == (403, "AccessDenied")


def test_the_program_prints_a_url_or_why_not(pacs: ExampleCopy) -> None:
    """As a command: a URL that works, and one line of what is wrong, without a traceback."""
    pacs.run("up", "-e", "dev", "--yes")
    command = [sys.executable, "signed_urls.py"]
    printed = run_program([*command, "uploader.dev.env", "upload", MASK, "--ttl", "60"], pacs.folder, {})
    assert upload(printed.strip()).status_code == 200
    for file, ttl, why in (
        ("uploader.dev.toml", "3601", "a URL lives for 1 to 3600 seconds, not 3601"),
        ("keyhole.toml", "60", "keyhole.toml has no object_storage.bucket_name"),
    ):
        said = run_program([*command, file, "download", MASK, "--ttl", ttl], pacs.folder, {}, fails=True)
        assert said == f"error: {why}\n"


def test_on_aws_the_url_names_the_bucket_s_own_region(pacs: ExampleCopy, sign: Sign) -> None:
    """Without an endpoint the host is the bucket's in its region, so that S3 has nothing to redirect."""
    pacs.run("up", "-e", "dev", "--yes")
    file = pacs.folder / "uploader.dev.toml"
    text = re.sub(r'endpoint = ".*"', 'endpoint = ""', file.read_text("utf-8")).replace("us-east-1", "eu-west-1")
    file.write_text(text, "utf-8")
    url = urlsplit(sign(file.name))
    assert (url.scheme, url.netloc) == ("https", f"{DEV}.s3.eu-west-1.amazonaws.com")


def test_browsers_are_answered_for_the_developer_s_pages_alone(pacs: ExampleCopy, sign: Sign) -> None:
    """In dev the two origins may do all four methods and read the ETag; others may not, and in prod nobody may."""
    for environment in ("dev", "prod"):
        pacs.run("up", "-e", environment, "--yes")
    dev, prod = (sign(f"uploader.{environment}.env") for environment in ("dev", "prod"))

    def ask(url: str, origin: str, method: str = "PUT") -> httpx.Response:
        asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "content-type, x-study"}
        return httpx.options(url, headers={"Origin": origin, **asked})

    for origin in ("http://localhost:3000", "http://localhost:8080"):
        for method in ("GET", "PUT", "POST", "DELETE"):
            answer = ask(dev, origin, method)
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
            assert method in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == "content-type, x-study"
        assert answer.headers["access-control-max-age"] == "3000"
        stored = httpx.put(dev, content=b"x", headers={"Origin": origin})
        assert (stored.headers["access-control-expose-headers"], bool(stored.headers["etag"])) == ("ETag", True)
    for url, origin in (
        (dev, "http://localhost:9000"),
        (dev, "https://localhost:3000"),
        (prod, "http://localhost:3000"),
    ):
        answer = ask(url, origin)
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)


@pytest.fixture
def page_origin() -> Iterator[str]:
    """The origin of a developer's page: an empty folder's listing."""
    with TemporaryDirectory() as folder:
        pages = partial(SimpleHTTPRequestHandler, directory=folder)
        with ThreadingHTTPServer(("127.0.0.1", 0), pages) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()


FETCH = """async ([url, content]) => {
  const request = content === null ? {} : {method: "PUT", body: new Blob([content], {type: "image/png"})};
  try {
    const answer = await fetch(url, request);
    return [answer.status, answer.headers.get("ETag"), await answer.text()];
  } catch (error) { return error.name; }
}"""


def test_a_page_in_a_browser_uploads_once_its_origin_is_in_the_file(
    pacs: ExampleCopy, sign: Sign, browser: Browser, page_origin: str
) -> None:
    """A real browser keeps a stranger's page out; with its origin in the file it uploads, reads the ETag, downloads."""
    pacs.run("up", "-e", "dev", "--yes")
    page = browser.new_page()
    page.goto(page_origin)
    upload_url, download_url = sign("uploader.dev.env", "upload"), sign("uploader.dev.env", "download")
    assert page.evaluate(FETCH, [upload_url, "a mask"]) == "TypeError"
    pacs.change('"http://localhost:3000"', f'"{page_origin}"')
    pacs.run("up", "-e", "dev", "--yes")
    status, etag, _ = page.evaluate(FETCH, [upload_url, "a mask"])
    assert (status, etag) == (200, f'"{md5(b"a mask").hexdigest()}"')
    assert page.evaluate(FETCH, [download_url, None]) == [200, etag, "a mask"]


def test_a_change_by_hand_is_found_and_taken_back(root: BotocoreAws, pacs: ExampleCopy) -> None:
    """Someone gives the uploader all of S3: `status` says what it allows too much, `up` takes it back."""
    pacs.run("up", "-e", "dev", "--yes")
    assert "everything is as the file says" in pacs.run("status", "-e", "dev").output
    wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    params = {"PolicyArn": POLICY, "PolicyDocument": json.dumps(wide), "SetAsDefault": True}
    root.call("iam", "CreatePolicyVersion", **params)
    assert "it allows s3:* on *, which the file does not say" in pacs.run("status", "-e", "dev", code=1).output
    assert planned(pacs, "dev") == {"policy.uploader": ["CreatePolicyVersion"]}
    pacs.run("up", "-e", "dev", "--yes")
    assert "everything is as the file says" in pacs.run("status", "-e", "dev").output


def test_the_key_is_rotated_while_urls_are_out(pacs: ExampleCopy, sign: Sign) -> None:
    """What the old key signed holds until it ends; the program signs with the new one from the files at once."""
    pacs.run("up", "-e", "dev", "--yes")
    before = sign("uploader.dev.env")
    assert "stays active" in pacs.run("rotate", "-e", "dev", "--yes", code=1).output
    after = sign("uploader.dev.env")
    assert _key_of(after) == _key_of(sign("uploader.dev.toml")) != _key_of(before)
    assert (upload(before).status_code, upload(after).status_code) == (200, 200)
    assert "a rotation was begun and not finished" in pacs.run("status", "-e", "dev", code=1).output
    pacs.run("rotate", "-e", "dev", "--yes", "--force", code=1)
    assert error_code(upload(before)) == "InvalidAccessKeyId"
    assert "is the only key of uploader" in pacs.run("rotate", "-e", "dev", "--yes").output
    assert upload(after).status_code == 200


def _key_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["X-Amz-Credential"][0].partition("/")[0]


def test_the_secret_may_go_to_secrets_manager_instead(root: BotocoreAws, pacs: ExampleCopy, sign: Sign) -> None:
    """The same variables in a secret, and no file; a program that reads them signs URLs; `down` leaves no secret."""
    before, name = everything(root), "pacs-masks/staging/s3"
    text = pacs.file.read_text("utf-8")
    text = re.sub(
        r"^env_file = .*\ntoml_file = .*$", f'secret = "{name}"'.replace("staging", "{environment}"), text, flags=re.M
    )
    text = re.sub(r"^\[workloads\.uploader\.handover\.toml\.(?s:.*?)(?=^\[monitoring\])", "", text, flags=re.M)
    pacs.file.write_text(text, "utf-8")
    pacs.run("up", "-e", "staging", "--yes")
    assert not list(pacs.folder.glob("uploader.*"))
    pacs.run("status", "-e", "staging")

    def sign_from_secret() -> str:
        values = json.loads(root.call("secretsmanager", "GetSecretValue", SecretId=name)["SecretString"])
        assert list(values) == VARIABLES
        lines = (f"{variable}={value}\n" for variable, value in values.items())
        (pacs.folder / "fetched.env").write_text("".join(lines), "utf-8")
        return sign("fetched.env")

    first = sign_from_secret()
    assert upload(first).status_code == 200
    pacs.run("rotate", "-e", "staging", "--yes", code=1)
    second = sign_from_secret()
    assert (upload(second).status_code, _key_of(second) == _key_of(first)) == (200, False)
    pacs.run("down", "-e", "staging", "--yes", "--empty")
    assert everything(root) == before
