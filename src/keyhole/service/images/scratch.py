"""A folder for temporary files that does not outlive its process: the next one removes what a killed one left."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "keyhole-images-"
_LOCK = "lock"


class Scratch:
    """A folder of this process alone. It holds a lock for as long as it lives, by which others see that it does."""

    def __init__(self, parent: Path | None = None) -> None:
        above = parent or Path(tempfile.gettempdir())
        remove_left_over(above)
        # locked before it has its name: by that name others look for what nobody holds
        unnamed = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=above))
        self._lock = os.open(unnamed / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = unnamed.rename(above / unnamed.name.removeprefix("."))

    def make_directory(self) -> Path:
        """Give a new folder, which only this user may read."""
        return Path(tempfile.mkdtemp(dir=self.path))

    def remove(self) -> None:
        """Remove the folder with all that is in it; nothing happens the second time."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


def remove_left_over(above: Path) -> None:
    """Remove the folders of processes that are gone: nobody holds their locks."""
    for found in above.glob(f"{_PREFIX}*"):
        try:
            if found.is_symlink() or found.stat().st_uid != os.getuid():
                continue
            lock = os.open(found / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # another user's, or gone this moment
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(found, ignore_errors=True)
        except OSError:
            pass
        finally:
            os.close(lock)
