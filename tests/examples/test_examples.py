"""The examples, run as a newcomer runs them."""

import os
import subprocess
import sys
from pathlib import Path


def test_the_demo_goes_from_nothing_to_nothing(example_folder: Path) -> None:
    """`make demo CHECK=1`: up, verify, used by a client, forbidden things tried, down, nothing left; exit code 0."""
    demo = example_folder / "ai-image-community" / "demo.py"
    done = subprocess.run(
        [sys.executable, str(demo), "--check"], capture_output=True, text=True, check=False, timeout=300, env=os.environ
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "all 20 claims hold" in done.stdout
    assert "demo passed" in done.stdout
    assert "✗" not in done.stdout
