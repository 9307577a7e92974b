"""What every route has at hand, and which upload a request is about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import Request

from keyhole.service.callers.caller import Caller
from keyhole.service.callers.require import check_may_use, may_use
from keyhole.service.images.checked import Checked, Checker, Expect, ImageRule, Unavailable
from keyhole.service.keys import key_mistake
from keyhole.service.problems import RETRY_AFTER_S, Problem
from keyhole.service.runtime import Runtime
from keyhole.service.settings import Service, Settings
from keyhole.service.signing import Signer
from keyhole.service.store import OpenStore, Store

_TRANSFERS = 6
"""How many files go to or come from the store at a time: the rest wait on disk, and short calls are not held up."""
_PATIENCE_S = 120.0
"""How long a file that has arrived waits to be looked at."""
_transfers: RunVar[CapacityLimiter] = RunVar("keyhole-transfers")
T = TypeVar("T")


class Crowd:
    """How many requests are at something now. Those above the limit are sent away at once, and nothing is read."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0

    @property
    def inside(self) -> int:
        """How many there are now."""
        return self._inside

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Count one in for the length of the block. Raises: Problem (503)."""
        if self._inside >= self._limit:
            raise Problem(
                503,
                "busy",
                "the service takes as many uploads as it can now",
                hint="nothing is lost: try again in a moment",
                headers={"Retry-After": str(RETRY_AFTER_S), "Connection": "close"},
            )
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1


class Turns:
    """Lets a few in at a time, in the order in which they came. What has arrived whole is not sent away lightly."""

    def __init__(self, at_once: int, patience_s: float = _PATIENCE_S) -> None:
        self._semaphore = asyncio.Semaphore(at_once)
        self._patience_s = patience_s

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a turn, which lasts as long as the block. Raises: Unavailable."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._semaphore.acquire()
        except TimeoutError:
            raise Unavailable("too many images are waiting to be looked at") from None
        try:
            yield
        finally:
            self._semaphore.release()


@dataclass(frozen=True, slots=True)
class Place:
    """One upload as one caller may use it."""

    settings: Settings
    caller: Caller
    store: Store

    @property
    def prefix(self) -> str:
        """The prefix of what the caller uploads and sees."""
        return self.settings.caller_prefix(self.caller)

    @property
    def quarantine(self) -> str:
        """The prefix of what the caller has sent to the store itself, and nobody has checked."""
        return self.settings.caller_quarantine(self.caller)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes share."""

    service: Service
    open_store: OpenStore
    checker: Checker
    runtime: Runtime
    receiving: Crowd
    checks: Turns
    directory: Path | None = None

    async def check_image(self, place: Place, path: Path, *, sha256: str = "", expect: Expect | None = None) -> Checked:
        """Have a file looked at by a process of its own, as `Checker.check` does. Raises: Refused, Unavailable."""
        async with self.checks.take():
            return await self.checker.check(path, ImageRule.of(place.settings), sha256=sha256, expect=expect)

    def admit(self, place: Place, request: Request) -> None:
        """Count one upload of the caller. Raises: Problem (429)."""
        self.runtime.rates.take(place.settings, place.caller, request.state.origin.address)

    async def check_quota(self, place: Place) -> None:
        """Return if the caller may keep something more. Raises: Problem (403)."""
        await ask_store(partial(self.runtime.quotas.check, place.settings, place.caller, place.store))

    def check_key(self, place: Place, key: str) -> None:
        """Return if the key is one of the place's. Raises: Problem (400)."""
        mistake = key_mistake(key, place.prefix)
        if mistake:
            raise _bad_key(mistake)

    def find_place(self, caller: Caller, to: str) -> Place:
        """Give the upload of this name, or the first that is open to the caller. Raises: Problem."""
        if to:
            settings = self.service.uploads.get(to)
            if settings is None:
                hint = "`GET /v1/rules` lists those that there are"
                raise Problem(404, "no-such-upload", "there is no upload of this name", hint=hint)
            check_may_use(caller, settings)
            return self._open(settings, caller)
        for settings in self.service.uploads.values():
            if may_use(caller, settings):
                return self._open(settings, caller)
        check_may_use(caller, self.service.first)
        raise AssertionError("the first upload is open after all")

    def find_place_of(self, caller: Caller, key: str, to: str) -> Place:
        """Give the upload that the key is of, which is one of the caller's own. Raises: Problem."""
        if to:
            place = self.find_place(caller, to)
            self.check_key(place, key)
            return place
        mistake = ""
        for settings in self.service.uploads.values():
            if not may_use(caller, settings):
                continue
            wrong = key_mistake(key, settings.caller_prefix(caller))
            if not wrong:
                return self._open(settings, caller)
            mistake = mistake or wrong
        if not mistake:
            check_may_use(caller, self.service.first)
        raise _bad_key(mistake)

    def find_open_place(self, caller: Caller, to: str) -> Place:
        """Give the upload to which browsers may send themselves. Raises: Problem."""
        place = self.find_place(caller, to)
        if not place.settings.signed_uploads:
            raise Problem(
                403,
                "no-signed-uploads",
                f"upload `{place.settings.name}` takes images through the service only",
                hint="send the image to `POST /v1/uploads`",
            )
        return place

    def _open(self, settings: Settings, caller: Caller) -> Place:
        return Place(settings, caller, self.open_store(settings, caller))


def _bad_key(mistake: str) -> Problem:
    return Problem(400, "bad-key", mistake, hint="give a key as the list of uploads shows it")


async def ask_store(work: Callable[[], T]) -> T:
    """Do something short with the store, off the event loop."""
    return await to_thread.run_sync(work)


async def move_file(work: Callable[[], T]) -> T:
    """Send a file to the store or fetch one, off the event loop; a few at a time."""
    limiter = _transfers.get(None)
    if limiter is None:
        limiter = CapacityLimiter(_TRANSFERS)
        _transfers.set(limiter)
    return await to_thread.run_sync(work, limiter=limiter)


async def find_signer(store: Store) -> Signer:
    """Give what signs; only now and then does that take a thread."""
    ready = store.ready_signer()
    return ready if ready is not None else await to_thread.run_sync(store.signer)
