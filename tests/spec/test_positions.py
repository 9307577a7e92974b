import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhole.spec.positions import Path, find_positions

TEXT = '''\
# a comment
[app]
name = "x"          # trailing [not a table]
"quoted key" = 1

[buckets.images]
public_read = [
  "a/",             # with ] and } in a comment
  "b]/",
]
lifecycle = [ { expire_days = 3 },
              { abort_multipart_days = 4 } ]

[[workloads.api.grants]]
bucket = "images"
[[workloads.api.grants]]
verbs = ["read"]

[workloads.web]
kind = "ec2"
dotted.key = """
several = "lines"
[not.a.table]
"""
last = { a = 1, b = 2 }
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("app",), 2),
        (("app", "name"), 3),
        (("app", "quoted key"), 4),
        (("buckets", "images", "public_read"), 7),
        (("buckets", "images", "lifecycle", 0, "expire_days"), 11),
        (("buckets", "images", "lifecycle", 1, "abort_multipart_days"), 12),
        (("workloads", "api", "grants", 0, "bucket"), 15),
        (("workloads", "api", "grants", 1), 16),
        (("workloads", "api", "grants", 1, "verbs"), 17),
        (("workloads", "web", "dotted", "key"), 21),
        (("workloads", "web", "last", "b"), 25),
    ],
)
def test_every_key_is_found_on_its_line(path: Path, line: int) -> None:
    """Tables, arrays of tables, inline tables, dotted keys and long values all have the right line."""
    assert find_positions(TEXT)[path] == line


def test_text_inside_strings_is_no_table() -> None:
    """A table header inside a multi-line string is not taken for one."""
    assert ("not", "a", "table") not in find_positions(TEXT)


KEYS = st.text("abcxyz-_09", min_size=1, max_size=5)
VALUES = st.one_of(st.integers(0, 9), st.text("ab[]{}#='\\\"", max_size=6), st.lists(st.integers(0, 9), max_size=3))


def test_only_a_line_feed_ends_a_line() -> None:
    """What else Unicode takes for the end of a line stands inside of strings."""
    assert find_positions('a = "x\u2028y\x85z"\r\nb = 1\r\n') == {("a",): 1, ("b",): 2}


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=4))
def test_every_key_of_any_file_has_the_line_it_was_written_on(tables: dict[str, dict[str, Any]]) -> None:
    """For generated files the scanner agrees with the writer about every line."""
    import json

    lines: list[str] = []
    expected: dict[Path, int] = {}
    for table, keys in tables.items():
        lines.append(f"[{table}]")
        expected[(table,)] = len(lines)
        for key, value in keys.items():
            lines.append(f"{key} = {json.dumps(value)}")
            expected[(table, key)] = len(lines)
    text = "\n".join(lines)
    tomllib.loads(text)
    assert find_positions(text) == expected
