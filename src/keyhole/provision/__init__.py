"""From the blueprint to AWS: what is there, what would change, and changing it."""

from keyhole.provision.apply import Applied, Event, Failure, apply_plan
from keyhole.provision.plan import Change, Plan, Refusal, Verb, plan_down, plan_up
from keyhole.provision.snapshot import Snapshot, take_snapshot

__all__ = [
    "Applied",
    "Change",
    "Event",
    "Failure",
    "Plan",
    "Refusal",
    "Snapshot",
    "Verb",
    "apply_plan",
    "plan_down",
    "plan_up",
    "take_snapshot",
]
