"""CloudWatch: operation → action; alarms, dashboards, rules and streams by name, metrics by no resource at all.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for Amazon CloudWatch"; CloudWatch API
Reference, PutMetricAlarm, parameter Tags.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyhole.local.actions.row import Context, ContextOf, Need, Place, ResourcesOf, Row, every
from keyhole.local.call import ApiCall


def _named(kind: str, *members: str) -> ResourcesOf:
    """What the call names; one that names nothing means all of that kind."""

    def resources(call: ApiCall, place: Place) -> tuple[str, ...]:
        names: list[str] = []
        for member in members:
            value = call.params.get(member)
            names += [str(name) for name in value] if isinstance(value, list) else [str(value)] if value else []
        return tuple(f"arn:aws:cloudwatch:{place.region}:{place.account}:{kind}{name}" for name in names or ["*"])

    return resources


def _dashboards(*members: str) -> ResourcesOf:
    def resources(call: ApiCall, place: Place) -> tuple[str, ...]:
        values = [call.params.get(member) for member in members]
        names = [name for value in values for name in (value if isinstance(value, list) else [value])]
        return tuple(f"arn:aws:cloudwatch::{place.account}:dashboard/{name}" for name in names)

    return resources


def _tagged(call: ApiCall, _place: Place) -> tuple[str, ...]:
    return (str(call.params.get("ResourceARN", "")),)


def _alarm_actions(call: ApiCall, _place: Place) -> Context:
    members = ("AlarmActions", "OKActions", "InsufficientDataActions")
    arns = [str(arn) for member in members for arn in call.params.get(member) or ()]
    return {"cloudwatch:AlarmActions": tuple(dict.fromkeys(arns))} if arns else {}


def _namespace(call: ApiCall, _place: Place) -> Mapping[str, str]:
    return {"cloudwatch:namespace": str(call.params.get("Namespace", ""))}


_ALARM = _named("alarm:", "AlarmName")
_ALARMS = _named("alarm:", "AlarmNames")
_RULES = _named("insight-rule/", "RuleNames")
_RULE = _named("insight-rule/", "RuleName")
_STREAM = _named("metric-stream/", "Name")
_STREAMS = _named("metric-stream/", "Names")
_DASHBOARD = _dashboards("DashboardName")


def _rows(resource: ResourcesOf, *operations: str, context: ContextOf | None = None) -> dict[str, Row]:
    return {name: (Need(f"cloudwatch:{name}", resource, context=context),) for name in operations}


def _put(operation: str, resource: ResourcesOf, context: ContextOf | None = None) -> dict[str, Row]:
    """Tags given at creation need the permission to tag."""
    needs = (
        Need(f"cloudwatch:{operation}", resource, context=context),
        Need("cloudwatch:TagResource", resource, ("Tags",)),
    )
    return {operation: needs}


ROWS: dict[str, Row] = {
    **_put("PutMetricAlarm", _ALARM, _alarm_actions),
    **_put("PutCompositeAlarm", _ALARM, _alarm_actions),
    **_rows(_ALARMS, "DescribeAlarms", "DeleteAlarms", "EnableAlarmActions", "DisableAlarmActions"),
    **_rows(_ALARM, "SetAlarmState", "DescribeAlarmHistory"),
    **_put("PutDashboard", _DASHBOARD),
    **_rows(_DASHBOARD, "GetDashboard"),
    **_rows(_dashboards("DashboardNames"), "DeleteDashboards"),
    **_put("PutInsightRule", _RULE),
    **_rows(_RULE, "GetInsightRuleReport"),
    **_rows(_RULES, "DeleteInsightRules", "EnableInsightRules", "DisableInsightRules"),
    **_rows(_STREAM, "GetMetricStream", "DeleteMetricStream"),
    **_rows(_STREAMS, "StartMetricStreams", "StopMetricStreams"),
    **_rows(_tagged, "TagResource", "UntagResource", "ListTagsForResource"),
    "PutMetricData": every("cloudwatch:PutMetricData", context=_namespace),
    **{
        name: every(f"cloudwatch:{name}")
        for name in (
            *("GetMetricData", "GetMetricStatistics", "GetMetricWidgetImage", "ListMetrics", "ListDashboards"),
            *("ListMetricStreams", "DescribeAlarmsForMetric", "DescribeAnomalyDetectors", "PutAnomalyDetector"),
            *("DeleteAnomalyDetector", "DescribeInsightRules"),
        )
    },
}
