"""Policies in files, each labelled by the file's name as it was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keyhole.errors import KeyholeError
from keyhole.iam import Policy, PolicyKind, parse_policy

SEPARATOR = ","
"""Between the files of one level of an organization."""


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """The files of each layer. `scps`, `rcps`: one word for each level, its files joined by commas, root first."""

    identity: tuple[Path, ...] = ()
    resource: Path | None = None
    trust: Path | None = None
    boundaries: tuple[Path, ...] = ()
    session: tuple[Path, ...] = ()
    scps: tuple[str, ...] = ()
    rcps: tuple[str, ...] = ()
    endpoints: tuple[Path, ...] = ()


def read_policy(file: Path, kind: PolicyKind) -> Policy:
    """The policy in a file.

    Raises: KeyholeError for a file that cannot be read, and for a policy that AWS would refuse.
    """
    label = str(file).encode(errors="backslashreplace").decode()
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: the path has a null character
        reason = str(getattr(error, "strerror", "") or error).lower()
        raise KeyholeError(f"`{label}` cannot be read: {reason}", hint="give the path of a policy document") from None
    try:
        return parse_policy(content, kind, label, file=label)
    except KeyholeError as error:
        raise KeyholeError(str(error), hint=error.hint) from None


def read_policies(files: Sequence[Path], kind: PolicyKind) -> tuple[Policy, ...]:
    """The policies in several files. Raises: KeyholeError."""
    return tuple(read_policy(file, kind) for file in files)


def read_levels(levels: Sequence[str], kind: PolicyKind) -> tuple[tuple[Policy, ...], ...]:
    """The policies of an organization's levels, root first: `full.json,deny.json` is one level of two policies.

    Raises: KeyholeError.
    """
    return tuple(read_policies([Path(name) for name in level.split(SEPARATOR)], kind) for level in levels)
