"""How much a caller may keep: counted by listing what it has, for there is no database that could say."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from keyhole.service.callers.caller import Caller
from keyhole.service.form import show_bytes
from keyhole.service.problems import Problem
from keyhole.service.settings import Settings
from keyhole.service.store import Listing

_FRESH_S = 10.0
# Before someone is refused it is counted anew, for something may have been deleted; but not for every try.
_LEAST_WAIT_S = 1.0
_MOST_KEPT = 10_000
_PAGE = 999


class Listable(Protocol):
    """What can say what is under a prefix."""

    def list_objects(self, prefix: str, *, limit: int, after_key: str = "") -> Listing:
        """Give at most `limit` objects right under the prefix, those after `after_key` only. Raises: AwsError."""


@dataclass(slots=True)
class _Usage:
    """What was listed and stored since then, and what is on its way."""

    counted_at: float = float("-inf")
    objects: int = 0
    size_bytes: int = 0
    pending_objects: int = 0
    pending_bytes: int = 0


class Quotas:
    """What each caller keeps: counted every 10 seconds, and an upload that is on its way counts already.

    Each worker counts for itself: several may together let pass more than the quota, by what they store within those
    seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._usages: dict[tuple[str, str], _Usage] = {}

    def check(self, settings: Settings, caller: Caller, store: Listable) -> None:
        """Return if there is room for one byte more, before a body is read. Blocks. Raises: Problem (403), AwsError."""
        if _is_limited(settings):
            self._admit(settings, caller, store, 1, keep=False)

    @contextmanager
    def reserve(self, settings: Settings, caller: Caller, store: Listable, size_bytes: int) -> Iterator[None]:
        """Until the end of the block this upload counts as kept; without an exception it does so after it too.

        Blocks where the caller's objects have to be counted. Raises: Problem (403), AwsError.
        """
        if not _is_limited(settings):
            yield
            return
        usage = self._admit(settings, caller, store, size_bytes, keep=True)
        is_kept = False
        try:
            yield
            is_kept = True
        finally:
            with self._lock:
                usage.pending_objects -= 1
                usage.pending_bytes -= size_bytes
                if is_kept:
                    usage.objects += 1
                    usage.size_bytes += size_bytes

    def forget(self, settings: Settings, caller: Caller) -> None:
        """Count anew the next time: the caller has deleted something."""
        with self._lock:
            usage = self._usages.get((settings.name, caller.folder))
            if usage is not None:
                usage.counted_at = float("-inf")

    def _admit(self, settings: Settings, caller: Caller, store: Listable, size_bytes: int, *, keep: bool) -> _Usage:
        usage = self._find(settings, caller)
        problem: Problem | None = None
        for most_age_s in (_FRESH_S, _LEAST_WAIT_S):
            self._recount(usage, settings, caller, store, most_age_s)
            with self._lock:
                problem = _find_excess(settings, usage, size_bytes)
                if problem is None:
                    if keep:
                        usage.pending_objects += 1
                        usage.pending_bytes += size_bytes
                    return usage
        assert problem is not None  # noqa: S101 - the loop has gone round
        raise problem

    def _find(self, settings: Settings, caller: Caller) -> _Usage:
        place = (settings.name, caller.folder)
        with self._lock:
            usage = self._usages.get(place)
            if usage is None:
                if len(self._usages) >= _MOST_KEPT:
                    idle = (known for known, usage in self._usages.items() if not usage.pending_objects)
                    self._usages.pop(next(idle, place), None)
                usage = self._usages[place] = _Usage()
            return usage

    def _recount(self, usage: _Usage, settings: Settings, caller: Caller, store: Listable, most_age_s: float) -> None:
        with self._lock:
            if self._clock() - usage.counted_at < most_age_s:
                return
            before = (usage.objects, usage.size_bytes)
            began_at = self._clock()
        objects, size_bytes = _measure(store, settings.caller_prefix(caller))
        with self._lock:
            # What was stored during the listing may not be in it: better counted twice for a while than not at all.
            usage.objects = objects + max(0, usage.objects - before[0])
            usage.size_bytes = size_bytes + max(0, usage.size_bytes - before[1])
            usage.counted_at = began_at


def _is_limited(settings: Settings) -> bool:
    return settings.max_objects is not None or settings.max_total_bytes is not None


def _measure(store: Listable, prefix: str) -> tuple[int, int]:
    """Give the number of objects right under the prefix, and their bytes in all."""
    objects, size_bytes, after_key = 0, 0, ""
    while True:
        listing = store.list_objects(prefix, limit=_PAGE, after_key=after_key)
        objects += len(listing.objects)
        size_bytes += sum(found.size_bytes for found in listing.objects)
        if not listing.has_more or not listing.objects:
            return objects, size_bytes
        after_key = listing.objects[-1].key


def _find_excess(settings: Settings, usage: _Usage, size_bytes: int) -> Problem | None:
    """Give the refusal of an upload that there is no room for, or None."""
    most_objects, most_bytes = settings.max_objects, settings.max_total_bytes
    if most_objects is not None and usage.objects + usage.pending_objects + 1 > most_objects:
        return _full(f"you keep {most_objects} uploads already, which is all you may", {"max_objects": most_objects})
    if most_bytes is not None and usage.size_bytes + usage.pending_bytes + size_bytes > most_bytes:
        detail = f"you may keep {show_bytes(most_bytes)} in all, and this would be more"
        return _full(detail, {"max_total_bytes": most_bytes})
    return None


def _full(detail: str, extra: dict[str, str | int]) -> Problem:
    hint = "delete what is no longer needed"
    return Problem(403, "quota", detail, hint=hint, headers={"Connection": "close"}, extra=extra)
