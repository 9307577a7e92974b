"""The table of `keyhole verify` at any width: what was tried on what, and what came of it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from keyhole.verify.probe import Probe, Verdict
from keyhole.verify.show import bucket_keys, render_probes
from local_story import blueprint_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "ai-image-community" / "keyhole.toml"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_width_hides_on_what_or_the_outcome(width: int) -> None:
    """A narrow table leaves out what was expected before it cuts what happened."""
    blueprint = blueprint_of(EXAMPLE)
    probes = [Probe(claim, Verdict.HOLDS, "allowed", "") for claim in blueprint.claims]
    text = io.StringIO()
    Console(file=text, width=width).print(render_probes(probes, bucket_keys(blueprint), width=width))
    rows = [line.split() for line in text.getvalue().splitlines() if line.startswith("✓")]
    assert len(rows) == len(probes)
    assert all(row.count("allowed") >= 1 for row in rows)
    assert all("images:" in row for row in rows if "s3:GetObject" in row)
    assert ("expected" in text.getvalue()) == (width >= 72)
