"""What one image may cost its worker, kept by the kernel: memory, processor time, size of files, and a clock."""

from __future__ import annotations

import math
import resource
import signal
import sys
from pathlib import Path

# Interlaced 16-bit images with transparency take 8 bytes a pixel, AVIF's planes beside them as much again, and half
# of that once more for a thumbnail that is not smaller.
_BYTES_PER_PIXEL = 24
_ROOM_BYTES = 256 * 1024 * 1024
# A machine with more to do than it can takes longer by the clock, which is no fault of the image.
CLOCK = 3
_PAGE_BYTES = resource.getpagesize()


def set_up() -> None:
    """Write no core, whatever happens: it would have a stranger's image in it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(limit_s: float) -> None:
    """End this process when it has worked for that long from now, or three times as long has passed."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _set(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + limit_s))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, CLOCK * limit_s)


def lift() -> None:
    """Stop the clock, and allow again what the next image may need."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_AS):
        _set(kind, resource.RLIM_INFINITY)


def limit_space(pixels: int, size_bytes: int) -> None:
    """Allow the memory, and the files, that an image of so many pixels in so many bytes needs."""
    _set(resource.RLIMIT_FSIZE, max(2 * size_bytes, 64 * 1024 * 1024))
    if sys.platform == "linux":  # elsewhere the kernel does not keep it
        _set(resource.RLIMIT_AS, _find_used() + _ROOM_BYTES + 3 * size_bytes + _BYTES_PER_PIXEL * pixels)


def _find_used() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * _PAGE_BYTES


def _set(kind: int, soft: int) -> None:
    """Set the soft limit, which the next image moves again."""
    _, hard = resource.getrlimit(kind)
    known = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(kind, (min(known, default=resource.RLIM_INFINITY), hard))
