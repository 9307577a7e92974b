"""Whole commands, as a person waits for them: process start to exit, against the local AWS."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request

from story import EXAMPLE, connect, local_aws, run_instance
from timing import Rows

from keyhole.blueprint import build_blueprint
from keyhole.provision import plan_up, take_snapshot
from keyhole.spec import load_spec


def measure(samples: int) -> Rows:
    """Measure help, start-up, `up` from nothing and a plan with nothing to do."""
    python = [timed([sys.executable, "-c", "pass"]) for _ in range(samples)]
    help_ = [timed(keyhole("--help")) for _ in range(samples)]
    starts = [start_up() for _ in range(samples)]
    importing = [timed([sys.executable, "-c", "import flask, moto.s3.models, moto.iam.models"]) for _ in range(samples)]
    ups, bare_ups, plans, bare_plans = [], [], [], []
    for _ in range(samples):
        with local_aws() as port:
            run_instance(port)
            at = ("-f", str(EXAMPLE), "--local", "--local-port", str(port))
            bare_ups.append(bare_calls(port))
            with_fresh_account(port)
            ups.append(timed(keyhole("up", *at, "--yes")))
            plans.append(timed(keyhole("plan", *at)))
            bare_plans.append(bare_reads(port))
    return [
        ("keyhole --help", help_, "python -c pass", python, 0.3),
        ("local AWS: process start to first answer", starts, "importing moto's S3 and IAM", importing, 1.5),
        ("keyhole up, from nothing", ups, "its calls by bare botocore, one by one, no process start", bare_ups, 3.0),
        ("keyhole plan, nothing to do", plans, "its reads by bare botocore, no process start", bare_plans, 1.0),
    ]


def keyhole(*words: str) -> list[str]:
    return [sys.executable, "-m", "keyhole.cli.main", *words]


def timed(command: list[str]) -> float:
    """Run a command and give its wall time; it must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def start_up() -> float:
    """Give the time from starting the process to its first answer to a signed call."""
    started = time.perf_counter()
    with local_aws() as port, urllib.request.urlopen(f"http://127.0.0.1:{port}/_keyhole/status") as answer:
        json.load(answer)
        return time.perf_counter() - started


def bare_calls(port: int) -> float:
    """Make the example's calls with nothing around them, one after the other."""
    aws = connect(port)
    blueprint = build_blueprint(load_spec(EXAMPLE), "123456789012")
    plan = plan_up(blueprint, take_snapshot(aws, blueprint))
    started = time.perf_counter()
    done: set[str] = set()
    while len(done) < len(plan.changes):
        for change in plan.changes:
            if change.address not in done and set(change.after) <= done:
                for call in change.calls:
                    aws.call(call.service, call.operation, **call.params)
                done.add(change.address)
    return time.perf_counter() - started


def with_fresh_account(port: int) -> None:
    """Take away what the bare calls made."""
    subprocess.run(
        keyhole("down", "-f", str(EXAMPLE), "--local", "--local-port", str(port), "--yes"),
        check=True,
        capture_output=True,
    )


def bare_reads(port: int) -> float:
    """Read the same state with warm clients and nothing around it."""
    aws = connect(port)
    blueprint = build_blueprint(load_spec(EXAMPLE), "123456789012")
    take_snapshot(aws, blueprint)
    started = time.perf_counter()
    take_snapshot(aws, blueprint)
    return time.perf_counter() - started
