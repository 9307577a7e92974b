"""The process: it binds before it promises, names the page's URL, and says what is wrong with a port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from service_fakes import make_service_for_test

from keyhole.errors import ExitCode, KeyholeError
from keyhole.service.operation import Operation
from keyhole.service.run import bind, serve, show_url, warn_of_acl

_PROGRAM = """
from service_fakes import make_service_for_test
from keyhole.service.operation import Operation
from keyhole.service.run import serve
serve(make_service_for_test(), Operation(), "127.0.0.1", 0, announce=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def test_a_port_that_is_taken_is_a_clear_error() -> None:
    """The port is named, and another one proposed; nothing is announced."""
    announced: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(KeyholeError) as raised:
            serve(make_service_for_test(), Operation(), "127.0.0.1", port, announce=announced.append)
    assert f"port {port}" in raised.value.message
    assert "--port" in raised.value.hint
    assert raised.value.exit_code is ExitCode.USAGE
    assert announced == []


@pytest.mark.parametrize(("host", "port"), [("203.0.113.1", 0), ("no such host", 0), ("127.0.0.1", 65536)])
def test_an_impossible_address_is_a_clear_error(host: str, port: int) -> None:
    """Neither a foreign address nor a port that cannot be is a traceback."""
    with pytest.raises(KeyholeError) as raised:
        bind(host, port)
    assert raised.value.hint


def test_the_url_is_one_that_a_browser_can_open() -> None:
    """A socket on all addresses is reached at loopback."""
    with bind("0.0.0.0", 0) as listener:
        assert show_url(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_an_interrupt_ends_it_in_good_order() -> None:
    """It answers at the URL it announced, logs one line for that, and returns after Ctrl-C without a traceback."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        for _ in range(200):
            try:
                response = httpx.get(f"{url}v1/rules", trust_env=False)
                break
            except httpx.ConnectError:
                time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert response.status_code == 200
    assert "server" not in response.headers
    assert process.returncode == 0
    assert out == "ended\n"
    (line,) = err.splitlines()
    assert "GET /v1/rules 200" in line


@pytest.mark.parametrize(("acl", "lines"), [("public-read", 1), ("", 0)])
def test_an_acl_that_is_asked_for_is_not_sent_and_that_is_said(
    acl: str, lines: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Programs take AWS_S3_ACL from the environment; the file's buckets take no ACL, so it is said and left out."""
    monkeypatch.setenv("AWS_S3_ACL", acl)
    warn_of_acl()
    assert len(caplog.records) == lines
    assert all("public-read is not sent" in record.getMessage() for record in caplog.records)


def test_the_log_takes_no_line_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A line break in a variable stays within the line."""
    monkeypatch.setenv("AWS_S3_ACL", "private\nFORGED")
    warn_of_acl()
    assert "\n" not in caplog.records[0].getMessage()
