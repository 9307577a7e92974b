"""What a running local AWS leaves for the other commands: where it listens, and the secret its root keys come from.

One file per port, `local-<port>.json`, readable by its owner only.
"""

from __future__ import annotations

import hmac
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from keyhole.errors import KeyholeError


@dataclass(frozen=True, slots=True)
class LocalState:
    """One running local AWS; `master` is fresh with every start."""

    pid: int
    url: str
    port: int
    master: bytes = field(repr=False)


def state_dir() -> Path:
    """Give the folder of the state files: $KEYHOLE_STATE_DIR, else the user's state folder."""
    if override := os.environ.get("KEYHOLE_STATE_DIR"):
        return Path(override)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "keyhole"


def make_state_dir() -> Path:
    """Give the folder of the state files, made if need be, for nobody else to read. Raises: KeyholeError."""
    folder = state_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        hint = "set KEYHOLE_STATE_DIR to a folder that you may write in"
        raise KeyholeError(f"the folder `{folder}` cannot be made: {error.strerror}", hint=hint) from error
    return folder


def admin_token(master: bytes) -> str:
    """Give the bearer token for what only this local AWS's owner may ask of it, by `/_keyhole/`."""
    return hmac.digest(master, b"admin", "sha256").hex()


def events_path(port: int) -> Path:
    """Give where the local AWS on that port writes its events."""
    return state_dir() / f"events-{port}.jsonl"


def write_state(state: LocalState) -> Path:
    """Write the file, whole or not at all, for nobody else to read."""
    folder = make_state_dir()
    document = {"pid": state.pid, "url": state.url, "port": state.port, "master": state.master.hex()}
    # mkstemp creates with mode 0600.
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".local-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file)
    return Path(temporary).replace(_path(state.port))


def read_state(port: int) -> LocalState | None:
    """Give what the local AWS on that port has written; None where there is none, or it is not readable as such."""
    try:
        found = json.loads(_path(port).read_text(encoding="utf-8"))
        return LocalState(int(found["pid"]), str(found["url"]), int(found["port"]), bytes.fromhex(found["master"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_state(port: int, pid: int) -> None:
    """Remove the file if it is still the one that `pid` wrote."""
    found = read_state(port)
    if found and found.pid == pid:
        _path(port).unlink(missing_ok=True)


def _path(port: int) -> Path:
    return state_dir() / f"local-{port}.json"
