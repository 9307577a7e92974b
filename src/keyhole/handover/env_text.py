"""The text of an env file, `NAME=value` line by line. What is not ours stays where it is, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from keyhole.handover.lines import split_lines
from keyhole.handover.values import Scalar

_LINE = re.compile(r"(\s*(?:export\s+)?)([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)\Z", re.DOTALL)


def read_values(text: str) -> dict[str, Scalar]:
    """Give the variables; of one that is there twice the last, as those who read such files do."""
    found: dict[str, Scalar] = {}
    for line in split_lines(text):
        if match := _LINE.match(line):
            value = match[3].strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]
            found[match[2]] = value
    return found


def write_values(text: str, values: Mapping[str, Scalar | None]) -> str:
    """Give the text with these variables: each on its own line of before, new ones at the end, None taken out."""
    lines: list[str] = []
    written: set[str] = set()
    for line in split_lines(text):
        match = _LINE.match(line)
        if match is None or match[2] not in values:
            lines.append(line)
            continue
        name = match[2]
        value = values[name]
        if value is not None and name not in written:
            ending = line[len(line.rstrip("\r\n")) :] or "\n"
            lines.append(f"{match[1]}{name}={_show(value)}{ending}")
            written.add(name)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    lines += [f"{name}={_show(value)}\n" for name, value in values.items() if name not in written and value is not None]
    return "".join(lines)


def remove_values(text: str, names: Collection[str]) -> str:
    """Give the text without these variables."""
    return write_values(text, dict.fromkeys(names)) if set(read_values(text)) & set(names) else text


def _show(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
