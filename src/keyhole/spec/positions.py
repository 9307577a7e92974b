"""Where each key of a TOML file stands: `tomllib` gives the values, this gives the lines.

Only files that `tomllib` has read are scanned, so the scanner may assume valid TOML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)(.+?)(\]\]?)\s*(#.*)?\Z")
_KEY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")
_INLINE_KEY = re.compile(r"[{,]\s*([A-Za-z0-9_-]+)\s*=")


def find_positions(text: str) -> dict[Path, int]:
    """Give the line (from 1) of every table and key, by its path: `("workloads", "api", "grants", 0, "verbs")`."""
    positions: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for line_number, statement in _statements(text):
        header = _HEADER.match(statement.split("\n", 1)[0])
        if header and _split_assignment(statement) is None:
            table = _enter(_split_key(header[2]), counts, is_array=header[1] == "[[")
            for length in range(1, len(table) + 1):
                positions.setdefault(table[:length], line_number)
            continue
        assignment = _split_assignment(statement)
        if assignment is None:
            continue
        key, value = assignment
        path = table + _split_key(key)
        for length in range(len(table) + 1, len(path) + 1):
            positions.setdefault(path[:length], line_number)
        _note_inline_tables(positions, path, value, line_number)
    return positions


def _enter(key: Path, counts: dict[Path, int], *, is_array: bool) -> Path:
    """Give the path of a table header, with the index of the array element that it is in."""
    path: Path = ()
    for depth, part in enumerate(key):
        path = (*path, part)
        is_last = depth == len(key) - 1
        if is_last and is_array:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _note_inline_tables(positions: dict[Path, int], path: Path, value: str, line: int) -> None:
    """Note the keys of inline tables; in an array of them each opening brace is one element."""
    value = _without_strings(value)
    if "{" not in value:
        return
    is_array = value.lstrip().startswith("[")
    for index, part in enumerate(value.split("{")[1:]):
        start = line + value[: value.index(part)].count("\n")
        prefix = (*path, index) if is_array else path
        positions.setdefault(prefix, start)
        for match in _INLINE_KEY.finditer("{" + part):
            positions.setdefault((*prefix, match[1]), start)


def _without_strings(value: str) -> str:
    """Give the text with every string and comment emptied, on the same lines: what looks like a table there is none."""
    kept: list[str] = []
    position = 0
    while position < len(value):
        end = _token_end(value, position)
        token = value[position:end]
        kept.append(token if end == position + 1 else "\n" * token.count("\n"))
        position = end
    return "".join(kept)


def _split_key(key: str) -> Path:
    parts: list[str | int] = []
    rest = key
    while rest:
        match = _KEY.match(rest)
        if match is None:
            break
        parts.append(next(group for group in match.groups() if group is not None))
        rest = rest[match.end() :].removeprefix(".")
    return tuple(parts)


def _split_assignment(statement: str) -> tuple[str, str] | None:
    """Split `key = value`; None for a table header."""
    rest = statement
    while match := _KEY.match(rest):
        rest = rest[match.end() :]
        if rest.startswith("="):
            return statement[: len(statement) - len(rest)], rest[1:]
        if not rest.startswith("."):
            return None
        rest = rest[1:]
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Give each logical line with the number of its first line: brackets and long strings join lines."""
    pending = ""
    start = 1
    # Only a line feed ends a line of TOML; `str.splitlines` also ends them at U+2028, inside of strings.
    for number, line in enumerate(text.split("\n"), 1):
        if not pending:
            start = number
        pending += line.removesuffix("\r") + "\n"
        if _is_open(pending):
            continue
        if pending.strip() and not pending.lstrip().startswith("#"):
            yield start, pending.rstrip("\n")
        pending = ""


def _is_open(text: str) -> bool:
    """Hold iff a bracket or a multi-line string is still open at the end of `text`."""
    depth = 0
    position = 0
    while position < len(text):
        end = _token_end(text, position)
        if end > len(text):
            return True
        if end == position + 1:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(text[position], 0)
        position = end
    return depth > 0


def _token_end(text: str, position: int) -> int:
    """Give where the string or comment that begins here ends, or else the next position.

    A multi-line string that does not end in this text ends beyond it.
    """
    quotes = next((q for q in ('"""', "'''", '"', "'") if text.startswith(q, position)), "")
    if quotes:
        end = _string_end(text, position + len(quotes), quotes)
        return end if end is not None else len(text) + (len(quotes) == 3)
    if text[position] == "#":
        end = text.find("\n", position)
        return end if end > position else len(text)
    return position + 1


def _string_end(text: str, position: int, quotes: str) -> int | None:
    while position < len(text):
        if text[position] == "\\" and quotes[0] == '"':
            position += 2
            continue
        if text.startswith(quotes, position):
            return position + len(quotes)
        position += 1
    return None
