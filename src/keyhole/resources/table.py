"""DynamoDB table with a hash key alone, paid by request: what Terraform locks its state with.

AWS: Amazon DynamoDB API Reference, CreateTable. HashiCorp: Terraform, "Backend Type: s3" (the key is LockID).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError, KeyholeError
from keyhole.naming import Scope
from keyhole.resources.kind import Foreign, find_tagged, missing_tags, removal, tag_dict, tag_list

NAME = "table"
DEPENDS_ON: tuple[str, ...] = ()
FOREIGN = Foreign.REFUSED


@dataclass(frozen=True, slots=True)
class KeyTable:
    """A table as it shall be; `hash_key` is the name of its one key, a string."""

    address: str
    name: str
    arn: str
    hash_key: str
    tags: dict[str, str]
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExistingKeyTable:
    """`keys`: the names of its key attributes."""

    name: str
    arn: str
    keys: tuple[str, ...]
    is_on_demand: bool
    tags: dict[str, str]


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the names of the tables that carry the scope's tags."""
    for arn in find_tagged(aws, scope, "dynamodb:table"):
        yield arn.rpartition("/")[2]


def read(aws: Aws, _scope: Scope, name: str) -> ExistingKeyTable | None:
    """Give the table and its tags."""
    try:
        table = aws.call("dynamodb", "DescribeTable", TableName=name)["Table"]
        tags = list(aws.pages("dynamodb", "ListTagsOfResource", "Tags", ResourceArn=table["TableArn"]))
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    return ExistingKeyTable(
        name=name,
        arn=table["TableArn"],
        keys=tuple(key["AttributeName"] for key in table["KeySchema"]),
        is_on_demand=table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST",
        tags=tag_dict(tags),
    )


def calls(want: KeyTable | None, have: ExistingKeyTable | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`.

    Raises: KeyholeError if the table has other keys, which never change.
    """
    if want is None:
        if have is not None:
            yield removal("dynamodb", "DeleteTable", {"TableName": have.name}, "delete the table with what it holds")
        return
    if have is None:
        yield _create(want)
        return
    if have.keys != (want.hash_key,):
        raise KeyholeError(
            f"table `{want.name}` has the key `{', '.join(have.keys)}`, and `{want.hash_key}` alone is needed: "
            "a table's keys never change",
            hint="choose another `table_name` in the file",
        )
    if lacking := missing_tags(want.tags, have.tags):
        params: dict[str, Any] = {"ResourceArn": have.arn, "Tags": tag_list(lacking)}
        yield Call("dynamodb", "TagResource", params, why="tag it as this app's")
    if not have.is_on_demand:
        params = {"TableName": want.name, "BillingMode": "PAY_PER_REQUEST"}
        yield Call("dynamodb", "UpdateTable", params, why="pay by request")


def _create(want: KeyTable) -> Call:
    params = {
        "TableName": want.name,
        "AttributeDefinitions": [{"AttributeName": want.hash_key, "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": want.hash_key, "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "Tags": tag_list(want.tags),
    }
    return Call("dynamodb", "CreateTable", params, why="create the table, paid by request")
