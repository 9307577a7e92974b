"""Learned grants as lines for keyhole.toml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from keyhole.learn.needs import Needed

_ONLY_MISSING = "# list: without it AWS answers 403, not 404, for a key that is not there"


def spec_lines(grants: Iterable[Needed], workload: str, bucket_keys: Mapping[str, str]) -> str:
    """Give the TOML of the grants; a bucket that the file does not have comes first, as a table of its own.

    `bucket_keys` has the file's key of each bucket by the bucket's name.
    """
    needed = tuple(grants)
    keys = dict(bucket_keys)
    tables: list[str] = []
    for name in dict.fromkeys(grant.bucket for grant in needed):
        if name not in keys:
            keys[name] = _new_key(name, set(keys.values()))
            tables.append(f"[buckets.{keys[name]}]\nname = {_string(name)}\n")
    tables += ["\n".join(_grant_lines(grant, workload, keys[grant.bucket])) + "\n" for grant in needed]
    return "\n".join(tables)


def _grant_lines(grant: Needed, workload: str, bucket: str) -> Iterator[str]:
    yield f"[[workloads.{workload}.grants]]"
    yield f"bucket = {_string(bucket)}"
    if grant.prefix:
        yield f"prefix = {_string(grant.prefix)}"
    if grant.only_missing_keys:
        yield _ONLY_MISSING
    yield f"verbs = [{', '.join(map(_string, grant.verbs))}]"


def _new_key(name: str, taken: set[str]) -> str:
    """Give a key for a bucket, as like its name as the spec takes it."""
    base = re.sub(r"[^a-z0-9-]", "-", name.lower())
    base = (base if base[:1].isalpha() else f"b-{base}")[:28].rstrip("-")
    if base not in taken:
        return base
    return next(key for number in range(2, len(taken) + 3) if (key := f"{base}-{number}") not in taken)


def _string(text: str) -> str:
    # A JSON string is a basic string of TOML, as long as no control character is in it: prefixes have none.
    return json.dumps(text, ensure_ascii=False)
