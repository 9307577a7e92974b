"""Names and ARNs are read in one way only: what moto would read otherwise than the gate did is refused.

moto takes what stands behind the last slash or colon for the name, whatever is before it.
AWS: ECS Developer Guide, "Amazon Resource Names (ARNs) and IDs for Amazon ECS resources"; DynamoDB Developer Guide,
"Naming rules"; Secrets Manager User Guide, "What's in a Secrets Manager secret?", ARN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from keyhole.local.call import ApiCall, Fault

_NAME = r"[A-Za-z0-9_-]{1,255}"
# By ECS's members: the kind in their ARNs, how they are named without, and what an ARN has behind its kind.
_IN_CLUSTER = rf"(?P<cluster>{_NAME})/"
_DEFINITION = rf"{_NAME}(:[0-9]{{1,9}})?"
_ECS_KINDS = {
    "cluster": ("cluster", _NAME, _NAME),
    "service": ("service", _NAME, rf"{_IN_CLUSTER}{_NAME}"),
    "task": ("task", _NAME, rf"{_IN_CLUSTER}{_NAME}"),
    "containerInstance": ("container-instance", _NAME, rf"{_IN_CLUSTER}{_NAME}"),
    "taskDefinition": ("task-definition", _DEFINITION, _DEFINITION),
    "capacityProvider": ("capacity-provider", _NAME, _NAME),
    "taskSet": ("task-set", rf"(ecs-svc/)?{_NAME}", rf"{_IN_CLUSTER}{_NAME}/(ecs-svc/)?{_NAME}"),
}
_ECS_MEMBERS = {
    member: (f"arn:aws:ecs:[a-z0-9-]+:[0-9]{{12}}:{kind}/{arn}", name)
    for single, (kind, name, arn) in _ECS_KINDS.items()
    for member in (single, f"{single}s")
}
_ECS_ANY = "|".join(f"arn:aws:ecs:[a-z0-9-]+:[0-9]{{12}}:{kind}/{arn}" for kind, _, arn in _ECS_KINDS.values())
_ECS_RESOURCE = re.compile(_ECS_ANY.replace("(?P<cluster>", "("))
_ECS_NEW = ("clusterName", "serviceName", "family", "name")
_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,255}")
_TABLE = re.compile(r"arn:aws:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[a-zA-Z0-9_.-]{1,255}(/stream/[0-9A-Za-z:.-]+)?")
_NEW_TABLES = frozenset({"CreateTable", "RestoreTableFromBackup", "RestoreTableToPointInTime", "ImportTable"})
_SECRET = re.compile(r"arn:aws:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^:]+")


def check_names(call: ApiCall) -> None:
    """Hold iff every name and ARN in the call can be read in one way only. Raises: Fault."""
    if call.service == "ecs":
        _check_ecs(call)
    elif call.service == "dynamodb":
        _check_tables(call)
    elif call.service == "secretsmanager":
        for secret in (call.params.get("SecretId"), *(call.params.get("SecretIdList") or ())):
            if isinstance(secret, str) and secret.startswith("arn:") and not _SECRET.fullmatch(secret):
                raise Fault("InvalidParameterException", f"Invalid ARN: {secret}")


def _check_ecs(call: ApiCall) -> None:
    where = str(call.params.get("cluster") or "default").rpartition("/")[2]
    for member, (arn, name) in _ECS_MEMBERS.items():
        value = call.params.get(member)
        for text in value if isinstance(value, list) else [value]:
            if not text:
                continue
            match = re.fullmatch(arn if str(text).startswith("arn:") else name, str(text))
            if match is None:
                raise Fault("InvalidParameterException", f"Invalid identifier: {text}")
            cluster = match.groupdict().get("cluster", where)
            if cluster != where:
                message = f"Invalid identifier: Identifier is for cluster {cluster}. Your cluster is {where}"
                raise Fault("InvalidParameterException", message)
    resource = call.params.get("resourceArn")
    if resource and not _ECS_RESOURCE.fullmatch(str(resource)):
        raise Fault("InvalidParameterException", "The ARN provided is invalid.")
    for member in _ECS_NEW:
        if (new := call.params.get(member)) and not re.fullmatch(_NAME, str(new)):
            raise Fault("InvalidParameterException", f"Invalid identifier: {new}")


def _check_tables(call: ApiCall) -> None:
    for name in _table_names(call):
        if isinstance(name, str) and not (_TABLE_NAME.fullmatch(name) or _TABLE.fullmatch(name)):
            raise _wrong_table(name)
    if call.operation in _NEW_TABLES:
        # A table that is named like the ARN of another would be found in its place.
        new = call.params.get("TargetTableName" if "Restore" in call.operation else "TableName")
        if isinstance(new, str) and not _TABLE_NAME.fullmatch(new):
            raise _wrong_table(new)


def _table_names(call: ApiCall) -> Iterator[Any]:
    yield from (call.params.get(member) for member in ("TableName", "TargetTableName", "SourceTableName"))
    yield from (call.params.get(member) for member in ("ResourceArn", "TableArn", "SourceTableArn"))
    yield from call.params.get("RequestItems") or ()
    for item in call.params.get("TransactItems") or ():
        yield from (part.get("TableName") for part in item.values() if isinstance(part, dict))


def _wrong_table(name: str) -> Fault:
    message = (
        f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: Member must "
        "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    )
    return Fault("ValidationException", message)
