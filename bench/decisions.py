"""The policy engine, in this process, on one core: decisions by compiled policies beside the plain path.

W1 is one statement; W2 ten managed policies of five statements, a boundary and a bucket policy, one request; W3 a
thousand different requests against W2.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from timing import Rows, repeat
from workloads import documents, one_statement, ten_policies, thousand_requests

from keyhole.iam import PolicySet, Request, decide
from keyhole.iam.compiled import compile_policies

PLAIN = "decide, not compiled, with trace"


def measure(samples: int) -> Rows:
    """Measure the three workloads with and without trace, parsing and compiling, and memory."""
    rows: Rows = []
    one, first = one_statement()
    ten, second = ten_policies()
    _, thousand = thousand_requests()
    workloads: tuple[tuple[str, PolicySet, list[Request], float], ...] = (
        ("W1, one statement", one, [first], 1 / 500_000),
        ("W2, ten policies and limits", ten, [second], 1 / 60_000),
        ("W3, a thousand requests", ten, thousand, 1 / 60_000),
    )
    for name, policies, requests, target_s in workloads:
        evaluator = compile_policies(policies)
        loops = 20 if len(requests) > 1 else 20_000
        plain = each(lambda request, to=policies: decide(request, to), requests, samples, max(1, loops // 50))
        rows.append((f"decision: {name}", each(evaluator.decide, requests, samples, loops), PLAIN, plain, target_s))
        traced = each(evaluator.trace, requests, samples, max(1, loops // 5))
        rows.append((f"decision: {name}, with trace", traced, PLAIN, plain, 2 * target_s))
    texts = [*documents()[0], *documents()[1:]]
    reading = repeat(lambda: [sys.modules["json"].loads(text) for text in texts], samples, 20)
    building = repeat(lambda: compile_policies(ten_policies()[0]), samples, 20)
    rows.append(("parse and compile W2's policies", building, "json.loads of them", reading, 0.005))
    return rows


def each(decide_one: Callable[[Request], object], requests: list[Request], samples: int, loops: int) -> list[float]:
    """Give seconds for one decision."""
    if len(requests) == 1:
        (only,) = requests
        return repeat(lambda: decide_one(only), samples, loops)

    def all_of_them() -> None:
        for request in requests:
            decide_one(request)

    return [seconds / len(requests) for seconds in repeat(all_of_them, samples, loops)]


MEMORY = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from workloads import documents
from keyhole.iam import PolicyKind, parse_policy
texts = documents()[0]
numbered = ((n, texts[n % 10].replace("app-", f"app-{n}-")) for n in range(10_000))
policies = [parse_policy(text, PolicyKind.IDENTITY, name=str(n)) for n, text in numbered]
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024)
"""


def measure_memory() -> int:
    """Give the peak memory, in MiB, of a process that holds 10,000 managed policies."""
    command = [sys.executable, "-c", MEMORY, str(Path(__file__).parent)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
