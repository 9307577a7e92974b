"""Calls that would keep the local AWS busy for ever, fill its memory, or break what lies behind the gate."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gate_errors import refusal
from gate_wire import send, sign
from test_gate_escapes_names import table_shape

from gate_clients import Aws
from keyhole.local.issuer_documents import DocumentError, fetch_document

NOW = datetime.now(UTC)
YEARS = {"StartTime": NOW - timedelta(days=2000), "EndTime": NOW}
HOUR = {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW + timedelta(hours=1)}


def metric(period: int) -> list[dict[str, Any]]:
    """A query of the metric m."""
    stat = {"Metric": {"Namespace": "x", "MetricName": "m"}, "Period": period, "Stat": "Sum"}
    return [{"Id": "a", "MetricStat": stat}]


def post_json(aws: Aws, service: str, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """A JSON call whose body is as it is."""
    more: Any = {"x_amz_target": target, "content_type": "application/x-amz-json-1.1"}
    status, answer = send(aws, "POST", "/", body, sign(aws, "POST", "/", body, service=service, **more))
    return status, json.loads(answer)


def test_a_call_asks_for_no_more_datapoints_than_aws_gives(aws: Aws) -> None:
    """Every second of five years is refused at once; a minute of an hour is not."""
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="x", MetricData=[{"MetricName": "m", "Value": 2.0}])
    statistics = {"Namespace": "x", "MetricName": "m", "Statistics": ["Sum"]}
    call = cloudwatch.get_metric_statistics
    assert refusal(call, **statistics, Period=1, **YEARS)[0] == "InvalidParameterCombination"
    assert refusal(cloudwatch.get_metric_data, MetricDataQueries=metric(1), **YEARS)[0] == "ValidationError"
    assert [point["Sum"] for point in call(**statistics, Period=60, **HOUR)["Datapoints"]] == [2.0]
    assert cloudwatch.get_metric_data(MetricDataQueries=metric(60), **HOUR)["MetricDataResults"][0]["Values"] == [2.0]


def test_a_value_is_not_kept_a_billion_times(aws: Aws) -> None:
    """Counts are limited, of all values of a call together."""
    put = aws.client("cloudwatch").put_metric_data
    data = [{"MetricName": "m", "Values": [1.0, 2.0], "Counts": [6000.0, 6000.0]}]
    assert refusal(put, Namespace="x", MetricData=data)[0] == "InvalidParameterValue"
    data[0]["Counts"] = [3.0, 4.0]
    put(Namespace="x", MetricData=data)


def test_machines_and_tasks_are_started_some_at_a_time(aws: Aws) -> None:
    """AWS's own limit for tasks, and one for instances."""
    run = aws.client("ec2").run_instances
    assert refusal(run, ImageId="ami-12345678", MinCount=1, MaxCount=100_000)[0] == "InstanceLimitExceeded"
    assert refusal(run, ImageId="ami-12345678", MinCount=3, MaxCount=2)[0] == "InvalidParameterValue"
    ecs = aws.client("ecs")
    for count in (-1, 0, 11, 2**40):
        body = json.dumps({"taskDefinition": "x", "count": count}).encode()
        target = "AmazonEC2ContainerServiceV20141113.RunTask"
        status, answer = post_json(aws, "ecs", target, body)
        assert (status, answer["__type"]) == (400, "InvalidParameterException")
    assert ecs.list_clusters()["clusterArns"] == []


def test_nothing_is_sent_where_a_subscription_says(aws: Aws) -> None:
    """This process asks no address that a client named; who publishes waits for nobody."""
    sns = aws.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.1:{server.getsockname()[1]}/")
        assert sns.publish(TopicArn=topic, Message="hello")["MessageId"]
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("name", ["Arn", "AccountId", "SentNotifications", "Delete", "__class__", "Unknown"])
def test_a_topic_has_the_attributes_of_topics(aws: Aws, name: str) -> None:
    """Its members in the store are not among them."""
    sns = aws.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    call = sns.set_topic_attributes
    assert refusal(call, TopicArn=topic, AttributeName=name, AttributeValue="x")[0] == "InvalidParameter"
    assert refusal(sns.create_topic, Name="other", Attributes={name: "x"})[0] == "InvalidParameter"
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="News")
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"] == "News"


def test_an_expression_without_end_is_a_client_s_error(aws: Aws) -> None:
    """Deep nesting is refused with 400, which no client repeats."""
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(**table_shape("notes"))
    deep = f"{'(' * 3000}attribute_exists(id){')' * 3000}"
    assert refusal(dynamodb.scan, TableName="notes", FilterExpression=deep)[2] == 400
    put = {"DashboardName": "d", "DashboardBody": "[" * 100_000}
    assert refusal(aws.client("cloudwatch").put_dashboard, **put)[2] == 400


@pytest.mark.parametrize(
    ("service", "target", "body"),
    [
        ("dynamodb", "DynamoDB_20120810.PutResourcePolicy", rb'{"ResourceArn": "x", "Policy": "\ud800"}'),
        ("secretsmanager", "secretsmanager.CreateSecret", rb'{"Name": "a", "SecretString": "\uDFFF"}'),
        ("cloudtrail", "CloudTrail_20131101.ListPublicKeys", b'{"StartTime": "1e400"}'),
        ("monitoring", "GraniteServiceVersion20100801.DescribeAlarms", b'{"MaxRecords": 1' + b"0" * 30 + b"}"),
    ],
    ids=["half-a-character", "the-other-half", "no-time", "no-number"],
)
def test_values_that_are_none_are_refused(aws: Aws, service: str, target: str, body: bytes) -> None:
    """Half a character, a time that no calendar has, a number that no machine has."""
    assert post_json(aws, service, target, body)[0] == 400


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends the head of its answer a byte at a time, and never ends."""
    done = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with suppress(OSError), closing(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not done.wait(0.05):
                connection.sendall(b"a")

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        done.set()
        thread.join()


def test_a_provider_that_never_ends_its_answer_is_left(dripping: str) -> None:
    """The time is for all of the answer, however steadily it comes."""
    with pytest.raises(DocumentError):
        fetch_document(dripping, timeout_s=0.3)
