"""API tokens: shown once, kept as hashes, believed only from a file that nobody else can write."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keyhole.errors import KeyholeError
from keyhole.service.callers.tokens import Tokens, make_token, read_tokens, revoke_tokens

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keyhole.tokens.json"


def test_a_token_is_found_by_its_text_and_by_nothing_else(path: Path) -> None:
    """Every character of it counts, and no other text stands for it."""
    text, entry = make_token(path, "app", "ana")
    tokens = Tokens(path)
    assert tokens.find(text) == entry
    last = "a" if text[-1] != "a" else "b"
    for wrong in ("", text[:-1], text + "a", text[:-1] + last, text.upper(), entry.token_id, f"kh_{entry.token_id}_"):
        assert tokens.find(wrong) is None


def test_the_file_has_no_token_in_it_and_is_private(path: Path) -> None:
    """Only a hash is kept: neither the token nor its secret part is in the file, in a repr or in the folder."""
    text, entry = make_token(path, "app", "ana")
    secret = text.rpartition("_")[2]
    assert len(secret) == 43
    assert secret not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [child.name for child in path.parent.iterdir()] == [path.name]
    assert entry.sha256 not in repr(entry)
    assert text not in repr(Tokens(path))


def test_tokens_differ(path: Path) -> None:
    """No two are alike, though they are of one name: both are the same caller."""
    made = [make_token(path, "app", "ana") for _ in range(3)]
    assert len({text for text, _ in made}) == 3
    assert {entry.name for entry in read_tokens(path)} == {"ana"}


def test_a_running_service_learns_of_tokens_and_forgets_revoked_ones(path: Path) -> None:
    """The file is read again when it has changed; by an id one token ends, by a name all of it."""
    tokens = Tokens(path)
    assert tokens.check() == 0
    first, entry = make_token(path, "app", "ana")
    second, _ = make_token(path, "app", "ana")
    other, _ = make_token(path, "app", "ben")
    assert tokens.find(first) is not None
    assert revoke_tokens(path, entry.token_id) == (entry,)
    assert tokens.find(first) is None
    assert tokens.get(entry.token_id) is None
    assert tokens.find(second) is not None
    assert len(revoke_tokens(path, "ana")) == 1
    assert tokens.find(second) is None
    assert tokens.find(other) is not None
    path.unlink()
    assert tokens.find(other) is None


def test_a_token_ends(path: Path) -> None:
    """It is good until its moment, and not in it."""
    text, entry = make_token(path, "app", "ana", expires=NOW + timedelta(days=1))
    tokens = Tokens(path)
    assert tokens.find(text, NOW) == entry
    assert tokens.find(text, NOW + timedelta(days=1)) is None
    assert tokens.get(entry.token_id, NOW + timedelta(days=1)) is None


@pytest.mark.parametrize("name", ["", "Ana", "a b", "../a", "-a", "a" * 65, "a\n"])
def test_names_are_plain(path: Path, name: str) -> None:
    """They become part of keys and logs."""
    with pytest.raises(KeyholeError, match="no name for a token"):
        make_token(path, "app", name)
    assert not path.exists()


def test_what_is_not_there_cannot_be_revoked(path: Path) -> None:
    """Said, and the file stays as it is."""
    make_token(path, "app", "ana")
    before = path.read_text()
    with pytest.raises(KeyholeError, match="no token `ben`"):
        revoke_tokens(path, "ben")
    assert path.read_text() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "tokens": []}',
        '{"version": 1, "tokens": [{}]}',
        '{"version": 1, "tokens": [{"id": "a", "group": "app", "name": "ana", "made": "2026-11-21T00:00:00+00:00",'
        ' "sha256": ""}]}',
    ],
)
def test_a_file_that_cannot_be_believed_lets_nobody_in(path: Path, text: str) -> None:
    """Neither is it taken for an empty one, nor are the tokens of before still good; a good file is good again."""
    token, _ = make_token(path, "app", "ana")
    good = path.read_text()
    tokens = Tokens(path)
    assert tokens.find(token) is not None
    path.write_text(text)
    for _ in range(2):
        with pytest.raises(KeyholeError, match="no file of tokens"):
            tokens.find(token)
    with pytest.raises(KeyholeError):
        make_token(path, "app", "ben")
    path.write_text(good)
    assert tokens.find(token) is not None


def test_a_file_that_others_may_write_is_not_believed(path: Path) -> None:
    """Whoever writes to it could add a token."""
    make_token(path, "app", "ana")
    path.chmod(0o622)
    with pytest.raises(KeyholeError, match="others may write"):
        Tokens(path).check()


def test_tokens_made_at_the_same_time_are_all_kept(path: Path) -> None:
    """Writers wait for each other."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: make_token(path, "app", f"n{index}"), range(24)))
    assert {entry.name for entry in read_tokens(path)} == {f"n{index}" for index in range(24)}


def test_there_must_be_a_folder(tmp_path: Path) -> None:
    """The hint makes it."""
    with pytest.raises(KeyholeError) as raised:
        make_token(tmp_path / "no" / "tokens.json", "app", "ana")
    assert raised.value.hint == f"mkdir -p {tmp_path / 'no'}"


def test_entries_keep_what_they_are(path: Path) -> None:
    """What is written is what is read."""
    _, entry = make_token(path, "app", "ana", expires=NOW)
    assert read_tokens(path) == (entry,)
    assert set(json.loads(path.read_text())["tokens"][0]) == {"id", "group", "name", "made", "expires", "sha256"}
    assert os.access(path, os.R_OK)
