"""Alarms on a bucket's request metrics, and the topic that mails them.

AWS: Amazon S3 User Guide, "Metrics and dimensions" (the average of 4xxErrors is their share of all requests);
"CloudWatch metrics configurations".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyhole.naming import Scope
from keyhole.resources import Wanted
from keyhole.resources.alarm import Alarm
from keyhole.resources.bucket import METRICS_ID
from keyhole.resources.topic import Topic
from keyhole.spec import App

TOPIC_ADDRESS = "topic.alarms"
PERIOD_S = 300


def watched_buckets(app: App) -> tuple[str, ...]:
    """Give the keys of the buckets that have alarms."""
    return tuple(app.monitoring.buckets or app.buckets) if app.monitoring else ()


def monitoring_resources(app: App, scope: Scope) -> Iterator[Wanted]:
    """Give the topic and three alarms for each bucket."""
    if app.monitoring is None:
        return
    monitoring = app.monitoring
    name = app.fill(monitoring.topic_name or f"{app.base_name}-alarms", scope.account)
    topic_arn = f"arn:{scope.partition}:sns:{scope.region}:{scope.account}:{name}"
    yield Topic(TOPIC_ADDRESS, topic_arn, tuple(dict.fromkeys(monitoring.mails)), scope.tags)
    for key in watched_buckets(app):
        bucket = app.bucket_name(key, scope.account)
        client, server = monitoring.client_errors_percent, monitoring.server_errors_percent
        limits = {
            "4xx": (_rate("4xxErrors", client), f"alarm at more than {client:g} % of requests refused (4xx)"),
            "5xx": (_rate("5xxErrors", server), f"alarm at more than {server:g} % of requests failed in S3 (5xx)"),
            "surge": (
                {"MetricName": "AllRequests", "Statistic": "Sum", "Threshold": float(monitoring.surge_requests)},
                f"alarm at more than {monitoring.surge_requests:,} requests in five minutes",
            ),
        }
        for limit, (metric, why) in limits.items():
            alarm_name = app.fill(f"{app.base_name}-{key}-{limit}", scope.account)
            rule = {**metric, **_common(bucket, topic_arn), "AlarmDescription": f"{why} on {bucket}"}
            arn = f"arn:{scope.partition}:cloudwatch:{scope.region}:{scope.account}:alarm:{alarm_name}"
            needs = (TOPIC_ADDRESS, f"bucket.{key}")
            yield Alarm(f"alarm.{key}-{limit}", alarm_name, arn, rule, why, scope.tags, needs)


def _rate(metric: str, percent: float) -> dict[str, Any]:
    return {"MetricName": metric, "Statistic": "Average", "Threshold": percent / 100}


def _common(bucket: str, topic_arn: str) -> dict[str, Any]:
    return {
        "Namespace": "AWS/S3",
        "Dimensions": [{"Name": "BucketName", "Value": bucket}, {"Name": "FilterId", "Value": METRICS_ID}],
        "Period": PERIOD_S,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "ActionsEnabled": True,
        "AlarmActions": [topic_arn],
    }
