"""Memory that is given back: what many uploads took is not kept for the next ones."""

from __future__ import annotations

import ctypes

# glibc, <malloc.h>: Parameters of mallopt(3).
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
# Above the pieces in which uploads are written: mapping each of those anew takes longer than writing it.
_LARGE_BYTES = 1280 * 1024
_ARENAS = 2


def keep_memory_flat() -> None:
    """Have the C library give large buffers back to the system as soon as they are free, where it is glibc.

    Left alone, it learns from the first of them to keep them all, apart for every thread: fifty uploads then take
    several times what they need. Other C libraries do not do that.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    mallopt(_M_ARENA_MAX, _ARENAS)
