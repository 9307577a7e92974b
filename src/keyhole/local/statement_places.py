"""Where the statements of a policy stand in its text.

AWS: IAM API Reference, data types Statement and Position: a statement begins at its brace and ends behind it.
"""

from __future__ import annotations

import json
from functools import lru_cache

from keyhole.iam.json_text import Source, Spot, read_json

Position = tuple[int, int]


@lru_cache(maxsize=512)
def find_places(text: str) -> tuple[tuple[Position, Position], ...]:
    """Give begin and end of each statement of a policy that parses, as (line, column) from 1."""
    statements = read_json(Source(text)).members["Statement"]
    spots = list(statements.members.values()) if isinstance(statements.value, list) else [statements]
    return tuple(_place(text, spot) for spot in spots)


def _place(text: str, spot: Spot) -> tuple[Position, Position]:
    _, end = json.JSONDecoder().raw_decode(text, spot.start)
    return _position(text, spot.start), _position(text, end)


def _position(text: str, at: int) -> Position:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
