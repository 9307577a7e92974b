"""Ways from one account into another that only a resource's own policy may open."""

from __future__ import annotations

from typing import Any

from gate_errors import refusal
from test_gate_escapes_names import table_shape

from gate_clients import Aws, allow, document

OTHER = "222222222222"
PLACE = f"us-east-1:{OTHER}"


def others(aws: Aws, service: str) -> Any:
    """A client of the other account's root."""
    return aws.client(service, aws.server.root_credentials(OTHER))


def test_what_takes_no_resource_reaches_no_other_account(aws: Aws) -> None:
    """An ARN in a call that is authorized for `*` does not lead into the account in it."""
    arn = others(aws, "sns").create_platform_application(
        Name="app", Platform="GCM", Attributes={"PlatformCredential": "x"}
    )["PlatformApplicationArn"]
    for keys in (None, aws.user(allow("*", "*"))):
        sns = aws.client("sns", keys)
        read, end = sns.get_platform_application_attributes, sns.delete_platform_application
        assert refusal(read, PlatformApplicationArn=arn)[0] == "AuthorizationError"
        assert refusal(end, PlatformApplicationArn=arn)[0] == "AuthorizationError"
    others(aws, "dynamodb").create_table(**table_shape("theirs"))
    backups = aws.client("dynamodb").list_backups
    assert refusal(backups, TableName=f"arn:aws:dynamodb:{PLACE}:table/theirs")[0] == "AccessDeniedException"
    assert others(aws, "sns").get_platform_application_attributes(PlatformApplicationArn=arn)["Attributes"]


def test_a_name_beside_an_arn_is_still_ones_own(aws: Aws) -> None:
    """A table that another account shares does not make its other tables answer to the names of one's own."""
    theirs = others(aws, "dynamodb")
    for name in ("shared", "locks"):
        theirs.create_table(**table_shape(name))
    theirs.put_item(TableName="locks", Item={"id": {"S": "a"}, "secret": {"S": "theirs"}})
    shared = f"arn:aws:dynamodb:{PLACE}:table/shared"
    policy = document({**allow("dynamodb:*", shared), "Principal": {"AWS": "123456789012"}})
    theirs.put_resource_policy(ResourceArn=shared, Policy=policy)
    aws.client("dynamodb").create_table(**table_shape("locks"))
    client = aws.client("dynamodb", aws.user(allow("dynamodb:*", "*")))
    key = {"id": {"S": "a"}}
    assert "Item" not in client.get_item(TableName=shared, Key=key)
    gets = [{"Get": {"TableName": name, "Key": key}} for name in (shared, "locks")]
    assert refusal(client.transact_get_items, TransactItems=gets)[0] == "ValidationException"
    batch = {name: {"Keys": [key]} for name in (shared, "locks")}
    assert refusal(client.batch_get_item, RequestItems=batch)[0] == "ValidationException"


def test_tables_are_not_copied_into_buckets(aws: Aws) -> None:
    """An export would write to any account's bucket, and an import read any bucket, without a question to either."""
    others(aws, "s3").create_bucket(Bucket="theirs-and-nobody-elses")
    dynamodb = aws.client("dynamodb")
    arn = dynamodb.create_table(**table_shape("orders"))["TableDescription"]["TableArn"]
    dynamodb.update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    export = {"TableArn": arn, "S3Bucket": "theirs-and-nobody-elses", "S3BucketOwner": OTHER}
    assert refusal(dynamodb.export_table_to_point_in_time, **export)[0] == "NotImplemented"
    shape = table_shape("copy")
    wanted = {
        "S3BucketSource": {"S3Bucket": "any"},
        "InputFormat": "DYNAMODB_JSON",
        "TableCreationParameters": shape,
    }
    assert refusal(dynamodb.import_table, **wanted)[0] == "NotImplemented"
    assert "Contents" not in others(aws, "s3").list_objects_v2(Bucket="theirs-and-nobody-elses")
