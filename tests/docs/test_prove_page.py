"""What the page on proofs shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keyhole.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "prove.md").read_text("utf-8")


def test_the_comparison_that_is_shown_is_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Command by command: files are what `cat` shows, and what a command prints is compared."""
    found = re.search(r"<!-- example: compare -->\n```console\n(.*?)```", PAGE, re.S)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("keyhole.cli.console.out.width", 120)
    ran = 0
    for step in re.split(r"^\$ ", found[1], flags=re.M)[1:]:
        command, _, shown = step.partition("\n")
        words = command.split()
        if words[0] == "cat":
            Path(words[1]).write_text(shown, "utf-8")
            continue
        result = CliRunner().invoke(app, words[1:], catch_exceptions=False)
        assert [line.rstrip() for line in result.output.splitlines()] == shown.splitlines()
        ran += 1
    assert ran == 1


def test_the_python_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Its assertions hold, and what it prints is the resource of a request."""
    (piece,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
    exec(compile(piece, "prove.md", "exec"), {})
    assert capsys.readouterr().out.startswith("arn:aws:s3:::masks/")
