"""The steps of a hand-over as calls of a plan: what they are for can be printed, what they carry is not in them.

The service `handover` is this machine; a secret's value is put by Secrets Manager's own call, with placeholders in it.
"""

from __future__ import annotations

import json

from keyhole.aws import Call
from keyhole.handover.place import Place

SERVICE = "handover"


def take_step(place: Place) -> Call:
    """Give the step that takes the key from a place where it is, for the others."""
    return Call(SERVICE, "TakeKey", _params(place), why=f"take the key from {place.sentence}")


def write_step(place: Place, why: str = "", *, destructive: bool = False) -> Call:
    """Give the step that writes the key to a place."""
    if place.is_secret:
        params = {"SecretId": place.target, "SecretString": json.dumps(place.values)}
        return Call("secretsmanager", "PutSecretValue", params, destructive, why or f"put it into {place.sentence}")
    why = why or f"write it to {place.sentence}, for its owner alone (0600)"
    return Call(SERVICE, "WriteValues", _params(place), destructive, why)


def remove_step(place: Place) -> Call:
    """Give the step that takes the hand-over's values out of a file."""
    why = f"take the key out of {place.sentence}; a file with nothing else in it is deleted"
    return Call(SERVICE, "RemoveValues", _params(place), destructive=True, why=why)


def place_of(step: Call) -> Place:
    """Give the place that a step is about."""
    if step.operation == "PutSecretValue":
        target = str(step.params["SecretId"])
        return Place("json", target, json.loads(step.params["SecretString"]), target)
    params = step.params
    return Place(str(params["Format"]), str(params["Target"]), dict(params["Values"]), str(params["Shown"]))


def _params(place: Place) -> dict[str, object]:
    return {"Format": place.format, "Target": place.target, "Shown": place.shown, "Values": place.values}
