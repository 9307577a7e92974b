"""What is claimed about speed, measured on this machine: medians, beside a baseline taken in the same run.

Machines are shared and noisy, so read the ratios. `python bench/run.py --quick` takes fewer samples.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))
import commands
import decisions
import gate
import images
import load
import proofs
import prove
import scale
from timing import Rows

import service

console = Console(highlight=False, width=None if sys.stdout.isatty() else 170)


@dataclass(frozen=True, slots=True)
class Row:
    """One claim: seconds by sample, those of a baseline, and the target (seconds) if there is one."""

    what: str
    samples: list[float]
    baseline: str
    baseline_samples: list[float]
    target_s: float | None = None


def main() -> None:
    """Measure everything and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    samples = 3 if parser.parse_args().quick else 9
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="keyhole-bench-") as folder:
        os.environ["KEYHOLE_STATE_DIR"] = folder
        rows = [Row(*row) for measure in MEASURES for row in measure(samples)]
        memory_mib = decisions.measure_memory()
        exploding_mib = proofs.measure_memory()
        crowd = load.measure(seconds=10)
        visitors = service.measure_crowd()
        widths = scale.measure_widths()
    show(rows, samples)
    console.print(f"10,000 managed policies in memory: {memory_mib} MiB for the whole process (target: 400)")
    console.print(f"comparing policies that are built to explode: {exploding_mib} MiB (target: 500)")
    console.print(str(crowd))
    console.print(str(visitors))
    for width in widths:
        console.print(f"{width} (target for 200: 20 s, 300 MB)")
    console.print(f"calls grow {'linearly' if scale.grows_linearly(widths) else '[red]faster than the file[/]'}")


MEASURES: tuple[Callable[[int], Rows], ...] = (
    commands.measure,
    scale.measure,
    gate.measure,
    images.measure,
    service.measure,
    decisions.measure,
    proofs.measure,
    prove.measure,
)


def show(rows: list[Row], samples: int) -> None:
    """Print the table."""
    table = Table(title=f"medians of {samples} samples on {os.cpu_count()} cores", title_justify="left")
    for column, justify in (("what", "left"), ("median", "right"), ("spread", "right"), ("target", "right")):
        table.add_column(column, justify=justify, no_wrap=True)
    table.add_column("baseline in the same run", justify="left")
    table.add_column("ratio", justify="right", no_wrap=True)
    for row in rows:
        median = statistics.median(row.samples)
        base = statistics.median(row.baseline_samples)
        missed = row.target_s is not None and median > row.target_s
        table.add_row(
            row.what,
            f"[red]{readable(median)}[/]" if missed else readable(median),
            f"{readable(min(row.samples))} … {readable(max(row.samples))}",
            f"≤ {readable(row.target_s)}" if row.target_s is not None else "",
            f"{row.baseline}: {readable(base)}",
            f"{median / base:.2f}",
        )
    console.print(table)


def readable(seconds: float) -> str:
    """Give a time in the unit that a person would use."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


if __name__ == "__main__":
    main()
