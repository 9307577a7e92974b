"""Which process listens on a port of this machine, as far as its owner may see.

Linux: proc(5), /proc/net/tcp and /proc/pid/fd.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

_LISTEN = "0A"
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


def find_holder(port: int) -> str:
    """Give `process 4711, python3` for who listens there, "" where that is not to be seen."""
    sockets = {f"socket:[{inode}]" for table in _TABLES for inode in _listening(table, port)}
    if not sockets:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        if sockets & _handles(process):
            return f"process {process.name}, {_name(process)}"
    return ""


def _handles(process: Path) -> set[str]:
    found = set()
    # A process may be another user's, or end meanwhile, as may a handle.
    with contextlib.suppress(OSError):
        for handle in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(handle.readlink()))
    return found


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text("utf-8").strip()
    except OSError:
        return "ended since"


def _listening(table: Path, port: int) -> list[str]:
    try:
        rows = [line.split() for line in table.read_text("ascii").splitlines()[1:]]
    except OSError:
        return []
    return [row[9] for row in rows if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port]
