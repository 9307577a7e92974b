"""Files with a secret in them: whole or not at all, for their owner alone, where the user said and nowhere else."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from keyhole.errors import KeyholeError
from keyhole.handover.files import check_file, is_private, is_tracked, replace_file, stage_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_as_a_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    """Nothing is seen before it is complete; then it is there, with mode 0600, and nothing beside it."""
    file = tmp_path / "app.env"
    file.write_text("OLD=1\n", "utf-8")
    file.chmod(0o644)
    staged = stage_file(file, "NEW=1\n")
    assert file.read_text("utf-8") == "OLD=1\n"
    assert staged.staged.stat().st_mode & 0o777 == 0o600
    staged.commit()
    assert (file.read_text("utf-8"), is_private(file), names(tmp_path)) == ("NEW=1\n", True, ["app.env"])
    assert "OLD" not in repr(staged)


def test_what_was_put_in_place_can_be_taken_back(tmp_path: Path) -> None:
    """The content of before comes back; where there was no file, there is none again."""
    file, new = tmp_path / "app.env", tmp_path / "new.env"
    file.write_text("OLD=1\n", "utf-8")
    for path in (file, new):
        staged = stage_file(path, "NEW=1\n")
        staged.commit()
        staged.undo()
    assert file.read_text("utf-8") == "OLD=1\n"
    assert names(tmp_path) == ["app.env"]


def test_a_file_without_content_goes(tmp_path: Path) -> None:
    """Nothing is left where all was ours, and that it is gone already is just as well."""
    file = tmp_path / "app.env"
    replace_file(file, "A=1\n")
    replace_file(file, "\n")
    replace_file(file, "")
    assert names(tmp_path) == []


def test_where_no_key_may_go_is_refused(tmp_path: Path) -> None:
    """A folder, a pipe, a link to elsewhere, a folder that is not there: each says what to do."""
    outside, inside = tmp_path / "outside", tmp_path / "project"
    outside.mkdir()
    inside.mkdir()
    (outside / "stolen.env").write_text("", "utf-8")
    (inside / "link.env").symlink_to(outside / "stolen.env")
    (inside / "dangling.env").symlink_to(outside / "nothing.env")
    os.mkfifo(inside / "pipe")
    for name, message in (
        (".", "is a folder"),
        ("pipe", "is a device or pipe"),
        ("link.env", "is a link to"),
        ("dangling.env", "is a link to"),
        ("none/app.env", "there is no folder"),
    ):
        with pytest.raises(KeyholeError, match=message):
            check_file(inside / name)
    (inside / "real.env").write_text("", "utf-8")
    (inside / "near.env").symlink_to(inside / "real.env")
    check_file(inside / "near.env")
    stage_file(inside / "near.env", "A=1\n").commit()
    assert (inside / "near.env").is_symlink()
    assert (inside / "real.env").read_text("utf-8") == "A=1\n"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_file_that_git_tracks_is_known(tmp_path: Path) -> None:
    """Tracked is what is in git's index; what is only there is not."""
    (tmp_path / "app.env").write_text("A=1\n", "utf-8")
    assert not is_tracked(tmp_path / "app.env")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert not is_tracked(tmp_path / "app.env")
    subprocess.run(["git", "-C", str(tmp_path), "add", "app.env"], check=True)
    assert is_tracked(tmp_path / "app.env")
