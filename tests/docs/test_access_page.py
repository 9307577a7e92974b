"""What the page on proofs shows of openness is what comes out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keyhole.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "prove.md").read_text("utf-8")


def test_the_openness_that_is_shown_is_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is what `cat` shows, and what the command prints is compared."""
    pattern = r"<!-- example: public -->\n```console\n\$ cat (\S+)\n(.*?)^\$ keyhole (.*?)\n(.*?)```"
    found = re.search(pattern, PAGE, re.S | re.M)
    assert found is not None
    file, text, words, shown = found.groups()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("keyhole.cli.console.out.width", 120)
    Path(file).write_text(text, "utf-8")
    result = CliRunner().invoke(app, words.split(), catch_exceptions=False)
    assert [line.rstrip() for line in result.output.splitlines()] == shown.splitlines()
    assert result.exit_code == 1
