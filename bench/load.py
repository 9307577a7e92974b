"""Many clients at once against one local AWS: how many calls, how many errors, how much memory.

`python bench/load.py --seconds 60 --clients 64` is the claim; `make bench` runs it for a few seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from story import REGION, connect, local_aws

from keyhole.cli.local_aws import fetch_status

BODY = os.urandom(10_240)
BUCKET = "bench-load"


@dataclass
class Load:
    """What the clients saw, and what the server took."""

    seconds: float
    clients: int
    calls: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    start_mib: int = 0
    end_mib: int = 0

    def __str__(self) -> str:
        rate = self.calls / self.seconds
        errors = f"{sum(self.errors.values())} errors {dict(self.errors)}" if self.errors else "no error"
        return (
            f"{self.clients} clients for {self.seconds:.0f} s: {self.calls:,} calls, {rate:,.0f} a second, {errors}; "
            f"the server took {self.start_mib} MiB after its start (target: 150) and {self.end_mib} MiB at the end"
        )


def measure(seconds: float, clients: int = 64) -> Load:
    """Let every client put, get, list and delete objects of its own until the time is over."""
    load = Load(seconds, clients)
    with local_aws() as port:
        pid = int(str((fetch_status(port) or {})["pid"]))
        load.start_mib = resident_mib(pid)
        connect(port).call(
            "s3", "CreateBucket", Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        until = time.monotonic() + seconds
        lock = threading.Lock()
        makers = [threading.Thread(target=_work, args=(port, n, until, load, lock)) for n in range(clients)]
        for thread in makers:
            thread.start()
        for thread in makers:
            thread.join()
        load.end_mib = resident_mib(pid)
    return load


def resident_mib(pid: int) -> int:
    """Give the resident memory of a process, in MiB; Linux only, 0 elsewhere."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


def _work(port: int, number: int, until: float, load: Load, lock: threading.Lock) -> None:
    aws = connect(port)
    calls, errors = 0, Counter[str]()
    key = f"client-{number}/object"
    story: tuple[tuple[str, dict[str, Any]], ...] = (
        ("PutObject", {"Key": key, "Body": BODY}),
        ("GetObject", {"Key": key}),
        ("ListObjectsV2", {"Prefix": f"client-{number}/"}),
        ("DeleteObject", {"Key": key}),
    )
    while time.monotonic() < until:
        for operation, members in story:
            try:
                answer = aws.call("s3", operation, Bucket=BUCKET, **members)
                if operation == "GetObject" and answer["Body"].read() != BODY:
                    errors["another body"] += 1
                calls += 1
            except Exception as error:
                errors[f"{operation}: {type(error).__name__}"] += 1
    with lock:
        load.calls += calls
        load.errors.update(errors)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=64)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keyhole-bench-") as folder:
        os.environ["KEYHOLE_STATE_DIR"] = folder
        load = measure(given.seconds, given.clients)
    print(load)
    sys.exit(1 if load.errors else 0)


if __name__ == "__main__":
    main()
