"""Workers can be killed, wherever they are; the service goes on, and nothing of theirs stays."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from service_images import make_jpeg, make_png

from keyhole.service.images.check import ImageChecker, ImageRule, Refused, Unavailable
from keyhole.service.images.pool import WorkerPool
from keyhole.service.images.scratch import Scratch

_RULE = ImageRule(("image/jpeg", "image/png"), thumbnails=(16,))
_LONG_WORK = ImageRule(("image/jpeg",), thumbnails=tuple(range(400, 1400)))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image that is large enough for long work: a thousand thumbnails are made of it."""
    path = tmp_path_factory.mktemp("large") / "large.jpg"
    path.write_bytes(make_jpeg(2000, 1500))
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.png"
    path.write_bytes(make_png())
    return path


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def checker(scratch: Path) -> Iterator[ImageChecker]:
    with ImageChecker(workers=1, directory=scratch) as checker:
        yield checker


def test_an_image_that_takes_too_long_is_refused(scratch: Path, large: Path, small: Path) -> None:
    """The worker ends, the reason is told, and the next image finds another worker."""
    with ImageChecker(workers=1, limit_s=0.05, directory=scratch) as checker:
        checker.check_now(small, _RULE).discard()
        (pid,) = checker.worker_pids
        with pytest.raises(Refused, match="takes too long") as caught, checker.check_now(large, _LONG_WORK):
            pass
        assert caught.value.kind == "too-costly"
        assert pid not in checker.worker_pids
        checker.check_now(small, _RULE).discard()


def test_limits_are_each_images_own(checker: ImageChecker, small: Path, tmp_path: Path) -> None:
    """After a small image a file of seventy megabytes is copied, less its tail, by the same worker."""
    checker.check_now(small, _RULE).discard()
    path = tmp_path / "wide.png"
    path.write_bytes(make_png(noise=bytes(70_000_000)) + b"tail")
    pids = checker.worker_pids
    with checker.check_now(path, ImageRule(("image/png",), strip_metadata=False)) as checked:
        assert checked.size_bytes > 70_000_000
        assert checked.path != path
    assert checker.worker_pids == pids


def test_an_idle_worker_may_be_killed(checker: ImageChecker, small: Path) -> None:
    """Whoever comes next does not notice."""
    checker.check_now(small, _RULE).discard()
    (pid,) = checker.worker_pids
    os.kill(pid, signal.SIGKILL)
    while _is_running(pid):
        time.sleep(0.005)
    with checker.check_now(small, _RULE) as checked:
        assert checked.width == 3


def test_a_busy_worker_may_be_killed(checker: ImageChecker, scratch: Path, large: Path, small: Path) -> None:
    """Its image is refused, no file of it stays, and the next image finds another worker."""
    checker.check_now(small, _RULE).discard()
    (pid,) = checker.worker_pids

    def kill_when_busy() -> None:
        while not list(scratch.glob("*/*/*.webp")):
            time.sleep(0.001)
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_when_busy)
    killer.start()
    with pytest.raises(Refused) as caught, checker.check_now(large, _LONG_WORK):
        pass
    killer.join()
    assert caught.value.kind == "too-costly"
    assert _list_left(scratch) == []
    checker.check_now(small, _RULE).discard()


def test_closing_ends_all_and_removes_all(scratch: Path, small: Path) -> None:
    """No process and no file is left, even of a check whose result nobody discarded; then nothing is looked at."""
    checker = ImageChecker(workers=2, directory=scratch)
    checked = checker.check_now(small, _RULE)
    pids = checker.worker_pids
    assert checked.thumbnails[16].is_file()
    checker.close()
    assert list(scratch.iterdir()) == []
    assert not [pid for pid in pids if _is_running(pid)]
    with pytest.raises(Unavailable, match="ending"):
        checker.check_now(small, _RULE)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_has_no_credentials(scratch: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment holds nothing that the service's does beyond the paths of libraries."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("KEYHOLE_TOKEN", "very-secret")
    with ImageChecker(workers=1, directory=scratch) as checker:
        checker.check_now(small, _RULE).discard()
        environment = Path(f"/proc/{checker.worker_pids[0]}/environ").read_bytes()
    assert b"TMPDIR" in environment
    assert b"very-secret" not in environment


_CONFINED = """
import socket, subprocess, threading
from pathlib import Path
from keyhole.service.images.confinement import confine
go, said = threading.Event(), []

def attempt():
    go.wait()
    for work in (socket.socket, lambda: subprocess.run(["true"]), lambda: Path("/proc/self/status").read_text()):
        try:
            work()
            said.append("done")
        except PermissionError:
            said.append("refused")

before = threading.Thread(target=attempt)
before.start()
print(confine())
go.set()
before.join()
attempt()
print(*said)
"""
_KNOWN = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="the kernel is asked by number"
)


@_KNOWN
def test_the_kernel_refuses_sockets_and_programs() -> None:
    """No thread of a confined process, old or new, opens a socket or starts a program; files are read as before."""
    said = subprocess.run([sys.executable, "-c", _CONFINED], capture_output=True, check=True, text=True)
    assert said.stdout.split() == ["True", *["refused", "refused", "done"] * 2]


@_KNOWN
def test_workers_are_confined(checker: ImageChecker, small: Path) -> None:
    """The kernel filters what a worker calls, and gives it no more rights."""
    checker.check_now(small, _RULE).discard()
    status = Path(f"/proc/{checker.worker_pids[0]}/status").read_text("ascii")
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status


def test_many_wait_for_their_turn(scratch: Path, small: Path, tmp_path: Path) -> None:
    """More images than workers are all looked at, each with its own answer."""
    other = tmp_path / "other.jpg"
    other.write_bytes(make_jpeg())
    found: list[tuple[str, int]] = []

    async def check_all() -> None:
        async with anyio.create_task_group() as group:
            for path in (small, other) * 10:
                group.start_soon(check_one, path)

    async def check_one(path: Path) -> None:
        with await checker.check(path, _RULE) as checked:
            found.append((checked.content_type, checked.width))

    with ImageChecker(workers=2, directory=scratch) as checker:
        anyio.run(check_all)
    assert sorted(found) == [("image/jpeg", 64)] * 10 + [("image/png", 3)] * 10


def test_a_caller_that_goes_away_leaves_nothing(scratch: Path, large: Path) -> None:
    """A check that is given up in the middle leaves no file."""

    async def give_up() -> None:
        with ImageChecker(workers=1, directory=scratch) as checker:
            with anyio.move_on_after(0.3):
                with await checker.check(large, replace(_LONG_WORK, thumbnails=tuple(range(400, 500)))):
                    await anyio.sleep_forever()
            assert _list_left(scratch) == []

    anyio.run(give_up)


def test_no_free_worker_is_nobodys_fault(tmp_path: Path) -> None:
    """Whoever has waited long enough is told that the service is busy; a worker is free again afterwards."""
    pool = WorkerPool(1, tmp_path)
    try:
        with pool.borrow(0), pytest.raises(Unavailable, match="busy"), pool.borrow(0.01):
            pass
        with pool.borrow(0) as worker:
            assert worker.is_alive
    finally:
        pool.close()


def test_a_pool_that_cannot_start_says_so(tmp_path: Path) -> None:
    """It is the service that is unavailable: no image is refused for it."""
    pool = WorkerPool(1, tmp_path / "not there")
    for _ in range(2):
        with pytest.raises(Unavailable, match="no worker"), pool.borrow(0):
            pass
    pool.close()


def test_a_disk_that_fails_is_nobodys_fault(checker: ImageChecker, tmp_path: Path) -> None:
    """Where a file cannot be read or written, the service is unavailable: the image is not refused for it."""
    with pytest.raises(Unavailable, match="temporary files"), checker.check_now(tmp_path / "gone", _RULE):
        pass


_HOLDER = """
import sys, time
from pathlib import Path
from keyhole.service.images.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]))
(scratch.make_directory() / "image").write_bytes(b"x")
print("made", flush=True)
time.sleep(1000)
"""


def test_what_a_killed_service_left_is_removed(tmp_path: Path) -> None:
    """The next one removes it, but not what belongs to one that is alive."""
    holders = [
        subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for holder in holders:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"made\n"
        holders[0].kill()
        holders[0].wait()
        own = Scratch(tmp_path)
        assert len(list(tmp_path.iterdir())) == 2
        assert len(list(tmp_path.glob("*/*/image"))) == 1
        own.remove()
        own.remove()
        assert len(list(tmp_path.iterdir())) == 1
    finally:
        for holder in holders:
            holder.kill()
            holder.wait()
            assert holder.stdout is not None
            holder.stdout.close()


_ALLOCATE = """
import mmap
from keyhole.service.images import limits
limits.set_up()
limits.limit_space(0, 0)
try:
    mmap.mmap(-1, 1 << 30)
except OSError:
    print("refused")
limits.limit_space(1 << 26, 0)
print(len(mmap.mmap(-1, 1 << 30)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not keep it")
def test_memory_is_bounded_by_the_image() -> None:
    """A worker gets the memory that an image of so many pixels needs; the next one may be larger."""
    said = subprocess.run([sys.executable, "-c", _ALLOCATE], capture_output=True, check=True, text=True)
    assert said.stdout.split() == ["refused", str(1 << 30)]


def _list_left(scratch: Path) -> list[Path]:
    return [path for path in scratch.glob("*/*") if path.name != "lock"]


def _is_running(pid: int) -> bool:
    """Hold iff the process exists and has not ended; one that ended is still listed until it is waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text("ascii").rpartition(")")[2].split()[0] != "Z"
