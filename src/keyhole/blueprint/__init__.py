"""From the file to resources and claims, without I/O."""

from keyhole.blueprint.buckets import OUTSIDE
from keyhole.blueprint.build import Blueprint, build_blueprint
from keyhole.blueprint.claims import ANONYMOUS, GITHUB_JOB, LAUNCHER, Claim, Expected, Target
from keyhole.blueprint.terraform import LOCK_KEY

__all__ = [
    "ANONYMOUS",
    "GITHUB_JOB",
    "LAUNCHER",
    "LOCK_KEY",
    "OUTSIDE",
    "Blueprint",
    "Claim",
    "Expected",
    "Target",
    "build_blueprint",
]
