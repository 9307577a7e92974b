"""A finding: something about what is there that someone should know, with what shows it and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How much a finding weighs, the heaviest last; only those from WARNING on are counted."""

    FINE = 0
    NOTE = 1
    WARNING = 2
    UNKNOWN = 3
    """It could not be found out: that is never taken for fine."""
    PROBLEM = 4

    @property
    def word(self) -> str:
        """The severity as machines read it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was looked at ("bucket.policy"), `summary` says what is the case, `evidence` what shows it.

    `fix` is what to do about it, `doc_url` the page that says why.
    """

    check: str
    severity: Severity
    summary: str
    evidence: tuple[str, ...] = ()
    fix: str = ""
    doc_url: str = ""

    @property
    def counts(self) -> bool:
        """Hold iff somebody has to do something about it, or has to find out."""
        return self.severity >= Severity.WARNING
