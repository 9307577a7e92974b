"""API tokens: whoever holds one is a caller. The file has their hashes alone.

A token's secret is 256 random bits. SHA-256 of it is enough: the slow hashes made for passwords defend what can be
guessed, and would only make every request slow here.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keyhole.errors import KeyholeError
from keyhole.handover.files import replace_file

FILE_NAME = "keyhole.tokens.json"
_VERSION = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_ALPHABET = string.digits + string.ascii_letters
_SECRET_DIGITS = 43  # of 62: 256 bits
_TOKEN = re.compile(rf"kh_([0-9a-f]{{12}})_[0-9A-Za-z]{{{_SECRET_DIGITS}}}\Z")
_OTHERS_MAY_WRITE = 0o022


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """What is kept of a token. `expires` is None for one that lives until it is revoked."""

    token_id: str
    group: str
    name: str
    made: datetime
    expires: datetime | None = None
    sha256: str = field(default="", repr=False)

    def is_alive(self, now: datetime) -> bool:
        """Hold iff it has not expired."""
        return self.expires is None or now < self.expires


def check_name(name: str) -> None:
    """Return if a token may have this name. Raises: KeyholeError."""
    if not _NAME.match(name):
        raise KeyholeError(
            f"`{name[:80]}` is no name for a token",
            hint="use a to z, 0 to 9, `.`, `_` and `-`, at most 64, beginning with a letter or digit",
        )


def make_token(path: Path, group: str, name: str, *, expires: datetime | None = None) -> tuple[str, TokenEntry]:
    """Add a token to the file and give it: this is the only time that anyone sees it. Raises: KeyholeError.

    A name that has a token already gets another: both are the same caller, so that one can replace the other.
    """
    check_name(name)
    token_id = secrets.token_hex(6)
    text = f"kh_{token_id}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_DIGITS))
    made = datetime.now(UTC).replace(microsecond=0)
    entry = TokenEntry(token_id, group, name, made, expires, _hash(text))
    with _hold(path):
        _write(path, (*read_tokens(path), entry))
    return text, entry


def revoke_tokens(path: Path, which: str) -> tuple[TokenEntry, ...]:
    """Take the token of this id, or all of this name, out of the file, and give them. Raises: KeyholeError."""
    with _hold(path):
        entries = read_tokens(path)
        gone = tuple(entry for entry in entries if which in {entry.token_id, entry.name})
        if not gone:
            raise KeyholeError(f"there is no token `{which[:80]}`", hint="`keyhole token --list` shows what there is")
        _write(path, tuple(entry for entry in entries if entry not in gone))
    return gone


def read_tokens(path: Path) -> tuple[TokenEntry, ...]:
    """Give what the file has, nothing where there is none. Raises: KeyholeError where it cannot be believed."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS_MAY_WRITE:
                raise KeyholeError(f"others may write to `{path}`, and add tokens", hint=f"chmod go-w {path}")
            text = file.read()
    except FileNotFoundError:
        return ()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise KeyholeError(f"the tokens in `{path}` cannot be read: {reason}") from None
    try:
        found = json.loads(text)
        if found["version"] != _VERSION:
            raise ValueError("version")
        return tuple(_read_entry(item) for item in found["tokens"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyholeError(
            f"`{path}` is no file of tokens", hint="only `keyhole token` writes it: restore it, or make tokens anew"
        ) from None


class Tokens:
    """The tokens of a file as a running service sees them: read again whenever the file has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._entries: Mapping[str, TokenEntry] = {}

    def find(self, text: str, now: datetime | None = None) -> TokenEntry | None:
        """Give the entry of this token, None for any other text. Raises: KeyholeError where the file is unreadable."""
        match = _TOKEN.match(text)
        entry = self.get(match[1], now) if match else None
        # What is compared takes as long for an id that there is as for one that there is not.
        is_right = hmac.compare_digest(_hash(text), entry.sha256 if entry else _hash(""))
        return entry if is_right else None

    def get(self, token_id: str, now: datetime | None = None) -> TokenEntry | None:
        """Give the entry of this id, if it is still there and alive. Raises: KeyholeError."""
        self._refresh()
        entry = self._entries.get(token_id)
        return entry if entry is not None and entry.is_alive(now or datetime.now(UTC)) else None

    def check(self) -> int:
        """Give how many tokens there are. Raises: KeyholeError where the file cannot be believed."""
        self._refresh()
        return len(self._entries)

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except FileNotFoundError:
            seen = (0, 0, 0)
        except OSError as error:
            raise KeyholeError(f"the tokens in `{self._path}` cannot be read: {error.strerror}") from None
        if seen != self._seen:
            self._seen = None  # an unreadable file lets nobody in, and is tried again
            self._entries = {entry.token_id: entry for entry in read_tokens(self._path)}
            self._seen = seen


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read_entry(item: Any) -> TokenEntry:
    entry = TokenEntry(
        token_id=str(item["id"]),
        group=str(item["group"]),
        name=str(item["name"]),
        made=datetime.fromisoformat(item["made"]),
        expires=datetime.fromisoformat(item["expires"]) if item.get("expires") else None,
        sha256=str(item["sha256"]),
    )
    has_zone = all(moment is None or moment.tzinfo is not None for moment in (entry.made, entry.expires))
    if not has_zone or not _NAME.match(entry.name) or not re.fullmatch(r"[0-9a-f]{64}", entry.sha256):
        raise ValueError("entry")
    return entry


def _write(path: Path, entries: tuple[TokenEntry, ...]) -> None:
    items = [
        {
            "id": entry.token_id,
            "group": entry.group,
            "name": entry.name,
            "made": entry.made.isoformat(),
            **({"expires": entry.expires.isoformat()} if entry.expires else {}),
            "sha256": entry.sha256,
        }
        for entry in entries
    ]
    replace_file(path, json.dumps({"version": _VERSION, "tokens": items}, indent=2) + "\n")


@contextmanager
def _hold(path: Path) -> Iterator[None]:
    """Keep others from changing the file meanwhile; the lock is the folder's, so that nothing is left over."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise KeyholeError(
            f"there is no folder `{path.parent}` to write `{path.name}` into", hint=f"mkdir -p {path.parent}"
        ) from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
