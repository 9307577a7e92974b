"""Who holds a port is named where it can be seen."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from keyhole.errors import KeyholeError
from keyhole.local.port_holder import find_holder
from keyhole.local.server import LocalAws

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")


def test_a_listener_is_named_and_a_start_on_its_port_says_so() -> None:
    """Its process and its program's name; a port that nobody listens on has no holder."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert find_holder(port).startswith(f"process {os.getpid()}, ")
        with pytest.raises(KeyholeError, match=rf"taken by another program \(process {os.getpid()}, "):
            LocalAws(port=port).start()
    assert find_holder(port) == ""
