"""What many uploads took is given back."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import os, threading
from keyhole.service.memory import keep_memory_flat

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def use():
    for _ in range(3):
        buffers = [b"x" * 2_000_000 for _ in range(6)]

keep_memory_flat()
before = resident()
threads = [threading.Thread(target=use) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print((resident() - before) // 1024 // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process takes")
def test_large_buffers_go_back_to_the_system() -> None:
    """After sixteen threads have held twelve megabytes each, hardly any of it is left."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20
