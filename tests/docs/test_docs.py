"""What the documentation shows is what happens."""

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keyhole.cli.main import app
from keyhole.local.server import LocalAws
from keyhole.spec import load_spec
from local_story import AccountFactory, blueprint_of, run_instance, up

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").glob("*/*.md"))]
EXAMPLE = ROOT / "examples" / "ai-image-community" / "keyhole.toml"


def blocks(language: str) -> list[tuple[str, str]]:
    """Give every block of a language on every page, with an id for the test's name."""
    found = []
    for page in PAGES:
        pieces = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)
        found += [(f"{page.relative_to(ROOT)}-{index}", piece) for index, piece in enumerate(pieces, 1)]
    return found


@pytest.mark.parametrize(("name", "text"), blocks("toml"), ids=[name for name, _ in blocks("toml")])
def test_every_file_that_is_shown_loads(name: str, text: str, tmp_path: Path) -> None:
    """Each TOML block is a whole keyhole.toml without mistakes."""
    file = tmp_path / "keyhole.toml"
    file.write_text(text, "utf-8")
    spec = load_spec(file, "dev" if "[environments" in text else "")
    assert spec.app.name


@pytest.mark.parametrize("page", ["iam.md"])
def test_the_python_that_is_shown_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The blocks of a page run one after the other, as a reader would type them; their assertions hold."""
    names: dict[str, object] = {}
    pieces = [text for name, text in blocks("python") if name.startswith(f"docs/{page}")]
    assert pieces
    for piece in pieces:
        exec(compile(piece, page, "exec"), names)
    assert "does not apply" in capsys.readouterr().out


def test_the_readme_shows_the_example_as_it_is(tmp_path: Path) -> None:
    """The README's file and the example's mean the same."""
    file = tmp_path / "keyhole.toml"
    file.write_text(next(text for name, text in blocks("toml") if name.startswith("README")), "utf-8")
    shown, real = load_spec(file).app, load_spec(EXAMPLE).app
    assert shown == real


def test_every_command_that_is_shown_exists() -> None:
    """Each `keyhole …` line of a shell block names a command and options that there are."""
    lines = [line for _, text in blocks("sh") for line in text.splitlines()]
    shown = {line.partition("#")[0].strip() for line in lines if line.startswith("keyhole ")}
    assert len(shown) > 8
    for line in sorted(shown):
        words = line.split()[1:]
        depth = 2 if words[0] == "local" else 1
        helped = CliRunner().invoke(app, [*words[:depth], "--help"], env={"COLUMNS": "200"})
        assert helped.exit_code == 0, line
        for option in (word for word in words[depth:] if word.startswith("--")):
            assert option in helped.output, line


def test_every_link_between_pages_leads_somewhere() -> None:
    """Relative links name files that are there."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+?)\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_s_capture_is_what_verify_prints(
    local_aws: LocalAws, account: AccountFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal capture is real: `make golden` takes it anew, with ids and times made the same each time."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setattr("keyhole.cli.console.out.width", 126)
    aws = account()
    run_instance(aws)
    assert up(aws, blueprint_of(EXAMPLE)).is_complete
    words = ["verify", "-f", str(EXAMPLE), "--local", "--local-port", str(local_aws.port)]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:41234", result.stdout)
    text = re.sub(r"until \S+", "until 2026-01-01T06:00:00Z", text)
    capture = "$ keyhole verify --local\n" + "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    readme = ROOT / "README.md"
    page = readme.read_text("utf-8")
    pattern = re.compile(r"(<!-- capture: verify -->\n```console\n)(.*?)(```\n)", re.S)
    if os.environ.get("KEYHOLE_GOLDEN") == "write":
        readme.write_text(pattern.sub(lambda found: found[1] + capture + found[3], page), "utf-8")
        page = readme.read_text("utf-8")
    found = pattern.search(page)
    assert found is not None
    assert found[2] == capture, "the README's capture differs: `make golden` takes it anew"
