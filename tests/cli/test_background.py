"""`--local` without a running local AWS: it is started, used, and ended by `keyhole local stop`."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "ai-image-community" / "keyhole.toml"


def keyhole(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "keyhole.cli.main", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ, timeout=60)


def test_local_is_started_if_need_be_and_keeps_running() -> None:
    """Two commands share one local AWS that neither of them was told to start; `stop` ends it and its secret goes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    state = Path(os.environ["KEYHOLE_STATE_DIR"]) / f"local-{port}.json"
    first = keyhole("local", "instance", "ai-image-community-api", "--region", "ap-northeast-2", "--port", port)
    try:
        assert first.returncode == 0, first.stderr
        assert f"started a local AWS at http://127.0.0.1:{port}" in first.stderr
        assert state.stat().st_mode & 0o777 == 0o600
        second = keyhole("plan", "-f", str(EXAMPLE), "--local", "--local-port", port, "--json")
        assert second.returncode == 0, second.stderr
        assert "started" not in second.stderr
        assert json.loads(second.stdout)["account"] == "123456789012"
    finally:
        stopped = keyhole("local", "stop", "--port", port)
    assert stopped.returncode == 0, stopped.stderr
    assert not state.exists()
    assert keyhole("local", "status", "--port", port).returncode == 1
