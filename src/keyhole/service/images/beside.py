"""A worker's second thread: what need not wait for the decoder is done while it decodes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_THREAD = ThreadPoolExecutor(1, "beside")


def start_thread() -> None:
    """Start it now: where memory is limited to what an image needs, there may be none for its stack."""
    _THREAD.submit(int).result()


def do_beside(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> Future[T]:
    """Do this in the second thread, after what it was given before. Whoever asks waits for it before the answer."""
    return _THREAD.submit(work, *given, **named)
