"""Building the page: once, anew when its sources change, and with a page that says so where no registry is in reach."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_OUT = Path("src/keyhole/service/page")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a page, and with programs of its own in place of npm and Vite, which note that they ran."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(_ROOT / "scripts" / "build-page.sh", tmp_path / "scripts")
    (tmp_path / "page" / "src").mkdir(parents=True)
    shutil.copy(_ROOT / "page" / "unbuilt.html", tmp_path / "page")
    (tmp_path / "page" / "package-lock.json").write_text("{}")
    (tmp_path / "page" / "src" / "main.tsx").write_text("")
    _set_program(tmp_path, "npm", "mkdir -p node_modules")
    _set_program(tmp_path, "npx", f"mkdir -p ../{_OUT}; echo built > ../{_OUT}/index.html")
    _age(tmp_path)
    return tmp_path


def _set_program(project: Path, name: str, script: str) -> None:
    program = project / ".venv" / "bin" / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\necho {name} >>"{project}/ran"\n{script}\n')
    program.chmod(0o755)


def _age(project: Path) -> None:
    """Let everything be from a while ago, as a checkout is."""
    for path in [project / "page", *project.joinpath("page").rglob("*")]:
        os.utime(path, (1_700_000_000, 1_700_000_000))


def _build(project: Path, code: int = 0) -> tuple[str, list[str]]:
    """Build; give what was said, and which programs ran."""
    ran = project / "ran"
    ran.write_text("")
    command = ["sh", "scripts/build-page.sh"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert done.stderr == ""
    return done.stdout, ran.read_text().split()


def test_what_is_built_is_not_built_again(project: Path) -> None:
    """The second time nothing runs and nothing is said."""
    said, ran = _build(project)
    assert ran == ["npm", "npx"]
    assert "building the upload page" in said
    assert (project / _OUT / "index.html").read_text() == "built\n"
    assert _build(project) == ("", [])


@pytest.mark.parametrize("change", ["edit", "remove"])
def test_a_change_is_built_with_the_packages_that_are_there(project: Path, change: str) -> None:
    """A source that was edited or taken away is a change; the packages are installed once."""
    _build(project)
    os.utime(project / _OUT / ".built", (1_700_000_001, 1_700_000_001))
    source = project / "page" / "src" / "main.tsx"
    if change == "edit":
        source.write_text("anew")
    else:
        source.unlink()
    assert _build(project)[1] == ["npx"]


def test_without_a_registry_the_page_says_so(project: Path) -> None:
    """It is no failure of the set-up; what to do is said loudly; the next time it is tried again."""
    _set_program(project, "npm", "echo network is unreachable >&2; exit 1")
    for _ in range(2):
        said, ran = _build(project)
        assert ran == ["npm"]
        assert "network is unreachable" in said
        assert "THE UPLOAD PAGE IS NOT BUILT" in said
    assert "The page is not built" in (project / _OUT / "index.html").read_text("utf-8")
    _set_program(project, "npm", "mkdir -p node_modules")
    assert _build(project)[1] == ["npm", "npx"]
    assert (project / _OUT / "index.html").read_text() == "built\n"


def test_a_page_of_before_stays_where_there_is_no_registry(project: Path) -> None:
    """An older page is better than none, and it is said that it is older."""
    _build(project)
    os.utime(project / "page" / "package-lock.json")
    os.utime(project / _OUT / ".built", (1_700_000_001, 1_700_000_001))
    os.utime(project / "page" / "node_modules" / ".installed", (1_700_000_001, 1_700_000_001))
    _set_program(project, "npm", "exit 1")
    assert "the page of an earlier build" in _build(project)[0]
    assert (project / _OUT / "index.html").read_text() == "built\n"


def test_sources_that_do_not_build_fail_the_set_up(project: Path) -> None:
    """With what the build said."""
    _set_program(project, "npx", "echo main.tsx is wrong; exit 1")
    said, _ = _build(project, 1)
    assert "main.tsx is wrong" in said
    assert not (project / _OUT / ".built").exists()


def test_the_locked_packages_name_no_address_and_all_have_hashes() -> None:
    """Name, version and hash: whatever registry a machine is set up for serves them."""
    lock = json.loads((_ROOT / "page" / "package-lock.json").read_text("utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 30
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "sha512-" not in package.get("integrity", "")] == []
