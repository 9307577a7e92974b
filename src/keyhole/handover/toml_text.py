"""The text of a TOML file: single keys of some tables are set, everything else stays byte for byte.

A value's name is `table.key`. Each edit is read back before it counts: a file that writes a table in a way that cannot
be edited line by line is refused, not damaged.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from typing import Any

from keyhole.errors import KeyholeError
from keyhole.handover.lines import split_lines
from keyhole.handover.values import Scalar
from keyhole.spec.positions import find_positions


def read_values(text: str) -> dict[str, Scalar]:
    """Give every plain value of the tables at the top. Raises: KeyholeError if the text is no TOML."""
    return {
        f"{table}.{key}": value
        for table, keys in _parse(text).items()
        if isinstance(keys, dict)
        for key, value in keys.items()
        if isinstance(value, str | int)
    }


def write_values(text: str, values: Mapping[str, Scalar | None]) -> str:
    """Give the text with these values; None takes one out.

    Raises: KeyholeError if the text is no TOML, or cannot be edited.
    """
    wanted = _expect(_parse(text), values)
    edited = text
    for name, value in values.items():
        table, _, key = name.partition(".")
        edited = _set(edited, table, key, value)
    for table in {name.partition(".")[0] for name, value in values.items() if value is None}:
        edited = _drop_if_empty(edited, table)
    if _parse_or_none(edited) != wanted:
        tables = ", ".join(sorted({f"`[{name.partition('.')[0]}]`" for name in values}))
        raise KeyholeError(
            f"{tables} cannot be edited here",
            hint="write it as a table of its own, one `key = value` to a line",
        )
    return edited


def remove_values(text: str, names: Collection[str]) -> str:
    """Give the text without these values, and without the tables that they leave empty."""
    return write_values(text, dict.fromkeys(names))


def _parse(text: str) -> dict[str, Any]:
    found = _parse_or_none(text)
    if found is None:
        raise KeyholeError("this is not TOML", hint="mend it, or name another `toml_file`")
    return found


def _parse_or_none(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _expect(before: Mapping[str, Any], values: Mapping[str, Scalar | None]) -> dict[str, Any]:
    after: dict[str, Any] = {name: dict(part) if isinstance(part, dict) else part for name, part in before.items()}
    for name, value in values.items():
        table, _, key = name.partition(".")
        keys = after.get(table, {})
        if not isinstance(keys, dict):
            continue
        if value is None:
            keys.pop(key, None)
        else:
            keys[key] = value
        after[table] = keys
    emptied = {name.partition(".")[0] for name, value in values.items() if value is None}
    return {name: part for name, part in after.items() if part != {} or name not in emptied}


def _set(text: str, table: str, key: str, value: Scalar | None) -> str:
    lines = split_lines(text)
    positions = find_positions(text)
    ending = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    written = None if value is None else f"{key} = {_show(value)}{ending}"
    if (table, key) in positions:
        index = positions[table, key] - 1
        lines[index : index + 1] = [] if written is None else [written]
    elif written is None:
        return text
    elif (table,) in positions:
        own = [line for path, line in positions.items() if path[:1] == (table,) and len(path) == 2]
        index = max([positions[table,], *(line for line in own if not _is_header(lines[line - 1]))])
        lines[index - 1] = _end(lines[index - 1], ending)
        lines.insert(index, written)
    else:
        if lines:
            lines[-1] = _end(lines[-1], ending)
            lines.append(ending)
        lines += [f"[{table}]{ending}", written]
    return "".join(lines)


def _drop_if_empty(text: str, table: str) -> str:
    """Take the header away where nothing is left below it."""
    if (_parse_or_none(text) or {}).get(table) != {}:
        return text
    lines = split_lines(text)
    index = find_positions(text)[table,] - 1
    del lines[index]
    # And the blank line that set it apart, from what is before it or, at the top, from what follows.
    if 0 < index == len(lines) and not lines[index - 1].strip():
        del lines[index - 1]
    elif index < len(lines) and not lines[index].strip() and (index == 0 or not lines[index - 1].strip()):
        del lines[index]
    return "".join(lines)


def _is_header(line: str) -> bool:
    return re.match(r"\s*\[", line) is not None


def _end(line: str, ending: str) -> str:
    return line if line.endswith("\n") else line + ending


def _show(value: Scalar) -> str:
    """Write a value. JSON's strings are TOML's, but for DEL, which no value here has."""
    return json.dumps(value, ensure_ascii=False)
