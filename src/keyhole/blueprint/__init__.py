"""From the file to resources and claims, without I/O."""

from keyhole.blueprint.buckets import OUTSIDE
from keyhole.blueprint.build import Blueprint, build_blueprint
from keyhole.blueprint.claims import ANONYMOUS, Claim, Expected, Target

__all__ = ["ANONYMOUS", "OUTSIDE", "Blueprint", "Claim", "Expected", "Target", "build_blueprint"]
