"""Whose resources a call works on: ARNs say, where a service lets accounts share; elsewhere they must be the caller's.

AWS: IAM User Guide, "Cross account resource access in IAM"; each service's own page on resource-based policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from keyhole.local.call import ApiCall, Fault

# The members by which each service names its resources, by ARN where the caller likes.
_MEMBERS = {
    "sns": ("TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn", "PlatformApplicationArn", "EndpointArn"),
    "secretsmanager": ("SecretId", "SecretIdList"),
    "dynamodb": (
        *("TableName", "ResourceArn", "TableArn", "BackupArn", "ExportArn", "ImportArn", "SourceTableArn"),
        "TargetTableName",
    ),
    "cloudtrail": ("Name", "TrailName", "ResourceId", "ResourceIdList", "trailNameList"),
    "cloudwatch": ("ResourceARN",),
    "ecs": (
        *("cluster", "clusters", "service", "services", "task", "tasks", "taskDefinition", "taskDefinitions"),
        *("taskSet", "taskSets", "containerInstance", "containerInstances", "capacityProvider", "capacityProviders"),
        "resourceArn",
    ),
}
_SHARED = frozenset({"sns", "secretsmanager", "dynamodb"})
_CODES = {
    "sns": "InvalidParameter",
    "secretsmanager": "InvalidParameterException",
    "dynamodb": "ValidationException",
    "cloudtrail": "CloudTrailARNInvalidException",
    "cloudwatch": "InvalidParameterValue",
    "ecs": "InvalidParameterException",
}


def find_owner(call: ApiCall, account: str) -> str:
    """Give the account whose state the call works on: the caller's, unless the call names another's resource.

    Raises: Fault for an ARN of another service or region, and where accounts are mixed or cannot share.
    """
    if call.service not in _MEMBERS:
        return account
    # A name without an account is the caller's: it must not be looked up in the account of an ARN beside it.
    names = [name for name in _names(call) if isinstance(name, str)]
    owners = {_check(call, name, account) if name.startswith("arn:") else account for name in names}
    if not owners:
        return account
    if len(owners) > 1:
        raise _refuse(call, "Resources of several accounts cannot be named in one call.")
    return owners.pop()


def account_of(arn: str) -> str:
    """Give the account in an ARN, "" where it has none of its own, as S3's and AWS's own resources do."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and _is_account(parts[4]) else ""


def _check(call: ApiCall, arn: str, account: str) -> str:
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[1:3] != ["aws", call.service] or not _is_account(parts[4]):
        raise _refuse(call, f"Invalid ARN: {arn}")
    if parts[3] != call.region and call.service != "cloudtrail" and parts[3]:
        raise _refuse(call, f"Identifier is for {parts[3]}. Your region is {call.region}.")
    if parts[4] != account and call.service not in _SHARED:
        raise _refuse(call, f"Identifier is for {parts[4]}. Your accountId is {account}.")
    return parts[4]


def _names(call: ApiCall) -> Iterator[Any]:
    for member in _MEMBERS[call.service]:
        value = call.params.get(member)
        yield from value if isinstance(value, list) else [value]
    if call.service == "dynamodb":
        yield from _tables(call.params.get("RequestItems") or {}, call.params.get("TransactItems") or ())


def _tables(batch: Iterable[str], transaction: Iterable[dict[str, Any]]) -> Iterator[Any]:
    yield from batch
    for item in transaction:
        for part in item.values():
            yield part.get("TableName")


def _is_account(text: str) -> bool:
    return len(text) == 12 and text.isascii() and text.isdigit()


def _refuse(call: ApiCall, message: str) -> Fault:
    if call.service == "sns":
        message = f"Invalid parameter: {message}"
    return Fault(_CODES[call.service], message, 400)
