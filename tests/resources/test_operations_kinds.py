"""Tables, topics, alarms and trails: the pure difference between what shall be and what is."""

from dataclasses import replace

import pytest

from keyhole.errors import KeyholeError
from keyhole.naming import Scope
from keyhole.resources import alarm, table, topic, trail
from keyhole.resources.alarm import Alarm, ExistingAlarm
from keyhole.resources.table import ExistingKeyTable, KeyTable
from keyhole.resources.topic import ExistingTopic, Topic
from keyhole.resources.trail import ExistingTrail, Trail
from recording_aws import RecordingAws

SCOPE = Scope("shop", "default", "111122223333", "eu-west-1")
TAG_LIST = [{"Key": "keyhole:app", "Value": "shop"}, {"Key": "keyhole:environment", "Value": "default"}]
TABLE = KeyTable("table.locks", "locks", "arn:aws:dynamodb:eu-west-1:1:table/locks", "LockID", SCOPE.tags)
HAVE_TABLE = ExistingKeyTable("locks", TABLE.arn, ("LockID",), True, SCOPE.tags)


def test_a_table_is_made_with_its_key_and_tags_and_paid_by_request() -> None:
    """One call: there is no moment in which it is not known to be ours."""
    (call,) = table.calls(TABLE, None)
    assert call.operation == "CreateTable"
    assert call.params["KeySchema"] == [{"AttributeName": "LockID", "KeyType": "HASH"}]
    assert (call.params["BillingMode"], call.params["Tags"]) == ("PAY_PER_REQUEST", TAG_LIST)


def test_a_table_as_it_shall_be_needs_nothing_and_one_that_costs_is_mended() -> None:
    """Provisioned throughput that someone set is drift."""
    assert list(table.calls(TABLE, HAVE_TABLE)) == []
    (call,) = table.calls(TABLE, replace(HAVE_TABLE, is_on_demand=False))
    assert call.params == {"TableName": "locks", "BillingMode": "PAY_PER_REQUEST"}


def test_a_table_with_other_keys_is_told() -> None:
    """Keys never change: the message says to choose another name, and nothing is deleted."""
    with pytest.raises(KeyholeError, match="has the key `id, at`, and `LockID` alone is needed"):
        list(table.calls(TABLE, replace(HAVE_TABLE, keys=("id", "at"))))


TOPIC = Topic("topic.alarms", "arn:aws:sns:eu-west-1:1:alarms", ("a@x.org", "b@x.org"), SCOPE.tags)


def test_a_topic_asks_each_address_once() -> None:
    """An address that has not confirmed yet is not sent a second link."""
    assert [call.operation for call in topic.calls(TOPIC, None)] == ["CreateTopic", "Subscribe", "Subscribe"]
    have = ExistingTopic(TOPIC.arn, (("a@x.org", ""), ("b@x.org", "arn:sub")), SCOPE.tags)
    assert list(topic.calls(TOPIC, have)) == []


def test_an_address_that_left_the_file_gets_no_more_mail() -> None:
    """One that never confirmed cannot be taken back, and gets no mail either."""
    have = ExistingTopic(TOPIC.arn, tuple((mail, "arn:s") for mail in (*TOPIC.mails, "c@x.org")), SCOPE.tags)
    (call,) = topic.calls(TOPIC, replace(have, mails=(*have.mails, ("d@x.org", ""))))
    assert (call.operation, call.params) == ("Unsubscribe", {"SubscriptionArn": "arn:s"})
    assert "c@x.org" in call.why


def test_only_mail_subscriptions_are_ours() -> None:
    """A queue that someone subscribed is left alone; an address that waits has no ARN."""
    subscriptions = [
        {"Protocol": "email", "Endpoint": "a@x.org", "SubscriptionArn": "PendingConfirmation"},
        {"Protocol": "sqs", "Endpoint": "arn:q", "SubscriptionArn": "arn:aws:sns:1"},
    ]
    aws = RecordingAws({"ListSubscriptionsByTopic": {"Subscriptions": subscriptions}})
    have = topic.read(aws, SCOPE, TOPIC.arn)
    assert have is not None
    assert have.mails == (("a@x.org", ""),)


RULE = {"MetricName": "4xxErrors", "Threshold": 0.05, "AlarmActions": ["t"], "Dimensions": [{"a": "1"}, {"b": "2"}]}
ALARM = Alarm("alarm.a-4xx", "a-4xx", "arn:alarm", RULE, "why", SCOPE.tags)
HAVE_ALARM = ExistingAlarm("a-4xx", "arn:alarm", {**RULE, "StateValue": "OK"}, SCOPE.tags)


def test_an_alarm_is_replaced_as_a_whole_where_it_differs() -> None:
    """Tags come with the creation alone; the order of dimensions is no difference."""
    (call,) = alarm.calls(ALARM, None)
    assert call.params["Tags"] == TAG_LIST
    turned = {**HAVE_ALARM.rule, "Dimensions": [{"b": "2"}, {"a": "1"}]}
    assert list(alarm.calls(ALARM, replace(HAVE_ALARM, rule=turned))) == []
    (call,) = alarm.calls(ALARM, replace(HAVE_ALARM, rule={**HAVE_ALARM.rule, "AlarmActions": []}))
    assert call.operation == "PutMetricAlarm"
    assert "Tags" not in call.params


TRAIL = Trail("trail.audit", "arn:aws:cloudtrail:eu-west-1:1:trail/t", "logs", SCOPE.tags)
HAVE_TRAIL = ExistingTrail(TRAIL.arn, "logs", True, True, SCOPE.tags)


def test_a_trail_is_made_and_started_and_one_that_was_stopped_is_started_again() -> None:
    """A trail that does not log is the first thing an intruder wants: it is drift."""
    assert [call.operation for call in trail.calls(TRAIL, None)] == ["CreateTrail", "StartLogging"]
    assert list(trail.calls(TRAIL, HAVE_TRAIL)) == []
    (call,) = trail.calls(TRAIL, replace(HAVE_TRAIL, is_logging=False))
    assert call.operation == "StartLogging"


def test_a_trail_that_logs_less_or_elsewhere_is_mended() -> None:
    """Every region, global services, digests, and the bucket of the file."""
    for drifted in (replace(HAVE_TRAIL, is_complete=False), replace(HAVE_TRAIL, bucket="elsewhere")):
        (call,) = trail.calls(TRAIL, drifted)
        assert call.params == {
            "Name": "t",
            "S3BucketName": "logs",
            "IsMultiRegionTrail": True,
            "IncludeGlobalServiceEvents": True,
            "EnableLogFileValidation": True,
        }


def test_deleting_takes_one_call_each() -> None:
    """That it is gone already is just as well."""
    calls = [
        *table.calls(None, HAVE_TABLE),
        *topic.calls(None, ExistingTopic(TOPIC.arn, (), {})),
        *alarm.calls(None, HAVE_ALARM),
        *trail.calls(None, HAVE_TRAIL),
    ]
    assert [call.operation for call in calls] == ["DeleteTable", "DeleteTopic", "DeleteAlarms", "DeleteTrail"]
    assert all(call.destructive and call.settled_by for call in calls)
