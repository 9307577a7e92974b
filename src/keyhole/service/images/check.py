"""The one door for images: a file goes in by its path, and comes out decoded, stripped and with thumbnails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
from anyio import to_thread

from keyhole.service.images.checked import Checked, Expect, ImageRule, Refused, Unavailable
from keyhole.service.images.limits import CLOCK
from keyhole.service.images.messages import Ended, Late
from keyhole.service.images.pool import BUSY, TRY_AGAIN, WorkerPool
from keyhole.service.images.process import Deaf
from keyhole.service.images.question import Question, read_answer, read_expected, write_question
from keyhole.service.images.scratch import Scratch

__all__ = ["Checked", "ImageChecker", "ImageRule", "Refused", "Unavailable"]

# How long an upload waits for a worker to become free before the service says that it is busy.
_PATIENCE_S = 30.0
# The worker ends itself first, so that what it was busy with is known; the service's clock is the second lock.
_GRACE_S = 1.0
# An idle worker that somebody killed costs an attempt, not an image.
_ATTEMPTS = 3
_TOO_LONG = "looking at the image takes too long"
_TOO_MUCH = "the image cannot be decoded within the limits of memory and time"
_SMALLER = "send a smaller image"


class ImageChecker:
    """A pool of worker processes; one is started ahead, so that the first upload does not wait for it.

    `workers`: how many at most, 0 for one per core. `limit_s`: how much processor time one image may take.
    `directory`: where temporary files go, by default the system's. Close it, or use it in `with`.
    """

    def __init__(self, *, workers: int = 0, limit_s: float = 20.0, directory: Path | None = None) -> None:
        size = workers or os.cpu_count() or 1
        self._scratch = Scratch(directory)
        self._pool = WorkerPool(size, self._scratch.path)
        self._turns = anyio.Semaphore(size)
        self._threads = anyio.CapacityLimiter(size)
        self._limit_s = limit_s

    def start(self) -> None:
        """Start the first worker, without waiting for it; `check` does so too. Raises: Unavailable."""
        self._pool.start_one()

    async def check(self, path: Path, rule: ImageRule, *, sha256: str = "", expect: Expect | None = None) -> Checked:
        """Give what the file is. The file itself is only read. Raises: Refused, Unavailable.

        `sha256`: that of the file, where it is known already. `expect` is told from another thread, at most once and
        mostly before, what the answer will be if the image can be decoded; its files are there until the answer is.
        """
        try:
            with anyio.fail_after(_PATIENCE_S):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unavailable(BUSY, hint=TRY_AGAIN) from error
        try:
            directory = self._make_directory()
            try:
                question = self._make_question(directory, path, rule, sha256)
                return await to_thread.run_sync(self._ask_in, directory, question, expect, limiter=self._threads)
            except BaseException:  # a caller that went away leaves nothing behind either
                shutil.rmtree(directory, ignore_errors=True)
                raise
        finally:
            self._turns.release()

    def check_now(self, path: Path, rule: ImageRule) -> Checked:
        """Do what `check` does, in the calling thread. Raises: Refused, Unavailable."""
        directory = self._make_directory()
        return self._ask_in(directory, self._make_question(directory, path, rule, ""), None)

    def close(self) -> None:
        """End all workers and remove all temporary files."""
        self._pool.close()
        self._scratch.remove()

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """The processes that there are now."""
        return self._pool.pids

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _make_question(self, directory: Path, path: Path, rule: ImageRule, sha256: str) -> Question:
        return Question(str(path.absolute()), str(directory), self._limit_s, rule, sha256)

    def _ask_in(self, directory: Path, question: Question, expect: Expect | None) -> Checked:
        try:
            return read_answer(self._ask(question, expect), question)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise

    def _ask(self, question: Question, expect: Expect | None) -> dict[str, Any]:
        def pass_on(message: dict[str, Any]) -> None:
            expected = read_expected(message, question)
            if expect is not None and expected is not None:
                expect(expected)

        for _ in range(_ATTEMPTS):
            with self._pool.borrow(_PATIENCE_S) as worker:
                try:
                    return worker.ask(write_question(question), CLOCK * self._limit_s + _GRACE_S, pass_on)
                except Deaf:
                    worker.kill()
                except (Ended, Late) as error:
                    worker.kill()
                    self._pool.check_open()
                    reason = _TOO_LONG if isinstance(error, Late) else _TOO_MUCH
                    raise Refused("too-costly", reason, _SMALLER) from error
        raise Unavailable("workers that look at images end before they begin", hint=TRY_AGAIN)

    def _make_directory(self) -> Path:
        self._pool.check_open()
        try:
            return self._scratch.make_directory()
        except OSError as error:
            reason = f"no temporary file can be written: {os.strerror(error.errno or 0)}"
            raise Unavailable(reason, hint=TRY_AGAIN) from error
