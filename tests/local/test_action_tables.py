"""The action tables against AWS's own tables: actions, resource types and condition keys of every row."""

from __future__ import annotations

from typing import Any

import pytest
from memory_backend import MemoryBackend
from sample_calls import ACCOUNT, REGION, sample_call

from keyhole.iam.catalogue import find_action
from keyhole.iam.catalogue.arn_format import fits_format
from keyhole.local.actions import _TABLES
from keyhole.local.actions.owner import find_owner
from keyhole.local.actions.row import Place, Question, Row, questions
from keyhole.local.call import ApiCall, Fault
from keyhole.local.stored_resource import StoredResource

CALLS = [(service, operation) for service, rows in sorted(_TABLES.items()) for operation in sorted(rows)]
# Actions that take no resource by the reference, and for which AWS still names one in its denials.
NAMED_ANYWAY = {f"iam:List{kind}" for kind in ("Groups", "InstanceProfiles", "Policies", "Roles", "Users")} | {
    "s3:ListAllMyBuckets"
}
# The reference knows roles only; federated users are tagged too.
BEYOND = {"sts:TagSession"}


class Backend(MemoryBackend):
    """Objects without tags, and one table and one task definition."""

    def object_tags(self, bucket: str, key: str, version_id: str) -> tuple[tuple[str, str], ...]:
        return ()

    def find_resource(self, arn: str) -> StoredResource | None:
        if arn.endswith("table/orders"):
            return StoredResource(arn, keys={"": ("id",), "by-date": ("date",)})
        if ":task-definition/web" in arn:
            roles = (("taskRoleArn", f"arn:aws:iam::{ACCOUNT}:role/task"), ("executionRoleArn", "execution"))
            return StoredResource(f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web:3", roles=roles)
        return None


def row_of(service: str, operation: str) -> Row:
    return _TABLES[service][operation]


def ask(service: str, operation: str, /, **params: Any) -> tuple[Question, ...]:
    """The questions of a call with these members."""
    sample = sample_call(service, operation, only_required=True)
    call = ApiCall(service, operation, params, REGION, sample.protocol, sample.request)
    return questions(row_of(service, operation), call, Place(ACCOUNT, REGION, Backend(), "ann"))


def asked(service: str, operation: str, /, **params: Any) -> list[tuple[str, str]]:
    """Action and the last part of the resource of each question."""
    return [(q.action, q.resource.split(":", 5)[-1]) for q in ask(service, operation, **params)]


@pytest.mark.parametrize("only_required", [False, True], ids=["every-member", "required-members"])
@pytest.mark.parametrize(("service", "operation"), CALLS, ids=[f"{s}-{o}" for s, o in CALLS])
def test_every_row_is_one_that_aws_has(service: str, operation: str, only_required: bool) -> None:
    """Each action exists, takes a resource of that form, and has the condition keys that the row fills."""
    call = sample_call(service, operation, only_required=only_required)
    row = row_of(service, operation)
    found = questions(row, call, Place(ACCOUNT, REGION, Backend(), "ann"))
    assert bool(found) == bool(row)
    for question in found:
        action = find_action(question.action)
        assert action is not None, question.action
        formats = [resource.type.arn_format for resource in action.resources]
        if question.action not in NAMED_ANYWAY | BEYOND and question.resource != "*":
            assert formats, f"{question.action} takes no resource, not {question.resource}"
            assert any(fits_format(question.resource, text) for text in formats), question.resource
        for key in question.context:
            assert action.has_condition_key(key), f"{question.action} has no {key}"


def test_a_call_that_names_nothing_is_asked_about_everything() -> None:
    """Leaving out what a row asks about does not leave out the question."""
    assert asked("ec2", "DeleteSecurityGroup", GroupName="web") == [("ec2:DeleteSecurityGroup", "*")]
    assert asked("dynamodb", "TransactWriteItems") == [("dynamodb:PutItem", "*")]


def test_transactions_and_batches_ask_per_table() -> None:
    """Each part of a transaction is its own action on its own table."""
    puts = [{"Put": {"TableName": name, "Item": {"id": {"S": "1"}}}} for name in ("a", "b")]
    check = {"ConditionCheck": {"TableName": "c", "Key": {"id": {"S": "1"}}}}
    assert asked("dynamodb", "TransactWriteItems", TransactItems=[*puts, check]) == [
        ("dynamodb:PutItem", "table/a"),
        ("dynamodb:PutItem", "table/b"),
        ("dynamodb:ConditionCheckItem", "table/c"),
    ]
    assert asked("dynamodb", "BatchGetItem", RequestItems={"a": {"Keys": []}, "b": {"Keys": []}}) == [
        ("dynamodb:BatchGetItem", "table/a"),
        ("dynamodb:BatchGetItem", "table/b"),
    ]


def test_a_query_of_an_index_is_one_of_the_index() -> None:
    """Its resource is the index, and its leading keys are those of the index."""
    query = {
        "TableName": "orders",
        "IndexName": "by-date",
        "KeyConditionExpression": "id > :low AND (:day = #d)",
        "ExpressionAttributeNames": {"#d": "date"},
        "ExpressionAttributeValues": {":day": {"S": "today"}, ":low": {"N": "1"}},
    }
    (question,) = ask("dynamodb", "Query", **query)
    assert question.resource.endswith(":table/orders/index/by-date")
    assert question.context["dynamodb:LeadingKeys"] == ("today",)
    assert question.context["dynamodb:Select"] == "ALL_PROJECTED_ATTRIBUTES"
    assert question.context["dynamodb:Attributes"] == ("id", "date")


@pytest.mark.parametrize(
    ("operation", "params", "keys"),
    [
        ("GetItem", {"Key": {"id": {"S": "1"}}}, ("1",)),
        ("PutItem", {"Item": {"id": {"B": b"1"}, "x": {"S": "2"}}}, ("MQ==",)),
        ("Query", {"KeyConditions": {"id": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "1"}]}}}, ("1",)),
        (
            "Query",
            {
                "KeyConditionExpression": "id = :a and id = :b",
                "ExpressionAttributeValues": {":a": {"S": "1"}, ":b": {"S": "2"}},
            },
            ("1", "2"),
        ),
    ],
)
def test_item_calls_say_whose_items(operation: str, params: dict[str, Any], keys: tuple[str, ...]) -> None:
    """dynamodb:LeadingKeys has the partition key of every item that the call is for."""
    (question,) = ask("dynamodb", operation, TableName="orders", **params)
    assert question.context["dynamodb:LeadingKeys"] == keys


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetItem", {"Key": {"other": {"S": "1"}}}),
        ("GetItem", {"Key": {"id": {}}}),
        ("GetItem", {"Key": {"id": {"S": "1", "N": "2"}}}),
        ("PutItem", {"Item": {"x": {"S": "1"}}}),
        ("Query", {}),
        ("Query", {"KeyConditionExpression": "id > :a", "ExpressionAttributeValues": {":a": {"S": "1"}}}),
        ("Query", {"KeyConditionExpression": "id = :a"}),
    ],
)
def test_an_item_call_without_its_key_is_refused(operation: str, params: dict[str, Any]) -> None:
    """Without leading keys, a policy that limits them with ForAllValues would let the call through."""
    with pytest.raises(Fault) as caught:
        ask("dynamodb", operation, TableName="orders", **params)
    assert caught.value.code == "ValidationException"


def test_the_attributes_of_a_call_are_those_it_names_anywhere() -> None:
    """Expressions, projections and keys: the names at the top, aliases resolved, functions and paths left out."""
    (question,) = ask(
        "dynamodb",
        "UpdateItem",
        TableName="orders",
        Key={"id": {"S": "1"}},
        UpdateExpression="SET #s.inner[0] = if_not_exists(total, :zero), note = :n REMOVE old",
        ConditionExpression="attribute_exists(id) AND size(photos) < :max",
        ExpressionAttributeNames={"#s": "state"},
        ReturnValues="ALL_NEW",
    )
    expected = {"id", "state", "total", "note", "old", "photos"}
    assert set(question.context["dynamodb:Attributes"]) == expected
    assert question.context["dynamodb:ReturnValues"] == "ALL_NEW"


def test_tasks_pass_the_roles_of_their_definition() -> None:
    """RunTask passes the definition's roles, but for those that it replaces; services pass them too."""
    assert asked("ecs", "RunTask", taskDefinition="web", overrides={"taskRoleArn": "other"}) == [
        ("ecs:RunTask", "task-definition/web:3"),
        ("iam:PassRole", "role/other"),
        ("iam:PassRole", "role/execution"),
    ]
    passed = [q for q in ask("ecs", "CreateService", serviceName="s", taskDefinition="web") if "Pass" in q.action]
    assert [q.context for q in passed] == [{"iam:PassedToService": "ecs-tasks.amazonaws.com"}] * 2
    assert asked("ecs", "UpdateService", service="s") == [("ecs:UpdateService", "service/default/s")]


def test_an_instance_is_launched_in_what_the_call_names() -> None:
    """Subnet, groups and network interface are those of the call or of its interfaces, else EC2's choice."""
    interfaces = [{"SubnetId": "subnet-1", "Groups": ["sg-1", "sg-2"], "DeviceIndex": 0}]
    found = asked("ec2", "RunInstances", ImageId="ami-1", NetworkInterfaces=interfaces)
    names = ("network-interface/*", "security-group/sg-1", "security-group/sg-2", "subnet/subnet-1")
    assert [name for _, name in found] == ["instance/*", "image/ami-1", *names, "volume/*"]
    found = asked("ec2", "RunInstances", SubnetId="subnet-2", SecurityGroupIds=["sg-3"])
    assert {"subnet/subnet-2", "security-group/sg-3"} <= {name for _, name in found}
    found = asked("ec2", "RunInstances", NetworkInterfaces=[{"NetworkInterfaceId": "eni-1"}])
    assert [name for _, name in found] == ["instance/*", "network-interface/eni-1", "volume/*"]


@pytest.mark.parametrize(
    ("service", "operation", "params", "owner"),
    [
        ("sns", "Publish", {"TopicArn": "arn:aws:sns:us-east-1:999988887777:news"}, "999988887777"),
        ("sns", "ListTopics", {}, ACCOUNT),
        ("dynamodb", "GetItem", {"TableName": "arn:aws:dynamodb:us-east-1:999988887777:table/t"}, "999988887777"),
        ("dynamodb", "GetItem", {"TableName": "t"}, ACCOUNT),
        ("iam", "GetUser", {"UserName": "ann"}, ACCOUNT),
    ],
)
def test_an_arn_says_whose_resource_it_is(service: str, operation: str, params: dict[str, str], owner: str) -> None:
    """Calls on another account's topic, secret or table are answered from that account."""
    sample = sample_call(service, operation, only_required=True)
    call = ApiCall(service, operation, params, REGION, sample.protocol, sample.request)
    assert find_owner(call, ACCOUNT) == owner


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("sns", "Publish", {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:news"}),
        ("sns", "Publish", {"TopicArn": "arn:aws:sqs:us-east-1:123456789012:news"}),
        ("ecs", "DescribeClusters", {"clusters": ["arn:aws:ecs:us-east-1:999988887777:cluster/c"]}),
        (
            "dynamodb",
            "BatchGetItem",
            {"RequestItems": {f"arn:aws:dynamodb:us-east-1:{n * 4}:table/t": {} for n in ("123", "456")}},
        ),
    ],
)
def test_an_arn_of_elsewhere_is_refused(service: str, operation: str, params: dict[str, Any]) -> None:
    """Another region, another service, an account that cannot share, two accounts in one call."""
    sample = sample_call(service, operation, only_required=True)
    call = ApiCall(service, operation, params, REGION, sample.protocol, sample.request)
    with pytest.raises(Fault) as caught:
        find_owner(call, ACCOUNT)
    assert caught.value.status == 400
