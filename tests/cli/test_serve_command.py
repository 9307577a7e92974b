"""`keyhole serve`: where it may listen, whom it serves, and from which store, before the first request."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gate_clients import Aws
from keyhole.cli.main import app
from keyhole.cli.serving import (
    check_reach,
    choose_hosts,
    find_remarks,
    find_tokens,
    is_loopback,
    prepare_service,
)
from keyhole.errors import KeyholeError
from keyhole.service.callers.tokens import FILE_NAME, make_token
from keyhole.service.operation import Operation
from keyhole.service.settings import Service
from keyhole.spec import Spec, load_spec

SPEC = """\
[app]
name = "shop"
region = "us-east-1"
{app}

[buckets.images]
{bucket}

[workloads.api]
kind = "ec2"

[[workloads.api.grants]]
bucket = "images"
verbs = ["read", "write", "delete", "list"]

[uploads.images]
workload = "api"
bucket = "images"
prefix = "u/"
{upload}
"""
CALLERS = '[callers.robots]\nkind = "token"\n'
ENDPOINT = 'endpoint = "https://minio.example.com"'
NAME = 'name = "pictures"'


def write(folder: Path, text: str = "", *, app: str = "", bucket: str = "", upload: str = "") -> Path:
    file = folder / "keyhole.toml"
    file.write_text(SPEC.format(app=app, bucket=bucket, upload=upload) + text, "utf-8")
    return file


def load(folder: Path, text: str = "", **parts: str) -> Spec:
    return load_spec(write(folder, text, **parts), "")


def prepare(spec: Spec) -> Service:
    return prepare_service(spec, ("images",))[0]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["serve", *words], env={"COLUMNS": "200"})


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_alone(host: str, is_own: bool) -> None:
    """All addresses are not it, nor is a name that looks like it."""
    assert is_loopback(host) is is_own


def test_strangers_are_let_in_only_when_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond loopback a file without callers needs `--anyone`."""
    monkeypatch.setenv("APP_OBJECT_STORAGE__ENDPOINT", "http://127.0.0.1:1")
    is_open = prepare(load(tmp_path, bucket=NAME))
    closed = prepare(load(tmp_path, CALLERS, bucket=NAME))
    with pytest.raises(KeyholeError) as raised:
        check_reach(is_open, "0.0.0.0", anyone=False)
    assert "--anyone" in raised.value.hint
    check_reach(is_open, "0.0.0.0", anyone=True)
    check_reach(is_open, "127.0.0.1", anyone=False)
    check_reach(closed, "0.0.0.0", anyone=False)


def test_the_command_refuses_to_be_open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2 before anything listens."""
    monkeypatch.setenv("APP_OBJECT_STORAGE__ENDPOINT", "http://127.0.0.1:1")
    result = run("-f", str(write(tmp_path, bucket=NAME)), "--host", "0.0.0.0", "--port", "0")
    assert result.exit_code == 2
    assert "the file has no callers" in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--proxy", "proxy.example"), "no address or network"),
        (("--metrics-from", "10.0.0.0/33"), "no address or network"),
        (("--allow-host", "https://img.example.com"), "is no host"),
        (("--workers", "0"), "--workers"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    """Before anything listens."""
    monkeypatch.setenv("APP_OBJECT_STORAGE__ENDPOINT", "http://127.0.0.1:1")
    result = run("-f", str(write(tmp_path, bucket=NAME)), "--port", "0", *words)
    assert result.exit_code == 2
    assert message in result.output


def test_a_short_session_key_is_refused_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that could be guessed would let anyone make sessions."""
    monkeypatch.setenv("APP_OBJECT_STORAGE__ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("KEYHOLE_SESSION_KEY", "hunter2")
    result = run("-f", str(write(tmp_path, CALLERS, bucket=NAME)), "--port", "0")
    assert result.exit_code == 2
    assert "session key" in result.output
    assert "hunter2" not in result.output


def test_every_option_has_a_variable() -> None:
    """`KEYHOLE_` and its name."""
    text = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "240"}).output
    options = set(re.findall(r"--[a-z][a-z-]+", text.partition("Options")[2])) - {"--help"}
    variables = set(re.findall(r"KEYHOLE_[A-Z_]+", text))
    assert variables - {"KEYHOLE_UPLOAD"} == {"KEYHOLE_" + option[2:].upper().replace("-", "_") for option in options}


@pytest.mark.parametrize(
    ("host", "allowed", "hosts"),
    [
        ("127.0.0.1", [], ("localhost", "127.0.0.1", "[::1]")),
        ("127.0.0.1", ["img.test"], ("localhost", "127.0.0.1", "[::1]", "img.test")),
        ("127.0.0.2", [], ("localhost", "127.0.0.1", "[::1]", "127.0.0.2")),
        ("::1", [], ("localhost", "127.0.0.1", "[::1]")),
        ("0.0.0.0", [], ()),
        ("0.0.0.0", ["img.test"], ("img.test",)),
    ],
)
def test_on_loopback_only_this_machine_s_names_are_served(
    host: str, allowed: list[str], hosts: tuple[str, ...]
) -> None:
    """So that no website can lead its own name here; elsewhere names count if any are given."""
    assert choose_hosts(host, allowed) == hosts


def test_another_store_is_asked_for_no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the file or by the environment; its address is in the URLs."""
    service = prepare(load(tmp_path, app=ENDPOINT, bucket=NAME))
    assert service.first.base_url == "https://minio.example.com/pictures/"
    monkeypatch.setenv("APP_OBJECT_STORAGE__ENDPOINT", "https://minio.example.com/")
    assert prepare(load(tmp_path, app=ENDPOINT, bucket=NAME)).first.bucket == "pictures"
    assert prepare(load(tmp_path, bucket=NAME)).first.endpoint_url == "https://minio.example.com/"
    monkeypatch.setenv("APP_OBJECT_STORAGE__ENDPOINT", "https://other.example.com")
    with pytest.raises(KeyholeError, match="and the file says"):
        prepare(load(tmp_path, app=ENDPOINT, bucket=NAME))


def test_what_another_store_cannot_do_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no roles, so callers would silently share the workload's credentials; nor has it an account for names."""
    monkeypatch.setenv("APP_OBJECT_STORAGE__ENDPOINT", "https://minio.example.com")
    with pytest.raises(KeyholeError, match="has no roles"):
        prepare(load(tmp_path, CALLERS, bucket=NAME, upload="per_caller = true\ncaller_role = true"))
    with pytest.raises(KeyholeError, match="knows no account"):
        prepare(load(tmp_path))
    assert prepare(load(tmp_path, app='account = "123456789012"')).first.bucket == "shop-images-123456789012"


def test_the_env_file_of_scenario_two_is_enough(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key that is handed over AWS is asked for the account; URLs live as long as both allow."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    for name, value in (
        ("APP_OBJECT_STORAGE__PROVIDER", "s3"),
        ("APP_OBJECT_STORAGE__BUCKET_NAME", "shop-images-123456789012"),
        ("APP_OBJECT_STORAGE__REGION", "us-east-1"),
        ("APP_OBJECT_STORAGE__ENDPOINT", ""),
        ("APP_OBJECT_STORAGE__ACCESS_KEY", aws.root.access_key_id),
        ("APP_OBJECT_STORAGE__SECRET_KEY", aws.root.secret_access_key),
        ("APP_SIGNED_URL__DEFAULT_TTL", "300"),
        ("APP_SIGNED_URL__MAX_TTL", "900"),
    ):
        monkeypatch.setenv(name, value)
    service, environment = prepare_service(load(tmp_path), ("images",))
    assert (service.first.ttl_s, service.first.max_ttl_s) == (300, 900)
    assert environment.credentials is not None
    monkeypatch.setenv("APP_OBJECT_STORAGE__BUCKET_NAME", "shop-images-dev")
    with pytest.raises(KeyholeError, match="the file says `shop-images-123456789012`"):
        prepare_service(load(tmp_path), ("images",))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", aws.root.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", aws.root.secret_access_key)
    local, left = prepare_service(load(tmp_path), ("images",), local=True)
    assert (left.credentials, left.bucket, local.first.ttl_s) == (None, "", 300)


def test_the_role_of_callers_is_the_one_that_up_makes(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the upload wants one, and nowhere else."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", aws.root.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", aws.root.secret_access_key)
    scoped = prepare(load(tmp_path, CALLERS, upload="per_caller = true\ncaller_role = true"))
    arn = "arn:aws:iam::123456789012:role/keyhole/shop/default/shop-uploads-images"
    assert scoped.first.role_arn == arn
    assert prepare(load(tmp_path, CALLERS)).first.role_arn == ""


def test_a_service_that_nobody_can_enter_is_remarked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until there is a token of a group that the file has."""
    monkeypatch.setenv("APP_OBJECT_STORAGE__ENDPOINT", "http://127.0.0.1:1")
    file = write(tmp_path, CALLERS, bucket=NAME)
    service = prepare(load_spec(file, ""))
    path, remark = find_tokens(service, None, file)
    assert path == tmp_path.resolve() / FILE_NAME
    assert "nobody can come in" in remark
    make_token(path, "others", "ana")
    assert find_tokens(service, None, file)[1]
    make_token(path, "robots", "ana")
    assert find_tokens(service, None, file) == (path, "")
    assert find_tokens(prepare(load(tmp_path, bucket=NAME)), None, file)[1] == ""


def test_what_one_should_know_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That tokens would travel in the clear, and that workers share a limit; nothing where all is well."""
    monkeypatch.setenv("APP_OBJECT_STORAGE__ENDPOINT", "http://127.0.0.1:1")
    closed = prepare(load(tmp_path, CALLERS, bucket=NAME, upload="uploads_per_minute = 6"))
    assert find_remarks(closed, Operation(), "127.0.0.1") == []
    assert find_remarks(closed, Operation(proxies=("10.0.0.1",)), "0.0.0.0") == []
    (clear,) = find_remarks(closed, Operation(), "0.0.0.0")
    assert "not encrypted" in clear[0]
    assert "--proxy" in clear[1]
    (shared,) = find_remarks(closed, Operation(workers=4), "127.0.0.1")
    assert "each of 4 workers" in shared[0]


def test_a_page_that_could_not_send_is_remarked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the page sends to S3 and the bucket does not take it from there, whoever starts the service is told."""
    monkeypatch.setenv("APP_OBJECT_STORAGE__ENDPOINT", "http://127.0.0.1:1")
    at_an_endpoint = prepare(load(tmp_path, bucket=NAME, upload="signed_uploads = true"))
    assert find_remarks(at_an_endpoint, Operation(), "127.0.0.1") == []
    behind = Operation(proxies=("10.0.0.1",))

    def remarks(operation: Operation, host: str, *origins: str) -> list[str]:
        settings = replace(at_an_endpoint.first, origins=origins)
        service = replace(at_an_endpoint, account="123456789012", uploads={settings.name: settings})
        return [remark for remark, _ in find_remarks(service, operation, host)]

    (missing,) = remarks(Operation(), "127.0.0.1")
    assert "`origins`" in missing
    assert remarks(Operation(), "127.0.0.1", "https://shop.example.com") == [missing]
    assert remarks(Operation(), "127.0.0.1", "https://shop.example.com", "http://localhost:8080") == []
    assert remarks(behind, "10.0.0.2") == [missing]
    assert remarks(behind, "10.0.0.2", "https://shop.example.com") == []
