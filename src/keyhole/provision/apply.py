"""Applying a plan: calls of one resource in order, resources side by side where their order allows.

A failed call stops its own resource and what depends on it; everything else finishes, and all failures are reported
together. Nothing is rolled back: the next run reads what is there and goes on. A call that another run was faster with
has its resource read again, and goes on from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError, KeyholeError
from keyhole.handover.courier import Courier
from keyhole.naming import Scope
from keyhole.provision.patience import OnWait, Patience
from keyhole.provision.plan import Change, Plan, Verb
from keyhole.provision.resume import resume_change
from keyhole.resources.content import empty_bucket

WORKERS = 8
RESUMES = 3
"""How often one change is looked at anew when others are faster."""
UNSEEN_S = 3.0
"""How long it takes, most of the time, until what someone else made can be read."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a change: `stage` is "start", "call", "wait", "resumed", "done", "failed", "unfinished"
    or "skipped".

    `detail`: the operation of a call, the reason for a wait and how long it is, what someone else did, the error of a
    failure.
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


def apply_plan(
    plan: Plan,
    aws: Aws,
    on_event: Callable[[Event], None] = lambda _event: None,
    *,
    workers: int = WORKERS,
    sleep: Callable[[float], object] | None = None,
) -> Applied:
    """Make the plan's calls. `on_event` is called from several threads. `sleep` replaces the waiting for AWS.

    Ctrl-C lets the calls that are under way finish, begins no others, and is told in the result.
    """
    run = _Run(aws, plan.scope, on_event, sleep)
    todo = {change.address: change for change in plan.changes if change.verb is not Verb.KEEP}
    order = TopologicalSorter(
        {change.address: [address for address in change.after if address in todo] for change in todo.values()}
    )
    order.prepare()
    with ThreadPoolExecutor(workers) as pool:
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

    def __init__(
        self,
        aws: Aws,
        scope: Scope,
        on_event: Callable[[Event], None],
        sleep: Callable[[float], object] | None,
    ) -> None:
        self._aws = aws
        self._scope = scope
        self._on_event = on_event
        self._stopped = threading.Event()
        self._patience = Patience(self._stopped, sleep=sleep)
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
        calls, resumed, made = change.calls, 0, 0
        courier = Courier(self._aws, calls, lambda call: self._patience.call(self._aws, call, self._waiting(change)))
        while True:
            call: Call | None = None
            try:
                if change.empties and not made:
                    empty_bucket(self._aws, change.name, change.calls[0].params["ExpectedBucketOwner"])
                for call in calls:
                    if self.is_stopped and not courier.is_on_its_way:
                        courier.stop()
                        self._end(change, "unfinished" if made or change.empties else "skipped")
                        return False
                    self._on_event(Event(change, "call", call.operation))
                    courier.make(call)
                    made += 1
            except KeyholeError as error:
                courier.give_up(error)
                left = self._resume(change, call, error) if resumed < RESUMES else None
                if left is None:
                    self._end(change, "failed", Failure(change, call, error))
                    return False
                calls, resumed = left, resumed + 1
            else:
                self._end(change, "done")
                return True

    def _resume(self, change: Change, call: Call | None, error: KeyholeError) -> tuple[Call, ...] | None:
        """Give the calls that are left if someone else was faster, None if it is a failure."""
        if call is None or not isinstance(error, AwsError):
            return None
        try:
            left = resume_change(self._aws, self._scope, change, call, error)
        except KeyholeError:
            return None
        if left is None:
            return None
        if call in left[:1]:
            self._patience.pause(UNSEEN_S, "AWS does not show yet what it says is there", self._waiting(change))
        self._on_event(Event(change, "resumed", f"someone else was here too ({error.code})"))
        return left

    def _waiting(self, change: Change) -> OnWait:
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
