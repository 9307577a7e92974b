"""Calls by which moto would read or write what nobody asked the policies about are not available.

AWS: DynamoDB Developer Guide, "Requesting a table export in DynamoDB" and "Requesting a table import in DynamoDB", IAM
permissions: the buckets need theirs; Secrets Manager API Reference, BatchGetSecretValue: so does each secret.
"""

from __future__ import annotations

from keyhole.local.call import ApiCall, Fault

_THROUGH_BUCKETS = frozenset({"ExportTableToPointInTime", "ImportTable"})


def check_detours(call: ApiCall) -> None:
    """Hold iff the call touches only what its row names. Raises: Fault."""
    if call.service == "dynamodb" and call.operation in _THROUGH_BUCKETS:
        raise _unavailable(f"dynamodb:{call.operation}")
    if call.service == "dynamodb" and _asks_for_attributes(call):
        # moto gives every attribute, whichever were asked for.
        raise _unavailable("AttributesToGet, which ProjectionExpression replaced,")
    if (call.service, call.operation) == ("secretsmanager", "BatchGetSecretValue") and call.params.get("Filters"):
        # Which secrets it finds is not known before, so none of them was asked about.
        raise _unavailable("secretsmanager:BatchGetSecretValue with Filters")


def _asks_for_attributes(call: ApiCall) -> bool:
    requests = call.params.get("RequestItems") or {}
    tables = [wanted for wanted in requests.values() if isinstance(wanted, dict)]
    return any("AttributesToGet" in wanted for wanted in (call.params, *tables))


def _unavailable(what: str) -> Fault:
    return Fault("NotImplemented", f"{what} is not available in Keyhole's local AWS", 501)
