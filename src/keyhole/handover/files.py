"""Files with a secret in them: for their owner alone, replaced as a whole or not at all, never through a stray link."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from keyhole.errors import KeyholeError

MODE = 0o600


def check_file(path: Path) -> None:
    """Return if a file can be put here: into a folder that takes it, over nothing but a plain file.

    Raises: KeyholeError.
    """
    folder = path.parent
    if path.is_symlink() and folder.resolve() not in path.resolve().parents:
        raise KeyholeError(
            f"`{path}` is a link to `{path.resolve()}`: a key is not written through it",
            hint="name the file itself, or take the link away",
        )
    if path.exists() and not path.is_file():
        raise KeyholeError(f"`{path}` is {_what(path)}, not a file", hint="name a file in it")
    if not folder.is_dir():
        raise KeyholeError(f"there is no folder `{folder}` to write `{path.name}` into", hint=f"mkdir -p {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise KeyholeError(f"folder `{folder}` takes no file from you", hint=f"chmod u+wx {folder}")
    if path.exists() and not os.access(path, os.R_OK):
        raise KeyholeError(f"`{path}` may not be read, and its other lines are to be kept", hint=f"chmod u+r {path}")


def _what(path: Path) -> str:
    return "a folder" if path.is_dir() else "a device or pipe"


def read_text(path: Path) -> str:
    """Give what is in the file, "" if there is none. Raises: KeyholeError."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise KeyholeError(f"`{path}` is not UTF-8 at byte {error.start}", hint="save it as UTF-8") from None
    except OSError as error:
        raise KeyholeError(f"`{path}` cannot be read: {_reason(error)}") from None


def is_private(path: Path) -> bool:
    """Hold iff nobody but the owner has any right to the file."""
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 if path.exists() else False


def is_tracked(path: Path) -> bool:
    """Hold iff git tracks the file: what is written to it would be committed."""
    git = shutil.which("git")
    if git is None or not path.exists():
        return False
    command = [git, "-C", str(path.parent), "ls-files", "--error-unmatch", "--", path.name]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=10).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False


@dataclass(slots=True)
class StagedFile:
    """A file's new content, complete on disk beside it, and not yet in its place.

    `before` is what was there, None if nothing was; it never leaves memory.
    """

    path: Path
    staged: Path
    before: bytes | None = field(default=None, repr=False)
    is_in_place: bool = False

    def commit(self) -> None:
        """Put it in its place. Raises: KeyholeError."""
        try:
            self.before = self.path.read_bytes() if self.path.exists() else None
            self.staged.replace(self.path)
        except OSError as error:
            raise KeyholeError(f"`{self.path}` cannot be written: {_reason(error)}") from None
        self.is_in_place = True

    def undo(self) -> None:
        """Make it as it was before, as far as that is possible."""
        with suppress(OSError):
            self.staged.unlink(missing_ok=True)
        if not self.is_in_place:
            return
        with suppress(OSError, KeyholeError):
            if self.before is None:
                self.path.unlink(missing_ok=True)
            else:
                stage_file(self.path, self.before.decode("utf-8")).commit()


def stage_file(path: Path, text: str) -> StagedFile:
    """Write the text to disk beside the file, for its owner alone. Raises: KeyholeError, and nothing is left."""
    target = path.resolve() if path.is_symlink() else path
    staged: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent)
        staged = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), MODE)
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if staged is not None:
            staged.unlink(missing_ok=True)
        raise KeyholeError(f"`{path}` cannot be written: {_reason(error)}") from None
    return StagedFile(target, staged)


def replace_file(path: Path, text: str) -> None:
    """Replace the file's content as a whole; without content it is deleted. Raises: KeyholeError."""
    if text.strip():
        staged = stage_file(path, text)
        try:
            staged.commit()
        except KeyholeError:
            staged.undo()
            raise
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise KeyholeError(f"`{path}` cannot be deleted: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
