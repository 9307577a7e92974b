"""What of a hand-over does not agree with the rest of the file: buckets that are not there, files that two write."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from keyhole.spec.fields import PLACEHOLDER
from keyhole.spec.handover import BUCKETS
from keyhole.spec.positions import Path

Found = tuple[Path, str, str]
Tables = Mapping[str, dict[str, Any]]
PLACES = ("env_file", "toml_file", "csv_file", "secret")


def handover_mistakes(workloads: Tables, buckets: Tables) -> Iterator[Found]:
    """Give what no workload's own table shows."""
    seen: dict[tuple[bool, str], str] = {}
    for name, workload in workloads.items():
        handover = workload.get("handover")
        if not isinstance(handover, dict):
            continue
        for key in PLACES:
            value = handover.get(key)
            if not isinstance(value, str):
                continue
            target = (key == "secret", value if key == "secret" else posixpath.normpath(value))
            other = seen.setdefault(target, name)
            if other != name:
                path: Path = ("workloads", name, "handover", key)
                yield (
                    path,
                    f"workloads `{other}` and `{name}` both hand their key over in `{value}`",
                    "give each its own",
                )
        for path, value in _values(handover):
            yield from _buckets(("workloads", name, "handover", *path), value, name, workload, buckets)


def _values(handover: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    env, toml = handover.get("env"), handover.get("toml")
    for variable, value in env.items() if isinstance(env, dict) else ():
        if isinstance(value, str):
            yield ("env", variable), value
    for table, keys in toml.items() if isinstance(toml, dict) else ():
        for key, value in keys.items() if isinstance(keys, dict) else ():
            if isinstance(value, str):
                yield ("toml", table, key), value


def _buckets(path: Path, value: str, name: str, workload: Mapping[str, Any], buckets: Tables) -> Iterator[Found]:
    listed = workload.get("grants")
    granted = {grant.get("bucket") for grant in (listed if isinstance(listed, list) else []) if isinstance(grant, dict)}
    known = ", ".join(f"`{{{BUCKETS}{bucket}}}`" for bucket in buckets)
    for placeholder in PLACEHOLDER.findall(value):
        if placeholder == "bucket" and len(granted) != 1:
            how_many = "grants on several buckets" if granted else "no grants"
            hint = f"say which: {known}" if known else "add a bucket to the file"
            yield path, f"`{{bucket}}` is not clear: workload `{name}` has {how_many}", hint
        if placeholder.startswith(BUCKETS) and placeholder.removeprefix(BUCKETS) not in buckets:
            hint = f"the file has {known}" if known else "the file has no `[buckets.…]` yet: add one"
            yield path, f"`{{{placeholder}}}` names no bucket of this file", hint
