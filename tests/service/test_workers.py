"""Several processes on one socket: they serve alike, are replaced when they die, and end together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from gate_clients import Aws
from keyhole.service.callers.tokens import FILE_NAME, make_token
from keyhole.service.workers import choose_wait

_PROGRAM = """
import os, sys
from dataclasses import replace
from pathlib import Path
from service_fakes import make_service_for_test, make_settings_for_test
from keyhole.aws.client import Credentials
from keyhole.errors import KeyholeError
from keyhole.service.operation import Operation
from keyhole.service.run import serve
from keyhole.spec.uploads import TokenCallers

folder, bucket, endpoint, key, secret, workers, drain_delay = sys.argv[1:]

def load():
    if Path(folder, "broken").exists():
        raise KeyholeError("the file is broken")
    largest = int(Path(folder, "max_bytes").read_text())
    settings = make_settings_for_test(max_bytes=largest, endpoint_url=endpoint)
    settings = replace(settings, bucket=bucket, region="us-east-1", callers=("app",))
    service = make_service_for_test(settings, callers={"app": TokenCallers(kind="token")})
    return service, Operation(
        workers=int(workers), tokens_file=Path(folder, "keyhole.tokens.json"), credentials=Credentials(key, secret),
        drain_delay_s=float(drain_delay),
    )

serve(*load(), "127.0.0.1", 0, announce=lambda url: print(url, flush=True), reload=load)
print("ended", flush=True)
"""
T = TypeVar("T")


def await_it(look: Callable[[], T | None], what: str) -> T:
    """Give what `look` gives as soon as it gives something."""
    for _ in range(2400):
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within two minutes")


def is_alive(pid: int) -> bool:
    """Hold iff there is such a process, and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@dataclass
class Group:
    """A service of several processes, and what it says."""

    process: subprocess.Popen[str]
    folder: Path
    token: str
    url: str = ""
    lines: list[str] = field(default_factory=list)

    def worker_pids(self) -> set[int]:
        """The workers, not the processes that look at images for them."""
        found = set()
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(entry.read_text().rpartition(")")[2].split()[1])
                words = (entry.parent / "cmdline").read_bytes()
            except OSError:
                continue
            if parent == self.process.pid and b"keyhole.service.worker" in words:
                found.add(int(entry.parent.name))
        return found

    def ask(self, path: str = "/v1/rules") -> httpx.Response | None:
        """Ask on a connection of its own; None while nobody answers."""
        try:
            return httpx.get(
                self.url.rstrip("/") + path,
                headers={"Authorization": f"Bearer {self.token}"},
                trust_env=False,
                timeout=30,
            )
        except httpx.TransportError:
            return None

    def says(self, text: str) -> bool:
        """Hold iff a line with this in it was logged."""
        return any(text in line for line in self.lines)


@contextmanager
def run_group(aws: Aws, folder: Path, *, workers: int = 2, drain_delay: float = 0) -> Iterator[Group]:
    """Run the service until the end of the block."""
    token, _ = make_token(folder / FILE_NAME, "app", "ana")
    (folder / "max_bytes").write_text("1000")
    temporary = folder / "tmp"
    temporary.mkdir()
    path = os.pathsep.join(entry for entry in sys.path if entry)
    root = aws.root
    given = (folder, aws.bucket(), aws.url, root.access_key_id, root.secret_access_key, workers, drain_delay)
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *map(str, given)],
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        group = Group(process, folder, token)
        assert process.stdout is not None
        assert process.stderr is not None
        stderr = process.stderr
        listener = threading.Thread(target=lambda: group.lines.extend(stderr), daemon=True)
        try:
            group.url = process.stdout.readline().strip()
            listener.start()
            yield group
        finally:
            if process.poll() is None:
                process.kill()
            listener.join(timeout=30)


def answered(group: Group) -> httpx.Response:
    return await_it(group.ask, "an answer")


def test_the_group_lives_through_deaths_and_reloads(aws: Aws, tmp_path: Path) -> None:
    """One story, for processes take long to start.

    Sessions of one worker are known to all; a worker that is killed is replaced; SIGHUP lets all begin with the file
    as it is then, unless it is broken; metrics of all come out of each; SIGTERM ends all, and nothing is left.
    """
    with run_group(aws, tmp_path) as group:
        assert answered(group).status_code == 200
        first = await_it(lambda: pids if len(pids := group.worker_pids()) == 2 else None, "two workers")
        begun = httpx.post(f"{group.url}v1/session", json={"token": group.token}, trust_env=False)
        cookie = begun.headers["set-cookie"].partition(";")[0]
        for _ in range(10):
            answer = httpx.get(f"{group.url}v1/session", headers={"Cookie": cookie}, trust_env=False)
            assert answer.json()["name"] == "ana"

        killed = min(first)
        os.kill(killed, signal.SIGKILL)
        second = await_it(
            lambda: pids if len(pids := group.worker_pids()) == 2 and killed not in pids else None, "another worker"
        )
        assert len(first & second) == 1
        assert answered(group).status_code == 200
        await_it(lambda: group.says(f"worker {killed} ended (signal 9)"), "the death in the log")

        (tmp_path / "broken").touch()
        group.process.send_signal(signal.SIGHUP)
        await_it(lambda: group.says("not reloaded: the file is broken"), "the refusal in the log")
        assert group.worker_pids() == second
        (tmp_path / "broken").unlink()
        (tmp_path / "max_bytes").write_text("2000")
        group.process.send_signal(signal.SIGHUP)
        third = await_it(
            lambda: pids if len(pids := group.worker_pids()) == 2 and not pids & second else None, "new workers"
        )
        assert third
        assert answered(group).json()["uploads"][0]["max_bytes"] == 2000
        again = httpx.get(f"{group.url}v1/session", headers={"Cookie": cookie}, trust_env=False)
        assert again.json()["name"] == "ana"

        metrics = httpx.get(f"{group.url}metrics", trust_env=False).text
        asked = 'keyhole_http_requests_total{method="GET",route="/v1/session",status="200"} '
        (line,) = [line for line in metrics.splitlines() if line.startswith(asked)]
        assert float(line.rpartition(" ")[2]) == 11

        group.process.send_signal(signal.SIGTERM)
        assert group.process.wait(timeout=120) == 0
        assert not any(is_alive(pid) for pid in third)
        assert list((tmp_path / "tmp").glob("keyhole-metrics-*")) == []
    text = "".join(group.lines)
    assert "Traceback" not in text, text
    assert not group.says("Fatal")
    assert not group.says(group.token)


def test_workers_do_not_outlive_their_parent(aws: Aws, tmp_path: Path) -> None:
    """Whatever ends it, the socket is free afterwards."""
    with run_group(aws, tmp_path) as group:
        assert answered(group).status_code == 200
        pids = await_it(lambda: pids if len(pids := group.worker_pids()) == 2 else None, "two workers")
        group.process.kill()
        group.process.wait(timeout=120)
        await_it(lambda: not any(is_alive(pid) for pid in pids), "their end")


def test_workers_that_cannot_live_are_started_less_and_less_often() -> None:
    """At once after the first death, and every half minute in the end."""
    assert [choose_wait(deaths) for deaths in (1, 2, 3, 4, 5, 6, 7, 8, 5000)] == [0, 1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("workers", [1, 2])
def test_before_it_ends_it_says_that_it_is_not_ready(aws: Aws, tmp_path: Path, workers: int) -> None:
    """After SIGTERM `/readyz` is 503 while requests are still answered; then it ends, and its exit code is 0."""
    with run_group(aws, tmp_path, workers=workers, drain_delay=2) as group:
        assert answered(group).status_code == 200
        assert await_it(lambda: group.ask("/readyz"), "readiness").status_code == 200
        if workers == 2:
            await_it(lambda: len(group.worker_pids()) == 2 or None, "two workers")
        group.process.send_signal(signal.SIGTERM)
        seen = set()
        while group.process.poll() is None:
            ready = group.ask("/readyz")
            if ready is not None and ready.status_code == 503:
                rules = group.ask()
                seen.add((ready.json()["type"], rules.status_code if rules is not None else 0))
        assert ("urn:keyhole:problem:draining", 200) in seen
        assert group.process.wait(timeout=120) == 0
        assert group.process.stdout is not None
        assert group.process.stdout.read() == "ended\n"
    text = "".join(group.lines)
    assert "Traceback" not in text, text


@pytest.mark.parametrize("workers", [1, 2])
def test_when_it_takes_nothing_new_callers_are_refused_at_once(aws: Aws, tmp_path: Path, workers: int) -> None:
    """What was begun is finished; a connection that comes meanwhile is refused, and not left to wait."""
    with run_group(aws, tmp_path, workers=workers) as group:
        assert answered(group).status_code == 200
        found = httpx.URL(group.url)
        assert found.port is not None
        address = found.host, found.port
        with socket.create_connection(address) as begun:
            head = f"POST /v1/session HTTP/1.1\r\nHost: {found.host}\r\nContent-Type: application/json\r\n"
            body = f'{{"token": "{group.token}"}}'.encode()
            begun.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body[:5])
            begun.settimeout(60)
            await_it(lambda: in_flight(group) == 2, "the request in the numbers")
            group.process.send_signal(signal.SIGTERM)
            await_it(lambda: is_refused(address), "the refusal")
            assert group.process.poll() is None
            begun.sendall(body[5:])
            assert begun.recv(100).startswith(b"HTTP/1.1 200 ")
        assert group.process.wait(timeout=120) == 0


def in_flight(group: Group) -> int:
    """How many requests are being answered, this one too."""
    answer = group.ask("/metrics")
    text = answer.text if answer is not None else ""
    (line,) = [line for line in text.splitlines() if line.startswith("keyhole_requests_in_flight ")] or ["x 0"]
    return int(float(line.rpartition(" ")[2]))


def is_refused(address: tuple[str, int]) -> bool:
    """Hold iff nobody listens there."""
    try:
        socket.create_connection(address).close()
    except ConnectionRefusedError:
        return True
    return False
