"""The rules of the house that no linter knows."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def tracked(*patterns: str) -> list[Path]:
    """Give the files that git tracks (or would), by pattern."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_no_file_is_longer_than_one_purpose_needs() -> None:
    """400 lines at most."""
    files = tracked("*.py", "*.js", "*.css", "*.ts")
    assert len(files) > 100
    too_long = {
        str(file.relative_to(ROOT)): n for file in files if (n := len(file.read_text("utf-8").splitlines())) > 400
    }
    assert too_long == {}


def test_locked_dependencies_name_no_address_and_all_have_hashes() -> None:
    """Name, version and hash: whatever index a machine is set up for serves them."""
    for lock in tracked("requirements/*.lock"):
        text = lock.read_text("utf-8")
        assert "://" not in text
        pinned = re.findall(r"^\S+==\S+", text, re.M)
        assert pinned
        entries = re.split(r"\n(?=\S)", text.strip())
        assert [entry.split("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_locked_javascript_names_no_address_and_all_has_hashes() -> None:
    """The same of packages: nothing says from where they come."""
    for lock in tracked("*package-lock.json"):
        text = lock.read_text("utf-8")
        assert "://" not in text
        packages = {name: package for name, package in json.loads(text)["packages"].items() if name}
        assert packages
        assert [name for name, package in packages.items() if "integrity" not in package] == []


def test_no_committed_file_has_a_path_of_some_machine() -> None:
    """Home and work directories of whoever wrote a file are nobody else's."""
    pattern = re.compile(r"(?<![\w.:/-])/(?:home|root|Users|work)/[\w.-]+/")
    found = []
    for file in tracked():
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{file.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def test_every_test_and_every_module_says_what_it_is_about() -> None:
    """Public modules have a docstring; so has every test."""
    import ast

    silent = []
    for file in tracked("src/*.py", "tests/*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        if file.is_relative_to(ROOT / "src") and ast.get_docstring(tree) is None:
            silent.append(str(file.relative_to(ROOT)))
        for node in ast.walk(tree):
            is_test = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
            if is_test and ast.get_docstring(node) is None:  # type: ignore[arg-type]
                silent.append(f"{file.relative_to(ROOT)}::{node.name}")  # type: ignore[attr-defined]
    assert silent == []
