"""Timing of small work: the mean of many runs, several times over."""

from __future__ import annotations

import time
from collections.abc import Callable

Rows = list[tuple[str, list[float], str, list[float], float | None]]


def repeat(work: Callable[[], object], samples: int, loops: int) -> list[float]:
    """Give seconds for one run of `work`, `samples` times, each the mean of `loops` runs."""
    found = []
    for _ in range(samples):
        started = time.perf_counter()
        for _ in range(loops):
            work()
        found.append((time.perf_counter() - started) / loops)
    return found
