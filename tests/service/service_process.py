"""The service as a process of its own, over the local AWS, which can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_PROGRAM = """
import json, sys
from service_fakes import make_service_for_test, make_settings_for_test
from dataclasses import replace
from keyhole.aws.client import Credentials
from keyhole.service.operation import Operation
from keyhole.service.run import serve

options = json.loads(sys.argv[1])
credentials = Credentials(**options.pop("credentials"))
region = options.pop("region", "us-east-1")
options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
service = make_service_for_test(replace(make_settings_for_test(**options), region=region))
operation = Operation(credentials=credentials)
serve(service, operation, "127.0.0.1", 0, announce=lambda url: print(url, flush=True))
"""


@dataclass
class ServiceProcess:
    """A running service."""

    process: subprocess.Popen[str]
    url: str

    def kill(self) -> None:
        """End it as a power failure does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def upload(self, data: bytes, **headers: str) -> httpx.Response:
        """Upload one file."""
        with httpx.Client(trust_env=False, timeout=60) as client:
            return client.post(f"{self.url}v1/uploads", files={"file": ("a.png", data)}, headers=headers)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        found = httpx.URL(self.url)
        return found.host, found.port or 80


@contextmanager
def run_service(**options: Any) -> Iterator[ServiceProcess]:
    """Run the service with these settings; `credentials` are those of the workload."""
    folders = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*folders, *(path for path in sys.path if path)])}
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, json.dumps(options)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            _await(url)
            yield ServiceProcess(process, url)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=30)


def _await(url: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(f"{url}healthz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the service does not answer")


class Relay:
    """A wire to another address that can be cut: then connections end as soon as they begin."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.is_cut = False
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            far = socket.create_connection(self._target)
            self._open += [near, far]
            threading.Thread(target=self._copy, args=(near, far), daemon=True).start()
            threading.Thread(target=self._copy, args=(far, near), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (data := source.recv(65536)) and not self.is_cut:
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut it for good."""
        for end in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def relay(url: str) -> Iterator[Relay]:
    """Give a wire to the server at this URL."""
    found = httpx.URL(url)
    wire = Relay((found.host, found.port or 80))
    try:
        yield wire
    finally:
        wire.close()
