"""An example, used by the command line in a copy of its folder, against the running local AWS."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from keyhole.cli.main import app
from keyhole.local.server import LocalAws

TIMEOUT_S = 120


def program(name: str, why: str) -> str:
    """Give a program of this machine, or skip the test loudly."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"NOT TESTED: there is no `{name}` on this machine, so {why}")
    return found


def run_program(command: list[str], folder: Path, env: Mapping[str, str], *, fails: bool = False) -> str:
    """Run a program to its end, and give what it said; it must end well, or badly where it is to fail."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    said = done.stdout + done.stderr
    assert (done.returncode != 0) is fails, f"{' '.join(command)} ended with {done.returncode}:\n{said}"
    return said


class ExampleCopy:
    """A copy of an example's folder, and `keyhole` on its file; every command must end with `code`."""

    def __init__(self, example: Path, folder: Path, local_aws: LocalAws) -> None:
        self.folder = folder / example.name
        made_there = shutil.ignore_patterns("node_modules", ".env", "*_accessKeys.csv")
        shutil.copytree(example, self.folder, ignore=made_there)
        self.file = self.folder / "keyhole.toml"
        self._local_port = str(local_aws.port)

    def run(self, command: str, *words: str, code: int = 0) -> Result:
        """Run one command on the example in the local AWS."""
        where = ("-f", str(self.file), *(() if command == "run" else ("--local",)), "--local-port", self._local_port)
        result = CliRunner().invoke(app, (command, *where, *words), catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    def change(self, before: str, after: str) -> None:
        """Change the spec in one place."""
        text = self.file.read_text("utf-8")
        assert text.count(before) == 1
        self.file.write_text(text.replace(before, after), "utf-8")
