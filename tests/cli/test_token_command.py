"""`keyhole token`: a token is shown once, listed without its secret, and revoked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keyhole.cli.main import app
from keyhole.service.callers.tokens import FILE_NAME, Tokens

SPEC = """\
[app]
name = "shop"
region = "eu-west-1"

[buckets.images]

[workloads.api]
kind = "ec2"

[[workloads.api.grants]]
bucket = "images"
verbs = ["read", "write", "delete", "list"]

[uploads.images]
workload = "api"
bucket = "images"
prefix = "u/"
"""
GROUP = '[callers.{name}]\nkind = "token"\n'
PEOPLE = '[callers.people]\nkind = "oidc"\nissuer = "https://login.example.com"\naudience = "uploads"\n'


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "keyhole.toml"
    file.write_text(SPEC + GROUP.format(name="robots") + PEOPLE, "utf-8")
    return file


def token(file: Path, *words: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["token", "-f", str(file), *words], env={"COLUMNS": "200", **environment})


def test_the_token_alone_is_on_stdout(spec: Path) -> None:
    """So that it can be piped; the file beside the spec knows it, as one of the only group with tokens."""
    result = token(spec, "ana", "--days", "30")
    assert result.exit_code == 0
    text = result.stdout.removesuffix("\n")
    entry = Tokens(spec.parent / FILE_NAME).find(text)
    assert entry is not None
    assert (entry.name, entry.group) == ("ana", "robots")
    assert entry.expires is not None
    assert (entry.expires - entry.made).days == 30
    assert text not in result.stderr


def test_the_list_has_no_secret(spec: Path) -> None:
    """Ids, names and ends: for people and for machines."""
    made = json.loads(token(spec, "ana", "--json").stdout)
    token(spec, "ben", "--days", "7")
    listed = token(spec, "--list")
    assert [line.split()[1] for line in listed.stdout.splitlines()] == ["ana", "ben"]
    assert made["token"].rpartition("_")[2] not in listed.output
    shown = json.loads(token(spec, "--list", "--json").stdout)
    assert [item["name"] for item in shown] == ["ana", "ben"]
    assert set(shown[0]) == {"id", "name", "group", "made", "expires"}
    assert shown[0]["id"] == made["id"]


def test_a_revoked_token_is_gone(spec: Path) -> None:
    """By its id or its name; what is not there is said."""
    made = json.loads(token(spec, "ana", "--json").stdout)
    assert token(spec, "--revoke", made["id"]).exit_code == 0
    assert token(spec, "--list").stdout == ""
    missing = token(spec, "--revoke", "ana")
    assert missing.exit_code == 2
    assert "there is no token `ana`" in missing.output


def test_the_file_is_where_the_environment_says(spec: Path, tmp_path: Path) -> None:
    """KEYHOLE_TOKENS, unless the option says another."""
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    token(spec, "ana", KEYHOLE_TOKENS=str(first))
    token(spec, "ana", "--tokens", str(second), KEYHOLE_TOKENS=str(first))
    assert first.exists()
    assert second.exists()
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "one thing at a time"),
        (("ana", "--list"), "one thing at a time"),
        (("Ana Lee",), "no name for a token"),
        (("ana", "--group", "people"), "no callers with tokens"),
        (("ana", "--group", "others"), "the file has `robots`"),
    ],
)
def test_what_cannot_be_is_a_clear_error(spec: Path, words: tuple[str, ...], message: str) -> None:
    """Exit code 2, and no file is made."""
    result = token(spec, *words)
    assert result.exit_code == 2
    assert message in result.output
    assert not (spec.parent / FILE_NAME).exists()


def test_the_group_must_be_plain(spec: Path) -> None:
    """Of several it must be said which; without any there is a hint."""
    spec.write_text(SPEC + GROUP.format(name="robots") + GROUP.format(name="staff"), "utf-8")
    assert "say which" in token(spec, "ana").output
    assert token(spec, "ana", "--group", "staff").exit_code == 0
    spec.write_text(SPEC, "utf-8")
    assert "[callers.app]" in token(spec, "ana").output
