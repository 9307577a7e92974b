"""Reaching the local AWS from the other commands; it is started in the background if it does not run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.cli.console import say
from keyhole.errors import KeyholeError
from keyhole.local.credentials import DEFAULT_ACCOUNT, root_credentials
from keyhole.local.state import LocalState, read_state, state_dir

START_TIMEOUT_S = 20.0


def connect_local(region: str, port: int, account: str | None) -> BotocoreAws:
    """Give the local AWS on this port with the root credentials of an account. Raises: KeyholeError."""
    state = running(port) or start_in_background(port)
    return BotocoreAws(region, credentials=account_credentials(state, account), endpoint_url=state.url)


def account_credentials(state: LocalState, account: str | None) -> Credentials:
    """Give the root credentials of an account of a running local AWS."""
    root = root_credentials(state.master, account or DEFAULT_ACCOUNT)
    return Credentials(root.access_key_id, root.secret_access_key)


def running(port: int) -> LocalState | None:
    """Give the state of the local AWS on this port if one answers there."""
    state = read_state(port)
    status = fetch_status(port)
    if state is None or status is None or status.get("pid") != state.pid:
        return None
    return state


def fetch_status(port: int) -> dict[str, object] | None:
    """Give what the local AWS on this port says about itself, None if none answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_keyhole/status", timeout=5) as answer:
            status: dict[str, object] = json.load(answer)
            return status if isinstance(status, dict) and "keyhole" in status else None
    except (urllib.error.URLError, OSError, ValueError):
        return None


def start_in_background(port: int) -> LocalState:
    """Start a local AWS that outlives this command. Raises: KeyholeError with what it said if it does not come up."""
    folder = state_dir()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = folder / f"local-{port}.log"
    command = [sys.executable, "-m", "keyhole.cli.main", "local", "start", "--port", str(port)]
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if state := running(port):
            say(f"[dim]started a local AWS at {state.url}; `keyhole local stop` ends it, and everything in it[/]")
            return state
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip()
            raise KeyholeError(f"the local AWS did not start: {said}", hint="choose another port: `--port 4567`")
        time.sleep(0.05)
    process.terminate()
    raise KeyholeError(f"the local AWS did not answer within {START_TIMEOUT_S:.0f} s", hint=f"its output is in {log}")
