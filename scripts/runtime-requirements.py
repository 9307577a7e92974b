"""Print those entries of a lock file that Keyhole needs to run, with their hashes: what tests and tools need stays out.

    .venv/bin/python scripts/runtime-requirements.py requirements/dev.lock

It follows what the installed packages say that they need, on the system and the Python that it runs on.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_NAME = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def read_lock(text: str) -> dict[str, str]:
    """Give each package's entry, with the lines of its hashes, by its name."""
    starts = [match.start() for match in _NAME.finditer(text)]
    entries = [text[start:end].strip() for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return {canonicalize_name(entry.partition("==")[0]): entry for entry in entries}


def find_needed(package: str) -> set[str]:
    """Give the names of all packages that this one needs, and those that they need."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(package), frozenset[str]())]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for text in requires(name) or ():
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras or {""}):
                waiting.append((canonicalize_name(need.name), frozenset(need.extras)))
    return {name for name, _ in seen} - {canonicalize_name(package)}


def main() -> None:
    """Print the entries; fail if the lock has not all of them."""
    entries = read_lock(Path(sys.argv[1]).read_text("utf-8"))
    needed = find_needed("keyhole")
    missing = sorted(needed - set(entries))
    if missing:
        sys.exit(f"{sys.argv[1]} has no entry for {', '.join(missing)}: make lock")
    sys.stdout.writelines(f"{entries[name]}\n" for name in sorted(needed))


if __name__ == "__main__":
    main()
