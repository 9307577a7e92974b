"""A table of the file: what every model of the spec is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A TOML table: immutable, and every key must be known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
