"""Tags of resources as conditions: each kind that has tags is allowed by them, and no longer once they are gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gate_errors import refusal

from gate_clients import Aws, allow, document

TAGS = [{"Key": "team", "Value": "a"}]
URL = "https://token.example.com"
Made = tuple[str, str, dict[str, Any]]


def policy(aws: Aws) -> Made:
    made = aws.client("iam").create_policy(PolicyName="p", PolicyDocument=document(allow("s3:*", "*")), Tags=TAGS)
    return "iam", "get_policy", {"PolicyArn": made["Policy"]["Arn"]}


def instance_profile(aws: Aws) -> Made:
    aws.client("iam").create_instance_profile(InstanceProfileName="web", Path="/app/", Tags=TAGS)
    return "iam", "get_instance_profile", {"InstanceProfileName": "web"}


def oidc_provider(aws: Aws) -> Made:
    made = aws.client("iam").create_open_id_connect_provider(Url=URL, ThumbprintList=["0" * 40], Tags=TAGS)
    return "iam", "get_open_id_connect_provider", {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}


def topic(aws: Aws) -> Made:
    return "sns", "get_topic_attributes", {"TopicArn": aws.client("sns").create_topic(Name="t", Tags=TAGS)["TopicArn"]}


def alarm(aws: Aws) -> Made:
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName="high",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
        Threshold=1.0,
        Tags=TAGS,
    )
    return "cloudwatch", "describe_alarms", {"AlarmNames": ["high"]}


def cluster(aws: Aws) -> Made:
    aws.client("ecs").create_cluster(clusterName="main", tags=[{"key": "team", "value": "a"}])
    return "ecs", "describe_clusters", {"clusters": ["main"]}


def security_group(aws: Aws) -> Made:
    specification = {"ResourceType": "security-group", "Tags": TAGS}
    made = aws.client("ec2").create_security_group(GroupName="g", Description="g", TagSpecifications=[specification])
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    return "ec2", "authorize_security_group_ingress", {"GroupId": made["GroupId"], "IpPermissions": [rule]}


@pytest.mark.parametrize(
    "make",
    [policy, instance_profile, oidc_provider, topic, alarm, cluster, security_group],
    ids=lambda make: make.__name__,
)
def test_a_resource_s_tags_decide(aws: Aws, make: Callable[[Aws], Made]) -> None:
    """Allowed with the tag's value in the condition, denied with another's."""
    service, method, params = make(aws)
    everything = {"iam": "iam:*", "ec2": "ec2:*"}.get(service, f"{service}:*")

    def client(team: str) -> Any:
        condition = {"StringEquals": {"aws:ResourceTag/team": team}}
        return aws.client(service, aws.user(allow(everything, "*", Condition=condition)))

    assert "is not authorized to perform" in refusal(getattr(client("b"), method), **params)[1]
    getattr(client("a"), method)(**params)
