"""Whoever makes a request, once it is known."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


class CallerKind(StrEnum):
    ANYONE = "anyone"
    """The file has no callers: whoever reaches the service."""
    TOKEN = "token"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller: of which `[callers.GROUP]`, and who among them. `name` is what people see; never a secret."""

    kind: CallerKind
    group: str = ""
    name: str = ""

    @property
    def folder(self) -> str:
        """Give the caller's own part of object keys, without slashes; no two callers share one.

        A name that is plain already stays readable; any other becomes a digest.
        """
        if self.kind is CallerKind.ANYONE:
            return ""
        if self.kind is CallerKind.TOKEN and _PLAIN.match(self.name):
            return f"{self.group}.{self.name}"
        digest = hashlib.sha256(f"{self.group}\n{self.name}".encode()).hexdigest()[:32]
        return f"{self.group}.{digest}"


ANYONE = Caller(CallerKind.ANYONE)
