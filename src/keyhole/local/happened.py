"""One request and what became of it, as the gate tells it to whoever records it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from keyhole.local.call import ApiCall, Caller, Fault, HttpRequest
from keyhole.local.inquiry import Asked
from keyhole.local.mode import Mode


@dataclass(frozen=True, slots=True)
class Happened:
    """One request and what became of it; `call` is None where it was none, `fault` where it went well."""

    at: datetime
    request: HttpRequest
    service: str
    region: str
    call: ApiCall | None
    caller: Caller
    trail: tuple[Asked, ...]
    request_id: str
    status: int
    fault: Fault | None
    mode: Mode
