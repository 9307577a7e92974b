"""Reaching the local AWS from the other commands; it is started in the background if it does not run."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.cli.console import say
from keyhole.cli.next_commands import port_flag
from keyhole.errors import KeyholeError
from keyhole.local.port_holder import find_holder
from keyhole.local.root_keys import DEFAULT_ACCOUNT, root_credentials
from keyhole.local.state import LocalState, admin_token, make_state_dir, read_state, state_dir

START_TIMEOUT_S = 20.0
ADMIN_TIMEOUT_S = 30.0


def connect_local(region: str, port: int, account: str | None) -> BotocoreAws:
    """Give the local AWS on this port with the root credentials of an account. Raises: KeyholeError."""
    state = running(port)
    if state is None:
        _check_free(port)
        state = start_in_background(port)
    return BotocoreAws(region, credentials=account_credentials(state, account), endpoint_url=state.url)


def account_credentials(state: LocalState, account: str | None) -> Credentials:
    """Give the root credentials of an account of a running local AWS."""
    try:
        root = root_credentials(state.master, account or DEFAULT_ACCOUNT)
    except ValueError:
        raise KeyholeError(f"`{account}` is no account id", hint="it has 12 digits") from None
    return Credentials(root.access_key_id, root.secret_access_key)


def require_running(port: int) -> LocalState:
    """Give the local AWS on this port. Raises: KeyholeError with how to get at one."""
    state = running(port)
    if state is None:
        _check_free(port)
        raise KeyholeError(f"no local AWS runs on port {port}", hint="start one: `keyhole local start`")
    return state


def running(port: int) -> LocalState | None:
    """Give the state of the local AWS on this port if one answers there."""
    state = read_state(port)
    status = fetch_status(port)
    if state is None or status is None or status.get("pid") != state.pid:
        return None
    return state


def _check_free(port: int) -> None:
    """Return if nobody listens on the port. Raises: KeyholeError that says who does."""
    if (status := fetch_status(port)) is not None:
        raise KeyholeError(
            f"a local AWS runs on port {port} (process {status.get('pid')}), but its keys are not in {state_dir()}",
            hint="it was started by another user, or with another KEYHOLE_STATE_DIR: set the same here",
        )
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            holder = find_holder(port)
            raise KeyholeError(
                f"port {port} is taken by another program{f' ({holder})' if holder else ''}, so no local AWS can start "
                "there",
                hint=f"choose another: `--local-port {port + 1 if port < 65535 else 4567}`",
            )


def fetch_status(port: int) -> dict[str, object] | None:
    """Give what the local AWS on this port says about itself, None if none answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_keyhole/status", timeout=5) as answer:
            status: dict[str, object] = json.load(answer)
            return status if isinstance(status, dict) and "keyhole" in status else None
    except (urllib.error.URLError, OSError, ValueError):
        return None


def ask_admin(state: LocalState, method: str, path: str) -> None:
    """Have a running local AWS do what only its owner may ask for. Raises: KeyholeError where it does not."""
    request = urllib.request.Request(  # noqa: S310 - the URL is that of our own state file
        f"{state.url}/_keyhole/{path}",
        data=b"",
        method=method,
        headers={"Authorization": f"Bearer {admin_token(state.master)}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=ADMIN_TIMEOUT_S):  # noqa: S310 - as above
            pass
    except (urllib.error.URLError, OSError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        hint = "`keyhole local status` tells whether it runs"
        raise KeyholeError(f"the local AWS at {state.url} did not do it: {reason}", hint=hint) from error


def start_in_background(port: int) -> LocalState:
    """Start a local AWS that outlives this command. Raises: KeyholeError with what it said if it does not come up."""
    folder = make_state_dir()
    log = folder / f"local-{port}.log"
    command = [sys.executable, "-m", "keyhole.cli.main", "local", "start", "--port", str(port)]
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if state := running(port):
            stop = f"keyhole local stop{port_flag(port)}"
            say(f"[dim]started a local AWS at {state.url}; `{stop}` ends it, and everything in it[/]")
            return state
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip()
            raise KeyholeError(f"the local AWS did not start: {said}", hint=f"its output is in {log}")
        time.sleep(0.05)
    process.terminate()
    raise KeyholeError(f"the local AWS did not answer within {START_TIMEOUT_S:.0f} s", hint=f"its output is in {log}")
