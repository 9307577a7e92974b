"""A local AWS as a process and a listener: it ends at once, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from gate_errors import fetch

from gate_clients import Aws
from keyhole.errors import KeyholeError
from keyhole.local.call import Response
from keyhole.local.http_server import GateServer
from keyhole.local.server import LocalAws


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """A `keyhole local start` that listens, its port, and the folder of its state."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "keyhole.cli.main", "local", "start", "--port", str(port)]
    environment = {**os.environ, "KEYHOLE_STATE_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert process.stdout
    try:
        assert "local AWS at" in process.stdout.readline()
        process.stdout.readline()
        yield process, port, tmp_path
    finally:
        process.kill()
        process.wait(timeout=10)
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(started: tuple[subprocess.Popen[str], int, Path], number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it even with clients connected: no traceback, no state file, nobody listens."""
    process, port, folder = started
    with socket.create_connection(("127.0.0.1", port)) as idle, socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(b"PUT /bucket/key HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf")
        assert (folder / f"local-{port}.json").exists()
        process.send_signal(number)
        output, _ = process.communicate(timeout=10)
        assert _is_over(idle)
    # 130 where the signal comes before it has begun to wait.
    assert process.returncode == 0
    assert "Traceback" not in output
    assert list(folder.glob("*.json")) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def _is_over(connection: socket.socket) -> bool:
    """Hold iff the other side has ended it; one that was not yet accepted when the server ended is reset."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_taken_port_leaves_no_socket_behind(aws: Aws) -> None:
    """A start that fails closes what it opened: an open one would be a ResourceWarning, which is an error here."""
    for _ in range(3):
        with pytest.raises(KeyholeError, match="already running"):
            LocalAws(port=aws.server.port).start()


def test_a_server_that_is_not_stopped_does_not_keep_the_process() -> None:
    """An error between start and stop ends the program: every thread of it is a daemon."""
    script = (
        "from keyhole.local.http_server import GateServer\n"
        "server = GateServer('127.0.0.1', 0, None)\n"
        "server.prepare()\n"
        "raise SystemExit(7)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], timeout=30, check=False)
    assert done.returncode == 7


def test_stopping_waits_for_nobody() -> None:
    """A server that was prepared and never served is stopped all the same."""
    server = GateServer("127.0.0.1", 0, lambda _: Response(204))
    server.prepare()
    server.stop()


def test_a_reset_ends_the_metadata_services(aws: Aws) -> None:
    """What was an instance before a reset answers no more."""
    answer = aws.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    endpoint = aws.server._instances.imds_endpoint(answer["Instances"][0]["InstanceId"])
    assert endpoint
    assert fetch(f"{endpoint}/latest/meta-data/instance-id")[0] == 200
    aws.server.reset()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{endpoint}/latest/meta-data/instance-id", timeout=5)
