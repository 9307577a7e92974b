"""Secrets Manager: operation → action; a secret by its name, its ARN, or its ARN without the random ending.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for AWS Secrets Manager"; Secrets Manager
User Guide, "Permissions policy examples for AWS Secrets Manager", wildcards for the six characters after the name.
"""

from __future__ import annotations

from typing import Any

from keyhole.local.actions.row import (
    Context,
    ContextOf,
    Need,
    Place,
    ResourcesOf,
    Row,
    as_flag,
    every,
    merge,
    pass_role,
)
from keyhole.local.call import ApiCall


def secret_arn(name: str, place: Place) -> str:
    """Give the ARN of a secret, with its random ending where it exists."""
    arn = name if name.startswith("arn:") else f"arn:aws:secretsmanager:{place.region}:{place.account}:secret:{name}"
    found = place.backend.find_resource(arn)
    return found.arn if found else arn


def _secret(call: ApiCall, place: Place) -> tuple[str, ...]:
    return (secret_arn(str(call.params.get("SecretId") or ""), place),)


def _new_secret(call: ApiCall, place: Place) -> tuple[str, ...]:
    name = str(call.params.get("Name") or "")
    return (f"arn:aws:secretsmanager:{place.region}:{place.account}:secret:{name}-??????",)


def _listed(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The secrets of a batch; one that is described by filters may be any."""
    names = call.params.get("SecretIdList")
    if not names or call.params.get("Filters"):
        return (f"arn:aws:secretsmanager:{place.region}:{place.account}:secret:*",)
    return tuple(secret_arn(str(name), place) for name in names)


def _maybe_secret(call: ApiCall, place: Place) -> tuple[str, ...]:
    return _secret(call, place) if call.params.get("SecretId") else ("*",)


def _by_secret(call: ApiCall, place: Place) -> Context:
    arn = _secret(call, place)[0]
    # What calls itself an ARN and is none has no Region; it is refused later, whoever may do what.
    region = arn.split(":")[3] if arn.count(":") >= 5 else place.region
    return {"secretsmanager:SecretId": arn, "secretsmanager:SecretPrimaryRegion": region}


def _texts(**keys: str) -> ContextOf:
    def context(call: ApiCall, _place: Place) -> Context:
        return {f"secretsmanager:{key}": str(call.params[name]) for name, key in keys.items() if name in call.params}

    return context


def _flags(**keys: str) -> ContextOf:
    def context(call: ApiCall, _place: Place) -> Context:
        found = {name: key for name, key in keys.items() if name in call.params}
        return {f"secretsmanager:{key}": as_flag(call.params[name]) for name, key in found.items()}

    return context


def _replicas(call: ApiCall, _place: Place) -> Context:
    regions = [str(item.get("Region", "")) for item in call.params.get("AddReplicaRegions") or ()]
    found: dict[str, Any] = {"secretsmanager:AddReplicaRegions": tuple(regions)} if regions else {}
    if "ForceOverwriteReplicaSecret" in call.params:
        found["secretsmanager:ForceOverwriteReplicaSecret"] = as_flag(call.params["ForceOverwriteReplicaSecret"])
    return found


def _key(call: ApiCall, _place: Place) -> Context:
    key = str(call.params.get("KmsKeyId") or "")
    if not key:
        return {}
    arn = {"secretsmanager:KmsKeyArn": key} if key.startswith("arn:") else {}
    return {"secretsmanager:KmsKeyId": key, **arn}


def _version(call: ApiCall, _place: Place) -> Context:
    found = {"secretsmanager:VersionStage": str(call.params.get("VersionStage") or "AWSCURRENT")}
    if version := call.params.get("VersionId"):
        # Who names a version and no stage gets that version, whichever stage it is in.
        found = {"secretsmanager:VersionId": str(version)} | (found if call.params.get("VersionStage") else {})
    return found


def _rotation(call: ApiCall, _place: Place) -> Context:
    params = call.params
    found: dict[str, Any] = {
        "secretsmanager:RotateImmediately": as_flag(params.get("RotateImmediately", True)),
        "secretsmanager:ModifyRotationRules": as_flag("RotationRules" in params),
    }
    if arn := params.get("RotationLambdaARN"):
        found["secretsmanager:RotationLambdaARN"] = str(arn)
    if role := params.get("ExternalSecretRotationRoleArn"):
        found["secretsmanager:ExternalSecretRotationRoleArn"] = str(role)
    return found


def _rows(*operations: str, context: ContextOf | None = None) -> dict[str, Row]:
    whole = merge(_by_secret, context) if context else _by_secret
    return {name: (Need(f"secretsmanager:{name}", _secret, context=whole),) for name in operations}


_RESOURCE: ResourcesOf = _secret

ROWS: dict[str, Row] = {
    "CreateSecret": (
        Need(
            "secretsmanager:CreateSecret",
            _new_secret,
            context=merge(_texts(Name="Name", Description="Description", Type="Type"), _key, _replicas),
        ),
        Need("secretsmanager:TagResource", _new_secret, ("Tags",)),
        Need("secretsmanager:ReplicateSecretToRegions", _new_secret, ("AddReplicaRegions",), _replicas),
    ),
    **_rows(
        *("DescribeSecret", "PutSecretValue", "RestoreSecret", "ListSecretVersionIds", "TagResource", "UntagResource"),
        *("GetResourcePolicy", "DeleteResourcePolicy", "CancelRotateSecret", "RemoveRegionsFromReplication"),
        "StopReplicationToReplica",
    ),
    **_rows("GetSecretValue", context=_version),
    **_rows("UpdateSecret", context=merge(_texts(Description="Description", Type="Type"), _key)),
    **_rows("UpdateSecretVersionStage", context=_texts(VersionStage="VersionStage")),
    **_rows("PutResourcePolicy", context=_flags(BlockPublicPolicy="BlockPublicPolicy")),
    **_rows("ReplicateSecretToRegions", context=_replicas),
    **_rows(
        "DeleteSecret",
        context=merge(
            _texts(RecoveryWindowInDays="RecoveryWindowInDays"),
            _flags(ForceDeleteWithoutRecovery="ForceDeleteWithoutRecovery"),
        ),
    ),
    "RotateSecret": (
        Need("secretsmanager:RotateSecret", _RESOURCE, context=merge(_by_secret, _rotation)),
        pass_role("secretsmanager.amazonaws.com", "ExternalSecretRotationRoleArn"),
    ),
    "BatchGetSecretValue": (
        Need("secretsmanager:BatchGetSecretValue", lambda _call, _place: ("*",)),
        Need("secretsmanager:GetSecretValue", _listed),
    ),
    "ValidateResourcePolicy": every("secretsmanager:ValidateResourcePolicy", _maybe_secret),
    "ListSecrets": every("secretsmanager:ListSecrets"),
    "GetRandomPassword": every("secretsmanager:GetRandomPassword"),
}
