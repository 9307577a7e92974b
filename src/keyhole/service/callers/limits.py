"""How often a caller may upload. Each worker counts for itself, and allows its share of the whole."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from keyhole.service.callers.caller import Caller, CallerKind
from keyhole.service.problems import Problem
from keyhole.service.settings import Settings

# What is full again says nothing, and is forgotten; this bounds what an attacker with many addresses can fill.
_MOST_BUCKETS = 50_000


@dataclass(slots=True)
class _Bucket:
    """Tokens that are left, and when they were counted."""

    tokens: float
    counted_at: float


class UploadRates:
    """Token buckets: a caller's holds a minute's uploads at most, and fills evenly.

    With several workers each allows `uploads_per_minute` divided by their number, and one upload at least: a caller
    whose connections all reach one worker gets less than the whole, and nobody ever gets more, but for the first
    upload of each worker where there are more workers than uploads in a minute.
    """

    def __init__(self, *, workers: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers = workers
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def take(self, settings: Settings, caller: Caller, address: str = "") -> None:
        """Count one upload. `address`: where it comes from, which tells strangers apart. Raises: Problem (429)."""
        per_minute = settings.uploads_per_minute
        if per_minute is None:
            return
        per_second = per_minute / 60 / self._workers
        most = max(1.0, per_minute / self._workers)
        now = self._clock()
        place = (settings.name, *_name_caller(caller, address))
        with self._lock:
            bucket = self._buckets.get(place)
            if bucket is None:
                self._make_room(now)
                bucket = self._buckets[place] = _Bucket(most, now)
            bucket.tokens = min(most, bucket.tokens + (now - bucket.counted_at) * per_second)
            bucket.counted_at = now
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return
            wait_s = math.ceil((1 - bucket.tokens) / per_second)
        raise Problem(
            429,
            "too-many-uploads",
            f"you have uploaded as much as you may in a minute: {per_minute}",
            hint=f"go on in {wait_s} s",
            headers={"Retry-After": str(wait_s), "Connection": "close"},
            extra={"uploads_per_minute": per_minute},
        )

    def _make_room(self, now: float) -> None:
        """Forget buckets of more than a minute ago, which are full again, and the oldest where that is not enough."""
        if len(self._buckets) < _MOST_BUCKETS:
            return
        self._buckets = {place: bucket for place, bucket in self._buckets.items() if now - bucket.counted_at < 60}
        while len(self._buckets) >= _MOST_BUCKETS:
            del self._buckets[next(iter(self._buckets))]


def _name_caller(caller: Caller, address: str) -> tuple[str, ...]:
    if caller.kind is not CallerKind.ANYONE:
        return (caller.group, caller.name)
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ("",)
    # Whoever has one address of an IPv6 network has 2**64 of them.
    return (str(ipaddress.ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found),)
