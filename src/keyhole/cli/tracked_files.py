"""A warning before a key is written to a file that git would commit."""

from __future__ import annotations

from pathlib import Path

from keyhole.cli.console import say_warning
from keyhole.handover.files import is_tracked
from keyhole.handover.steps import SERVICE, place_of
from keyhole.provision.plan import Plan


def warn_of_tracked_files(plan: Plan) -> None:
    """Say of each file that the plan writes a key to and that git tracks."""
    for change in plan.changes:
        for call in change.calls:
            if call.service == SERVICE and call.operation == "WriteValues":
                place = place_of(call)
                if is_tracked(Path(place.target)):
                    say_warning(
                        f"git tracks `{place.shown}`: the secret would be in the next commit",
                        f"git rm --cached {place.shown}, and add it to .gitignore",
                    )
