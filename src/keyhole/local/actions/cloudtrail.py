"""CloudTrail: operation → action; trails by name or ARN, and the role that a trail writes to CloudWatch Logs with.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for AWS CloudTrail"; CloudTrail User
Guide, "Granting custom permissions for CloudTrail users".
"""

from __future__ import annotations

from keyhole.local.actions.row import Need, Place, ResourcesOf, Row, every, pass_role
from keyhole.local.call import ApiCall


def _trail(*members: str) -> ResourcesOf:
    """The trail that the call names; a trail seen from another Region than its own has the ARN of that."""

    def resources(call: ApiCall, place: Place) -> tuple[str, ...]:
        name = next((str(call.params[member]) for member in members if call.params.get(member)), "*")
        if name.startswith("arn:"):
            return (name,)
        arn = f"arn:aws:cloudtrail:{place.region}:{place.account}:trail/{name}"
        found = place.backend.find_resource(arn)
        return (found.arn if found else arn,)

    return resources


def _listed(call: ApiCall, _place: Place) -> tuple[str, ...]:
    return tuple(str(arn) for arn in call.params.get("ResourceIdList") or ())


def _rows(resource: ResourcesOf, *operations: str) -> dict[str, Row]:
    return {name: (Need(f"cloudtrail:{name}", resource),) for name in operations}


_TRAIL = _trail("Name")
_PASS_ROLE = pass_role("cloudtrail.amazonaws.com", "CloudWatchLogsRoleArn")

ROWS: dict[str, Row] = {
    "CreateTrail": (
        Need("cloudtrail:CreateTrail", _TRAIL),
        Need("cloudtrail:AddTags", _TRAIL, ("TagsList",)),
        _PASS_ROLE,
    ),
    "UpdateTrail": (Need("cloudtrail:UpdateTrail", _TRAIL), _PASS_ROLE),
    **_rows(_TRAIL, "DeleteTrail", "GetTrail", "GetTrailStatus", "StartLogging", "StopLogging"),
    **_rows(_trail("TrailName"), "GetEventSelectors", "PutEventSelectors"),
    **_rows(_trail("TrailName", "EventDataStore"), "GetInsightSelectors"),
    **_rows(_trail("TrailName", "InsightsDestination", "EventDataStore"), "PutInsightSelectors"),
    **_rows(_trail("ResourceId"), "AddTags", "RemoveTags"),
    **_rows(_listed, "ListTags"),
    **{
        name: every(f"cloudtrail:{name}") for name in ("DescribeTrails", "ListTrails", "LookupEvents", "ListPublicKeys")
    },
}
