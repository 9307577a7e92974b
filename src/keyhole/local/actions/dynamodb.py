"""DynamoDB: operation → action; tables, indexes, streams and backups by their ARNs, items by their keys.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB"; DynamoDB Developer
Guide, "Using IAM with DynamoDB transactions" and "Using IAM policy conditions for fine-grained access control".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyhole.local.actions import dynamodb_items as items
from keyhole.local.actions.row import ContextOf, Need, Place, ResourcesOf, Row, every
from keyhole.local.call import ApiCall

_WRITES = (("PutRequest", "Item"), ("DeleteRequest", "Key"))
_TRANSACTED = ("Put", "Update", "Delete", "ConditionCheck")


def table_arn(name: str, place: Place) -> str:
    """Give the ARN of a table that may be named by it already."""
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{place.region}:{place.account}:table/{name}"


def _table(member: str = "TableName") -> ResourcesOf:
    return lambda call, place: (table_arn(str(call.params.get(member) or ""), place),)


def _table_or_index(call: ApiCall, place: Place) -> tuple[str, ...]:
    """A query of an index is one of the index alone."""
    arn = table_arn(str(call.params.get("TableName") or ""), place)
    index = call.params.get("IndexName")
    return (f"{arn}/index/{index}" if index else arn,)


def _named(member: str) -> ResourcesOf:
    """What the call names by its ARN: a table, a stream, a backup, an export."""
    return lambda call, _place: (str(call.params.get(member) or ""),)


def _optional_table(call: ApiCall, place: Place) -> tuple[str, ...]:
    name = str(call.params.get("TableArn") or "")
    return (table_arn(name, place),) if name else ("*",)


def _imported_table(call: ApiCall, place: Place) -> tuple[str, ...]:
    parameters = call.params.get("TableCreationParameters") or {}
    return (table_arn(str(parameters.get("TableName") or ""), place),)


def _global_table(call: ApiCall, place: Place) -> tuple[str, ...]:
    return (f"arn:aws:dynamodb::{place.account}:global-table/{call.params.get('GlobalTableName', '')}",)


def _batch_tables(call: ApiCall, place: Place) -> tuple[str, ...]:
    return tuple(table_arn(str(name), place) for name in call.params.get("RequestItems") or {})


def _batch_context(call: ApiCall, place: Place) -> dict[str, Any]:
    """The keys of every item in the batch together: each of them must be allowed."""
    found: list[dict[str, Any]] = []
    for name, wanted in (call.params.get("RequestItems") or {}).items():
        table = table_arn(str(name), place)
        if isinstance(wanted, dict):
            found += [
                items.describe({**wanted, "Key": key}, table, place, select=True) for key in wanted.get("Keys", ())
            ]
            continue
        for write in wanted:
            for kind, member in _WRITES:
                if kind in write:
                    found.append(items.describe({member: write[kind].get(member) or {}}, table, place))
    return items.combine(found, call.params)


def _item_context(call: ApiCall, place: Place) -> dict[str, Any]:
    table = table_arn(str(call.params.get("TableName") or ""), place)
    is_read = call.operation in ("GetItem", "Query", "Scan")
    described = items.describe(
        call.params, table, place, select=is_read, is_query=call.operation == "Query", is_scan=call.operation == "Scan"
    )
    return items.combine([described], call.params)


def _transacted(kind: str) -> ResourcesOf:
    return lambda call, place: tuple(dict.fromkeys(table for table, _ in _parts(call, place, kind)))


def _parts(call: ApiCall, place: Place, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in call.params.get("TransactItems") or ():
        if part := item.get(kind):
            yield table_arn(str(part.get("TableName") or ""), place), part


def _transacted_context(kind: str) -> ContextOf:
    def context(call: ApiCall, place: Place) -> dict[str, Any]:
        is_read = kind == "Get"
        described = [items.describe(part, table, place, select=is_read) for table, part in _parts(call, place, kind)]
        found = items.combine(described, call.params)
        if kind != "ConditionCheck":
            found["dynamodb:EnclosingOperation"] = call.operation
        return found

    return context


def _in_transaction(kind: str, action: str) -> Need:
    return Need(action, _transacted(kind), context=_transacted_context(kind))


def _rows(resource: ResourcesOf, *operations: str, context: ContextOf | None = None) -> dict[str, Row]:
    return {name: (Need(f"dynamodb:{name}", resource, context=context),) for name in operations}


ROWS: dict[str, Row] = {
    "CreateTable": (Need("dynamodb:CreateTable", _table()), Need("dynamodb:TagResource", _table(), ("Tags",))),
    **_rows(
        _table(),
        *("DescribeTable", "UpdateTable", "DeleteTable", "DescribeTimeToLive", "UpdateTimeToLive"),
        *("DescribeContinuousBackups", "UpdateContinuousBackups", "DescribeKinesisStreamingDestination"),
        *("EnableKinesisStreamingDestination", "DisableKinesisStreamingDestination"),
        *("UpdateKinesisStreamingDestination", "CreateBackup"),
        *("DescribeTableReplicaAutoScaling", "UpdateTableReplicaAutoScaling"),
    ),
    **_rows(_table_or_index, "DescribeContributorInsights", "UpdateContributorInsights"),
    **_rows(_table(), "GetItem", "PutItem", "UpdateItem", "DeleteItem", context=_item_context),
    **_rows(_table_or_index, "Query", "Scan", context=_item_context),
    **_rows(_batch_tables, "BatchGetItem", "BatchWriteItem", context=_batch_context),
    "TransactGetItems": (_in_transaction("Get", "dynamodb:GetItem"),),
    "TransactWriteItems": tuple(
        _in_transaction(kind, f"dynamodb:{'ConditionCheckItem' if kind == 'ConditionCheck' else f'{kind}Item'}")
        for kind in _TRANSACTED
    ),
    **_rows(_named("ResourceArn"), "TagResource", "UntagResource", "ListTagsOfResource"),
    **_rows(_named("ResourceArn"), "PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy"),
    **_rows(_named("BackupArn"), "DescribeBackup", "DeleteBackup"),
    **_rows(_named("ExportArn"), "DescribeExport"),
    **_rows(_named("ImportArn"), "DescribeImport"),
    **_rows(_table("TableArn"), "ExportTableToPointInTime"),
    **_rows(_imported_table, "ImportTable"),
    **_rows(_optional_table, "ListExports", "ListImports"),
    "RestoreTableFromBackup": (
        Need("dynamodb:RestoreTableFromBackup", _named("BackupArn")),
        Need("dynamodb:RestoreTableFromBackup", _table("TargetTableName")),
    ),
    "RestoreTableToPointInTime": (
        Need("dynamodb:RestoreTableToPointInTime", _table("SourceTableName"), ("SourceTableName",)),
        Need("dynamodb:RestoreTableToPointInTime", _table("SourceTableArn"), ("SourceTableArn",)),
        Need("dynamodb:RestoreTableToPointInTime", _table("TargetTableName")),
    ),
    **_rows(_global_table, "DescribeGlobalTable", "DescribeGlobalTableSettings"),
    **{
        name: every(f"dynamodb:{name}")
        for name in ("ListTables", "DescribeLimits", "DescribeEndpoints", "ListBackups", "ListContributorInsights")
    },
    "ListGlobalTables": every("dynamodb:ListGlobalTables"),
}
