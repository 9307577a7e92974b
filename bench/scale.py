"""The largest app and a very wide one: what `up`, an empty plan and `down` take, their calls, and their memory.

`python bench/scale.py` measures it alone. Targets: the largest app up in 3 s, an empty plan in 1 s, down in 3 s; with
200 buckets and 200 workloads an empty plan in 20 s and 300 MB, its calls growing with the file and no faster.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from story import REGION, connect, local_aws
from timing import Rows

from keyhole.aws import Aws
from keyhole.blueprint import Blueprint, build_blueprint
from keyhole.local.state import read_state
from keyhole.provision import Plan, apply_plan, plan_down, plan_up, take_snapshot
from keyhole.spec import load_spec

ACCOUNT = "123456789012"
LARGEST = f"""\
[app]
name = "llmops"
region = "{REGION}"
[buckets.state]
versioning = true
[buckets.models]
[buckets.audit]
[workloads.terraform]
kind = "role"
boundary = true
grants = [{{ bucket = "state", verbs = ["read", "write", "delete", "list"] }}]
[workloads.deploy]
kind = "github-actions"
repository = "acme/llmops"
branch = "main"
grants = [{{ bucket = "state", verbs = ["read", "write", "delete", "list"] }}]
[workloads.execution]
kind = "ecs"
[workloads.task]
kind = "ecs"
boundary = true
grants = [
  {{ bucket = "models", prefix = "models/", verbs = ["read", "list"] }},
  {{ bucket = "models", prefix = "outputs/", verbs = ["read", "write"] }},
]
[workloads.server]
kind = "access-key"
grants = [{{ bucket = "models", prefix = "inbox/", verbs = ["write"] }}]
[terraform_state]
bucket = "state"
table_name = "llmops-terraform-locks"
workloads = ["terraform", "deploy"]
[audit]
bucket = "audit"
trail_name = "llmops-trail"
[monitoring]
mails = ["ops@example.com"]
"""
WIDE_SIZES = (50, 100, 200)


class CountingAws:
    """Passes calls on and counts them."""

    def __init__(self, below: Aws) -> None:
        self._below = below
        self._lock = threading.Lock()
        self.region = below.region
        self.endpoint_url = below.endpoint_url
        self.count = 0

    def _note(self) -> None:
        with self._lock:
            self.count += 1

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Make one call and count it."""
        self._note()
        return self._below.call(service, operation, **params)

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Make a listing and count it once."""
        self._note()
        return self._below.pages(service, operation, result_key, **params)


@dataclass(frozen=True, slots=True)
class Width:
    """An empty plan of so many buckets and as many workloads."""

    size: int
    resources: int
    calls: int
    seconds: float
    memory_mb: int

    def __str__(self) -> str:
        return (
            f"{self.size} buckets and {self.size} workloads: {self.resources} resources, {self.calls:,} calls, "
            f"empty plan in {self.seconds:.1f} s, {self.memory_mb} MB"
        )


def measure(samples: int) -> Rows:
    """Measure the largest app as a person waits for it: process start to exit."""
    ups: list[float] = []
    plans: list[float] = []
    downs: list[float] = []
    warm: list[tuple[float, float, float]] = []
    server_mib: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "keyhole.toml"
        file.write_text(LARGEST, "utf-8")
        blueprint = build_blueprint(load_spec(file), ACCOUNT)
        for _ in range(samples):
            # Just started: what it loads at the first call of each service is in the time of `up`.
            with local_aws() as port:
                ups.append(command("up", file, port, "--yes"))
                plans.append(command("plan", file, port))
                downs.append(command("down", file, port, "--yes"))
                warm.append(story(connect(port), blueprint))
                server_mib.append(peak_mib(port))
    size = f"llmops, {len(blueprint.resources)} resources"
    same = "the same in a process that runs, of an AWS that is warm"
    print(f"the local AWS took {max(server_mib)} MiB at most for it")
    return [
        (f"keyhole up, {size}, from nothing, AWS just started", ups, same, [times[0] for times in warm], 3.0),
        (f"keyhole plan, {size}, nothing to do", plans, same, [times[1] for times in warm], 1.0),
        (f"keyhole down, {size}", downs, same, [times[2] for times in warm], 3.0),
    ]


def command(verb: str, file: Path, port: int, *flags: str) -> float:
    """Run a command and give its wall time; it must succeed."""
    words = [verb, "-f", str(file), "--local", "--local-port", str(port), *flags]
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "keyhole.cli.main", *words], check=True, capture_output=True)
    return time.perf_counter() - started


def peak_mib(port: int) -> int:
    """Give the largest resident memory that the local AWS has had, in MiB, 0 where the system does not tell."""
    state = read_state(port)
    status = Path(f"/proc/{state.pid}/status") if state else None
    if status is None or not status.exists():
        return 0
    return int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))) // 1024


def story(aws: Aws, blueprint: Blueprint) -> tuple[float, float, float]:
    """Give the seconds of up, an empty plan and down, without starting a process."""
    started = time.perf_counter()
    carried_out(planned(aws, blueprint), aws)
    is_up = time.perf_counter()
    if not planned(aws, blueprint).is_empty:
        sys.exit("there is something left to do after `up`")
    is_planned = time.perf_counter()
    carried_out(plan_down(blueprint, take_snapshot(aws, blueprint, only_ours=True)), aws)
    return is_up - started, is_planned - is_up, time.perf_counter() - is_planned


def planned(aws: Aws, blueprint: Blueprint) -> Plan:
    """Give what `up` would do."""
    return plan_up(blueprint, take_snapshot(aws, blueprint))


def carried_out(plan: Plan, aws: Aws) -> None:
    """Apply the plan; it must succeed."""
    applied = apply_plan(plan, aws)
    if not applied.is_complete:
        sys.exit("\n".join(str(failure.error) for failure in applied.failures))


def measure_widths(sizes: tuple[int, ...] = WIDE_SIZES) -> list[Width]:
    """Measure an empty plan of wider and wider files, each in a fresh local AWS."""
    return [measure_width(size) for size in sizes]


def measure_width(size: int) -> Width:
    """Measure an empty plan of so many buckets and as many workloads that use one each."""
    with tempfile.TemporaryDirectory() as folder, local_aws() as port:
        file = Path(folder) / "keyhole.toml"
        file.write_text(wide_file(size), "utf-8")
        blueprint = build_blueprint(load_spec(file), ACCOUNT)
        aws = CountingAws(connect(port))
        carried_out(planned(aws, blueprint), aws)
        aws.count = 0
        started = time.perf_counter()
        plan = planned(aws, blueprint)
        seconds = time.perf_counter() - started
        if not plan.is_empty:
            sys.exit(f"{size}: there is something left to do after `up`")
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return Width(size, len(blueprint.resources), aws.count, seconds, kilobytes // 1024)


def wide_file(size: int) -> str:
    """Give a file of so many buckets and as many workloads."""
    lines = [f'[app]\nname = "wide"\nregion = "{REGION}"']
    lines += [f"[buckets.b{number}]" for number in range(size)]
    for number in range(size):
        grants = f'[{{ bucket = "b{number}", prefix = "in/", verbs = ["read", "write"] }}]'
        lines.append(f'[workloads.w{number}]\nkind = "role"\ngrants = {grants}')
    return "\n".join(lines) + "\n"


def grows_linearly(widths: list[Width]) -> bool:
    """Hold iff each further bucket and workload costs no more calls than those before."""
    first, *_, last = widths
    per_step = (last.calls - first.calls) / (last.size - first.size)
    return all(abs(width.calls - first.calls - per_step * (width.size - first.size)) <= 2 for width in widths)


def main() -> None:
    """Measure the largest app and the wide ones, and print it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="keyhole-bench-") as folder:
        os.environ["KEYHOLE_STATE_DIR"] = folder
        for what, seconds, baseline, base, target in measure(3):
            medians = statistics.median(seconds), statistics.median(base)
            print(f"{what}: {medians[0]:.2f} s (target {target} s); {baseline}: {medians[1]:.2f} s")
        widths = measure_widths()
    for width in widths:
        print(width)
    print(f"calls grow {'linearly' if grows_linearly(widths) else 'FASTER than the file'}")


if __name__ == "__main__":
    main()
