"""What moto keeps of a resource that is gone, and would give to the next one of that name: its policy, its tags."""

from __future__ import annotations

from typing import Any

from keyhole.local.call import ApiCall
from keyhole.local.moto_resources import find_state, parse_arn


def forget_resource(call: ApiCall, account: str) -> None:
    """Take away what belonged to the table, alarms or trail that the call has just deleted."""
    place = f"{call.region}:{account}"
    if call.service == "dynamodb" and call.operation == "DeleteTable":
        name = str(call.params.get("TableName", "")).rpartition("/")[2]
        arn = f"arn:aws:dynamodb:{place}:table/{name}"
        _state(arn).resource_policies.pop(arn, None)
    elif call.service == "cloudwatch" and call.operation == "DeleteAlarms":
        for name in call.params.get("AlarmNames") or ():
            arn = f"arn:aws:cloudwatch:{place}:alarm:{name}"
            _state(arn).tagger.delete_all_tags_for_resource(arn)
    elif call.service == "cloudtrail" and call.operation == "DeleteTrail":
        name = str(call.params.get("Name", "")).rpartition("/")[2]
        arn = f"arn:aws:cloudtrail:{place}:trail/{name}"
        _state(arn).tagging_service.delete_all_tags_for_resource(arn)


def _state(arn: str) -> Any:
    asked = parse_arn(arn)
    return find_state(asked) if asked else None
