"""The lines of a text that others wrote."""

from __future__ import annotations


def split_lines(text: str) -> list[str]:
    """Give the lines with their ends. Only a line feed ends one.

    `str.splitlines` also ends them at U+0085 or U+2028, which TOML and env files have inside of values.
    """
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in lines] + ([last] if last else [])
