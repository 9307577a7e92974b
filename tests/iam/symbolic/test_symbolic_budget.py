"""Whatever is asked, an answer comes within the budget, with little memory, and never by a guess."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from exploding_policies import cross_product, crossing_stars, inside_of_stars

from keyhole.iam import Policy, PolicyKind
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.compare import is_within
from keyhole.iam.symbolic.question import Verdict

PAIRS = {
    "crossing stars": crossing_stars(40),
    "inside of stars": inside_of_stars(24),
    "cross product": cross_product(200),
}


@pytest.mark.parametrize("name", PAIRS)
def test_it_ends_within_its_steps(name: str) -> None:
    """Few steps are soon spent, however slow the machine: then it cannot be told, and the reason says what it took."""
    budget = Budget(60.0, steps=2_000)
    for first, second in (PAIRS[name], PAIRS[name][::-1]):
        answer = is_within(first, second, PolicyKind.IDENTITY, budget)
        if answer.verdict is Verdict.UNKNOWN:
            assert "steps" in answer.reason
    assert budget.spent < 2_000 + 60_000


def test_it_ends_when_its_time_is_over() -> None:
    """Nothing takes long between two looks at the clock."""
    answer = is_within(*inside_of_stars(24), PolicyKind.IDENTITY, Budget(0.2))
    assert answer.verdict is Verdict.UNKNOWN
    assert "longer than 0.2 s" in answer.reason


def test_statements_without_end_are_no_deep_recursion() -> None:
    """Thousands of statements are as deep as one."""
    first, second = cross_product(2_000)
    answer = is_within(Policy(first.statements * 2), second, PolicyKind.IDENTITY, Budget(0.5))
    assert answer.verdict in {Verdict.UNKNOWN, Verdict.FAILS}


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from exploding_policies import cross_product, inside_of_stars
from keyhole.iam import PolicyKind
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.compare import is_within
for pair in (inside_of_stars(24), cross_product(200)):
    for first, second in (pair, pair[::-1]):
        is_within(first, second, PolicyKind.IDENTITY, Budget(1.0))
# Not ru_maxrss: that counts what the process was before it became this program.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="THE MEMORY IS NOT MEASURED: this is no Linux")
def test_it_takes_little_memory() -> None:
    """Under 500 MB, whatever is asked."""
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)]
    peak_mib = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert peak_mib < 500
