"""What a policy says cannot reach out of the place where it is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keyhole.cli.main import app
from keyhole.iam.showing import as_code, printable

HOSTILE = "arn:aws:s3:::b/`x`\n\n# equal\x1b[2J\u202e@all"


@pytest.mark.parametrize("text", ["", "plain é 한", HOSTILE, "\u2028", "\ud7ff\x00\x7f\x9b"])
def test_what_is_shown_is_one_line_that_commands_nothing(text: str) -> None:
    """And what was plain stays as it was."""
    shown = printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()


@pytest.mark.parametrize("text", ["x", "`", "``x`", "a`b``c```", HOSTILE])
def test_code_ends_where_it_ends(text: str) -> None:
    """No run of backticks within is as long as those around it."""
    code = as_code(text)
    fence = code[: len(code) - len(code.lstrip("`"))]
    inner = code[len(fence) : -len(fence)]
    assert code.endswith(fence)
    assert all(len(run) != len(fence) for run in "".join(c if c == "`" else " " for c in inner).split())
    assert "\n" not in code


@pytest.mark.parametrize("style", [(), ("--markdown",)])
def test_a_comparison_shows_what_a_policy_says_and_does_nothing_of_it(tmp_path: Path, style: tuple[str, ...]) -> None:
    """No text of a policy clears a screen or writes a heading into a review."""
    for name, resource in (("new", HOSTILE), ("old", "arn:aws:s3:::b/x")):
        statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
        (tmp_path / name).write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}), "utf-8")
    files = [str(tmp_path / name) for name in ("new", "old")]
    result = CliRunner().invoke(app, ("compare", *files, "--kind", "resource", *style), catch_exceptions=False)
    assert result.exit_code == 1
    assert "\\x1b[2J" in result.output
    assert "\x1b[2J" not in result.output
    assert "\u202e" not in result.output
    assert "\n# equal" not in result.output
