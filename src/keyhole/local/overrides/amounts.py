"""How much one call may ask for: without AWS's limits moto would work for hours, and let nobody else in meanwhile.

AWS: CloudWatch API Reference, GetMetricStatistics and GetMetricData; ECS API Reference, RunTask, count; EC2 User Guide,
"Amazon EC2 instance type quotas".
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from keyhole.local.call import ApiCall, Fault
from keyhole.local.object_lock import parse_moment

_MAX_STATISTICS = 1440
_MAX_DATAPOINTS = 100_800
# moto keeps a value that was counted a thousand times a thousand times.
_MAX_COUNTED = 10_000
_MAX_TASKS = 10
_MAX_INSTANCES = 100


def check_amounts(call: ApiCall) -> None:
    """Hold iff the call asks for no more than AWS gives at once. Raises: Fault."""
    if check := _CHECKS.get((call.service, call.operation)):
        check(call)


def _check_statistics(call: ApiCall) -> None:
    count = _datapoints(call, call.params.get("Period"))
    if count > _MAX_STATISTICS:
        message = (
            f"You have requested up to {count} datapoints, which exceeds the limit of {_MAX_STATISTICS}. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
        raise Fault("InvalidParameterCombination", message, 400)


def _check_data(call: ApiCall) -> None:
    queries = call.params.get("MetricDataQueries") or ()
    periods = [(query.get("MetricStat") or query).get("Period") for query in queries]
    if sum(_datapoints(call, period) for period in periods if period is not None) > _MAX_DATAPOINTS:
        message = f"The queries ask for more than {_MAX_DATAPOINTS} datapoints, which Keyhole's local AWS does not page"
        raise Fault("ValidationError", message, 400)


def _check_counts(call: ApiCall) -> None:
    data = call.params.get("MetricData") or ()
    if not sum(float(count) for datum in data for count in datum.get("Counts") or ()) <= _MAX_COUNTED:
        message = f"The Counts of one call add up to {_MAX_COUNTED} at most in Keyhole's local AWS"
        raise Fault("InvalidParameterValue", message, 400)


def _datapoints(call: ApiCall, period: Any) -> int:
    start, end = (_moment(call.params.get(name)) for name in ("StartTime", "EndTime"))
    if start is None or end is None or int(period or 0) < 1:
        raise Fault("InvalidParameterValue", "StartTime, EndTime and Period must be a range of time and a part of it.")
    return math.ceil(max(0.0, (end - start).total_seconds()) / int(period))


def _moment(given: Any) -> datetime | None:
    if not isinstance(given, int | float):
        return parse_moment(given)
    try:
        return datetime.fromtimestamp(given, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _check_tasks(call: ApiCall) -> None:
    if not 1 <= int(call.params.get("count", 1)) <= _MAX_TASKS:
        raise Fault("InvalidParameterException", f"count must be between 1 and {_MAX_TASKS}.", 400)


def _check_instances(call: ApiCall) -> None:
    least, most = int(call.params.get("MinCount", 1)), int(call.params.get("MaxCount", 1))
    if least < 1 or most < least:
        message = f"Minimum instance count ({least}) must be positive and not more than the maximum ({most})"
        raise Fault("InvalidParameterValue", message, 400)
    if most > _MAX_INSTANCES:
        message = (
            f"You have requested more instances ({most}) than your current instance limit of {_MAX_INSTANCES} allows "
            "for the specified instance type."
        )
        raise Fault("InstanceLimitExceeded", message, 400)


_CHECKS = {
    ("cloudwatch", "GetMetricStatistics"): _check_statistics,
    ("cloudwatch", "GetMetricData"): _check_data,
    ("cloudwatch", "PutMetricData"): _check_counts,
    ("ecs", "RunTask"): _check_tasks,
    ("ec2", "RunInstances"): _check_instances,
}
