"""Runs side by side that take turns call by call, as they are told: every interleaving, and the same each time."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from keyhole.aws import Aws

Result = TypeVar("Result")


class Turns:
    """Lets one of several runs make its next call, when all that are still running wait to make theirs."""

    def __init__(self, runs: int, seed: int) -> None:
        self._choose = random.Random(seed)
        self._running = set(range(runs))
        self._waiting: set[int] = set()
        self._next: int | None = None
        self._changed = threading.Condition()

    def take(self, run: int) -> None:
        """Return when it is this run's turn."""
        with self._changed:
            self._waiting.add(run)
            self._pick()
            self._changed.wait_for(lambda: self._next == run)
            self._waiting.remove(run)
            self._next = None

    def leave(self, run: int) -> None:
        """Wait for this run no more."""
        with self._changed:
            self._running.discard(run)
            self._pick()

    def _pick(self) -> None:
        if self._next is None and self._waiting and self._waiting == self._running:
            self._next = self._choose.choice(sorted(self._waiting))
            self._changed.notify_all()


class TurnAws:
    """An AWS whose every call waits for its run's turn."""

    def __init__(self, below: Aws, turns: Turns, run: int) -> None:
        self._below = below
        self._turns = turns
        self._run = run

    @property
    def region(self) -> str:
        return self._below.region

    @property
    def endpoint_url(self) -> str:
        return self._below.endpoint_url

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        self._turns.take(self._run)
        return self._below.call(service, operation, **params)

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        self._turns.take(self._run)
        return self._below.pages(service, operation, result_key, **params)


def run_in_turns(aws: Aws, seed: int, *works: Callable[[Aws], Result]) -> list[Result]:
    """Run the works side by side, each with an AWS of its own that takes turns; give their results."""
    turns = Turns(len(works), seed)
    results: dict[int, Result] = {}
    errors: list[BaseException] = []

    def work_on(run: int) -> None:
        try:
            results[run] = works[run](TurnAws(aws, turns, run))
        except BaseException as error:
            errors.append(error)
        finally:
            turns.leave(run)

    threads = [threading.Thread(target=work_on, args=(run,)) for run in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [results[run] for run in range(len(works))]
