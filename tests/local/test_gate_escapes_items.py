"""DynamoDB items that a policy keeps from somebody, by their keys or by their attributes, and ways around it."""

from __future__ import annotations

from typing import Any

import pytest
from gate_errors import refusal
from test_gate_escapes_names import table_shape

from gate_clients import Aws, allow

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/notes"
OWN_KEY = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ann"]}}
OWN_ATTRIBUTES = {
    "ForAllValues:StringEquals": {"dynamodb:Attributes": ["id", "text"]},
    "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
}


def notes(aws: Aws, condition: dict[str, Any]) -> Any:
    """A client that may read notes on that condition; there is one of ann's and one of bob's."""
    root = aws.client("dynamodb")
    root.create_table(**table_shape("notes"))
    for name in ("ann", "bob"):
        root.put_item(TableName="notes", Item={"id": {"S": name}, "text": {"S": "hi"}, "secret": {"S": name}})
    actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"]
    return aws.client("dynamodb", aws.user(allow(actions, TABLE, Condition=condition)))


@pytest.mark.parametrize(
    ("expression", "values", "more"),
    [
        ("id = :a-b", {":a": "ann", ":a-b": "bob"}, {}),
        ("id = :a.b", {":a": "ann", ":a.b": "bob"}, {}),
        ("id = bob AND id = :a", {":a": "ann"}, {}),
        ("id = :a AND id = bob", {":a": "ann"}, {}),
        ("id = :a AND id = :b", {":a": "ann", ":b": "bob"}, {}),
        ("id = :b", {":b": "bob"}, {"KeyConditions": "ann"}),
        ("id = :b", {"b": "bob"}, {}),
    ],
)
def test_a_query_says_its_key_in_one_way(
    aws: Aws, expression: str, values: dict[str, str], more: dict[str, Any]
) -> None:
    """The key that the policies were asked about is the key that is read."""
    client = notes(aws, OWN_KEY)
    given = {name: {"S": value} for name, value in values.items()}
    if "KeyConditions" in more:
        equals = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": more["KeyConditions"]}]}
        more = {"KeyConditions": {"id": equals}}
    query = {"TableName": "notes", "KeyConditionExpression": expression, "ExpressionAttributeValues": given}
    code, _, status = refusal(client.query, **query, **more)
    assert (code in ("AccessDeniedException", "ValidationException"), status) == (True, 400)


@pytest.mark.parametrize("expression", ["id = :a", "id=:a", "(id = :a)", "( id = :a )", "#i = :a"])
def test_a_query_of_ones_own_key_works(aws: Aws, expression: str) -> None:
    """The ways in which programs write it are all taken."""
    client = notes(aws, OWN_KEY)
    names = {"ExpressionAttributeNames": {"#i": "id"}} if "#i" in expression else {}
    values = {":a": {"S": "ann"}}
    found = client.query(
        TableName="notes", KeyConditionExpression=expression, ExpressionAttributeValues=values, **names
    )
    assert [item["secret"]["S"] for item in found["Items"]] == ["ann"]


def test_who_may_read_some_attributes_reads_those(aws: Aws) -> None:
    """Attributes that are asked for in a way that is not kept to are refused, not answered with all of them."""
    client = notes(aws, OWN_ATTRIBUTES)
    key = {"id": {"S": "ann"}}
    assert client.get_item(
        TableName="notes", Key=key, ProjectionExpression="#t", ExpressionAttributeNames={"#t": "text"}
    )["Item"] == {"text": {"S": "hi"}}
    assert refusal(client.get_item, TableName="notes", Key=key)[0] == "AccessDeniedException"
    assert refusal(client.get_item, TableName="notes", Key=key, AttributesToGet=["text"])[0] == "NotImplemented"
    batch = {"notes": {"Keys": [key], "AttributesToGet": ["text"]}}
    assert refusal(client.batch_get_item, RequestItems=batch)[0] == "NotImplemented"
    query = {"TableName": "notes", "KeyConditionExpression": "id = :a", "ExpressionAttributeValues": {":a": key["id"]}}
    assert refusal(client.query, **query, Select="SPECIFIC_ATTRIBUTES")[0] == "ValidationException"


@pytest.mark.parametrize("number", ["1.0", "01", "1e0", "+1", "0.1e1"])
def test_a_number_is_one_key_however_it_is_written(aws: Aws, number: str) -> None:
    """A Deny on the key 1 holds for 1.0 as well, which is the same item."""
    shape = table_shape("numbers")
    shape["AttributeDefinitions"][0]["AttributeType"] = "N"
    aws.client("dynamodb").create_table(**shape)
    deny = {
        "Effect": "Deny",
        "Action": "dynamodb:GetItem",
        "Resource": "*",
        "Condition": {"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": ["1"]}},
    }
    client = aws.client("dynamodb", aws.user(allow("dynamodb:GetItem", "*"), deny))
    client.get_item(TableName="numbers", Key={"id": {"N": "2"}})
    assert refusal(client.get_item, TableName="numbers", Key={"id": {"N": number}})[0] == "AccessDeniedException"


@pytest.mark.parametrize("number", ["1e99999999", "NaN", "Infinity", "x"])
def test_what_is_no_number_is_no_key(aws: Aws, number: str) -> None:
    """It is refused before anybody tries to write it out."""
    aws.client("dynamodb").create_table(**table_shape("notes"))
    get = aws.client("dynamodb").get_item
    assert refusal(get, TableName="notes", Key={"id": {"N": number}})[0] == "ValidationException"
