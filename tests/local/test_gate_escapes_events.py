"""What the events and the admin of a local AWS do not give away, whoever asks in whichever way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from gate_errors import fetch
from test_gate_escapes_names import CONTAINERS, table_shape

from gate_clients import Aws
from keyhole.local.event_file import EventFile
from keyhole.local.state import events_path

SECRET = "hush-4711"
VALUE = {"S": SECRET}
FILTER = {"id": {"ComparisonOperator": "EQ", "AttributeValueList": [VALUE]}}


def tell_tables(aws: Aws) -> None:
    """Items and what they are compared with."""
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(**table_shape("notes"))
    dynamodb.put_item(TableName="notes", Item={"id": {"S": "a"}, "text": VALUE})
    dynamodb.scan(TableName="notes", ScanFilter=FILTER)
    parameters: Any = {"Statement": f"SELECT * FROM notes WHERE text = '{SECRET}'", "Parameters": [VALUE]}
    dynamodb.execute_statement(**parameters)


def tell_topics(aws: Aws) -> None:
    """Messages, and what opens other services."""
    sns = aws.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    attributes = {"a": {"DataType": "String", "StringValue": SECRET}}
    sns.publish(TopicArn=topic, Message=SECRET, Subject=SECRET, MessageAttributes=attributes)
    sns.subscribe(TopicArn=topic, Protocol="https", Endpoint=f"https://ann:{SECRET}@example.com/")
    sns.create_platform_application(Name="app", Platform="GCM", Attributes={"PlatformCredential": SECRET})
    sns.confirm_subscription(TopicArn=topic, Token=SECRET)


def tell_containers(aws: Aws) -> None:
    """What a container is started with."""
    options = {"logDriver": "splunk", "options": {"splunk-token": SECRET}}
    container = {**CONTAINERS[0], "logConfiguration": options, "environment": [{"name": "PASSWORD", "value": SECRET}]}
    aws.client("ecs").register_task_definition(family="web", containerDefinitions=[container])


@pytest.mark.parametrize("tell", [tell_tables, tell_topics, tell_containers])
def test_what_is_stored_or_sent_is_in_no_event(aws: Aws, tell: Callable[[Aws], None]) -> None:
    """Calls are recorded without what they carry."""
    with closing(EventFile(events_path(aws.server.port), at_end=True)) as file:
        tell(aws)
        lines = file.read_lines()
    assert lines
    assert not [line for line in lines if SECRET in line]


def test_an_event_is_no_longer_than_one_reads(aws: Aws) -> None:
    """Nobody fills the file with the name of a thing that does not exist."""
    secrets = aws.client("secretsmanager", aws.user())
    with closing(EventFile(events_path(aws.server.port), at_end=True)) as file:
        with pytest.raises(secrets.exceptions.ClientError):
            secrets.get_secret_value(SecretId="a" * 2_000_000)
        (line,) = [line for line in file.read_lines() if "GetSecretValue" in line]
    assert len(line) < 32_000


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_picture_in_a_page_starts_nothing(aws: Aws, site: str) -> None:
    """A request that a page makes without asking for the answer is none of a program's on this machine."""
    assert fetch(f"{aws.url}/_keyhole/status")[0] == 200
    assert fetch(f"{aws.url}/_keyhole/status", sec_fetch_site="none")[0] == 200
    assert fetch(f"{aws.url}/_keyhole/status", sec_fetch_site=site)[0] == 403
