"""How much of what was decided is enforced. Whoever calls must be authenticated in every mode."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """`strict` denies what AWS denies; `soft` decides and records, and lets through; `off` asks nothing at all."""

    STRICT = "strict"
    SOFT = "soft"
    OFF = "off"
