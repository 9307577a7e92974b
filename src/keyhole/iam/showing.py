"""Texts out of policies and requests where people read them: nothing in them speaks to the terminal or to the page."""

from __future__ import annotations

import re

_RUN = re.compile("`+")


def printable(text: str) -> str:
    """Give the text on one line, what cannot be seen or turns the reading direction written as an escape."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def as_code(text: str) -> str:
    """Give the text as code in Markdown, whatever backticks are in it.

    CommonMark, "Code spans": a run of backticks of another length does not end it.
    """
    shown = printable(text)
    runs = {len(run) for run in _RUN.findall(shown)}
    fence = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
