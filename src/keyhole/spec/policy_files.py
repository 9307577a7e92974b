"""The policy files that workloads name, as text: what they say is judged when the account is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

from keyhole.spec.model import App
from keyhole.spec.positions import Path


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy file: as the spec names it, and its text."""

    name: str
    text: str


def read_policy_files(app: App, folder: FilePath) -> tuple[dict[str, PolicyFile], list[tuple[Path, str, str]]]:
    """Give the policy file of each workload that has one, and the mistakes of those that cannot be read."""
    files: dict[str, PolicyFile] = {}
    mistakes: list[tuple[Path, str, str]] = []
    for key, workload in app.workloads.items():
        name = workload.policy_file
        if name is None:
            continue
        try:
            files[key] = PolicyFile(name, (folder / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            mistakes.append(
                (
                    ("workloads", key, "policy_file"),
                    f"policy file `{name}` of workload `{key}` cannot be read: {str(why).lower()}",
                    "name a JSON file, relative to this one",
                )
            )
    return files, mistakes
