"""A local AWS in a process of its own, and the example's instance in it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keyhole.aws.client import BotocoreAws
from keyhole.cli.local_aws import connect_local

EXAMPLE = Path(__file__).parent.parent / "examples" / "ai-image-community" / "keyhole.toml"
REGION = "ap-northeast-2"


@contextmanager
def local_aws() -> Iterator[int]:
    """Run a local AWS on a free port; the block begins when it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "keyhole.cli.main", "local", "start", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/_keyhole/status", process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the URL answers."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.005)
    sys.exit(f"the local AWS ended with {process.returncode}")


def connect(port: int) -> BotocoreAws:
    """Give the local AWS as its root sees it."""
    return connect_local(REGION, port, None)


def run_instance(port: int) -> None:
    """Run the instance that the example attaches its role to."""
    command = ["local", "instance", "ai-image-community-api", "--region", REGION, "--port", str(port)]
    subprocess.run([sys.executable, "-m", "keyhole.cli.main", *command], check=True, capture_output=True)
