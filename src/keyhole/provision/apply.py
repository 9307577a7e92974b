"""Applying a plan: calls of one resource in order, resources side by side where their order allows.

A failed call stops its own resource and what depends on it; everything else finishes, and all failures are reported
together. Nothing is rolled back: the next run reads what is there and goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from keyhole.aws import Aws, Call
from keyhole.errors import KeyholeError
from keyhole.provision.patience import call_patiently
from keyhole.provision.plan import Change, Plan, Verb
from keyhole.resources.content import empty_bucket

WORKERS = 8


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a change: `stage` is "start", "call", "wait", "done", "failed", "unfinished" or
    "skipped".

    `detail`: the operation of a call, the reason for a wait, the error of a failure.
    """

    change: Change
    stage: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    change: Change
    call: Call | None
    error: KeyholeError


@dataclass(slots=True)
class Applied:
    """What became of a plan. `unfinished` changes were begun and interrupted, `skipped` ones never begun."""

    done: list[Change] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: list[Change] = field(default_factory=list)
    unfinished: list[Change] = field(default_factory=list)
    interrupted: bool = False

    @property
    def is_complete(self) -> bool:
        return not self.failures and not self.skipped and not self.unfinished and not self.interrupted


def apply_plan(plan: Plan, aws: Aws, on_event: Callable[[Event], None] = lambda _event: None) -> Applied:
    """Make the plan's calls. `on_event` is called from several threads.

    Ctrl-C lets the calls that are under way finish, begins no others, and is told in the result.
    """
    run = _Run(aws, on_event)
    todo = {change.address: change for change in plan.changes if change.verb is not Verb.KEEP}
    order = TopologicalSorter(
        {change.address: [address for address in change.after if address in todo] for change in todo.values()}
    )
    order.prepare()
    with ThreadPoolExecutor(WORKERS) as pool:
        running: dict[Future[bool], str] = {}
        try:
            while order.is_active():
                for address in order.get_ready():
                    running[pool.submit(run.apply, todo[address])] = address
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    order.done(running.pop(future))
        except KeyboardInterrupt:
            run.stop()
    run.wait_until_idle()
    applied = run.applied
    applied.interrupted = run.is_stopped
    failed = (failure.change for failure in applied.failures)
    ended = {change.address for change in (*applied.done, *applied.skipped, *applied.unfinished, *failed)}
    applied.skipped += [change for change in todo.values() if change.address not in ended]
    return applied


class _Run:
    """One application of a plan: which resources have failed, and whether to stop."""

    def __init__(self, aws: Aws, on_event: Callable[[Event], None]) -> None:
        self._aws = aws
        self._on_event = on_event
        self._stopped = threading.Event()
        self._lock = threading.Condition()
        self._active = 0
        self._broken: set[str] = set()
        self.applied = Applied()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        self._stopped.set()

    def wait_until_idle(self) -> None:
        """Return when no change is under way: an interrupt in `submit` leaves a thread that its pool does not know."""
        with self._lock:
            self._lock.wait_for(lambda: not self._active)

    def apply(self, change: Change) -> bool:
        """Make the change's calls; hold iff all were made."""
        with self._lock:
            blocked = bool(self._broken & set(change.after)) or self.is_stopped
            self._active += not blocked
        if blocked:
            self._end(change, "skipped")
            return False
        try:
            return self._make_calls(change)
        finally:
            with self._lock:
                self._active -= 1
                self._lock.notify_all()

    def _make_calls(self, change: Change) -> bool:
        self._on_event(Event(change, "start"))
        call: Call | None = None
        try:
            if change.empties:
                empty_bucket(self._aws, change.name, change.calls[0].params["ExpectedBucketOwner"])
            for made, call in enumerate(change.calls):
                if self.is_stopped:
                    self._end(change, "unfinished" if made or change.empties else "skipped")
                    return False
                self._on_event(Event(change, "call", call.operation))
                call_patiently(self._aws, call, self._stopped, self._waiting(change))
        except KeyholeError as error:
            self._end(change, "failed", Failure(change, call, error))
            return False
        self._end(change, "done")
        return True

    def _waiting(self, change: Change) -> Callable[[str], None]:
        return lambda reason: self._on_event(Event(change, "wait", reason))

    def _end(self, change: Change, stage: str, failure: Failure | None = None) -> None:
        with self._lock:
            if stage == "done":
                self.applied.done.append(change)
            else:
                self._broken.add(change.address)
            if stage == "skipped":
                self.applied.skipped.append(change)
            if stage == "unfinished":
                self.applied.unfinished.append(change)
            if failure is not None:
                self.applied.failures.append(failure)
        self._on_event(Event(change, stage, detail=str(failure.error) if failure else ""))
