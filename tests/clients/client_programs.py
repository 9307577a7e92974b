"""Other people's programs, run against the local AWS as they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from keyhole.local.root_keys import Credentials

TIMEOUT_S = 120
_JAVASCRIPT = Path(__file__).parent / "js"


def environment(url: str, keys: Credentials | None = None, region: str = "us-east-1") -> dict[str, str]:
    """Give the environment of a program that uses the local AWS, with these keys or with none."""
    values = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    values |= {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
    }
    if keys:
        values |= {"AWS_ACCESS_KEY_ID": keys.access_key_id, "AWS_SECRET_ACCESS_KEY": keys.secret_access_key}
        if keys.session_token:
            values["AWS_SESSION_TOKEN"] = keys.session_token
    return values


def run(command: list[str], env: Mapping[str, str], folder: Path, *, fails: bool = False) -> str:
    """Run a program to its end, and give what it said; it must end well, or badly where it is to fail."""
    done = subprocess.run(
        command, env=dict(env), cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    said = done.stdout + done.stderr
    assert (done.returncode != 0) is fails, f"{' '.join(command)} ended with {done.returncode}:\n{said}"
    return said


def beside_python(name: str) -> str:
    """Give a program that the virtual environment has, such as `aws` or `node`."""
    found = Path(sys.executable).parent / name
    if not found.exists():
        pytest.skip(f"NOT TESTED: there is no `{name}` beside this Python; `make setup` brings it")
    return str(found)


def on_path(name: str, why: str) -> str:
    """Give a program of this machine, or skip the test loudly."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"NOT TESTED: there is no `{name}` on this machine, so {why}")
    return found


def node_script(name: str) -> list[str]:
    """Give the command that runs one of the scripts in `js/`."""
    if not (_JAVASCRIPT / "node_modules").is_dir():
        pytest.skip("THE JAVASCRIPT SDK IS NOT TESTED: its packages are not installed; `make test` does it")
    return [beside_python("node"), str(_JAVASCRIPT / name)]
