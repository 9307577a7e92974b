"""Calls made up from botocore's models: every member filled, with names and ARNs that fit what the member is for."""

from __future__ import annotations

from typing import Any

from keyhole.local.call import ApiCall, Headers, HttpRequest
from keyhole.local.service_models import PROTOCOLS, find_operation

ACCOUNT = "123456789012"
REGION = "us-east-1"
_HERE = f"{REGION}:{ACCOUNT}"
_TABLE = f"arn:aws:dynamodb:{_HERE}:table/orders"

# Members whose text is more than a name.
_TEXTS: dict[str, dict[str, Any]] = {
    "s3": {"CopySource": "bucket/key", "Bucket": "bucket", "Key": "key", "Role": f"arn:aws:iam::{ACCOUNT}:role/copier"},
    "iam": {
        "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/reader",
        "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/ann",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/web",
        "OpenIDConnectProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com",
        "SAMLProviderArn": f"arn:aws:iam::{ACCOUNT}:saml-provider/corp",
        "SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/ann",
        "Url": "https://token.example.com",
        "AWSServiceName": "ecs.amazonaws.com",
        "DeletionTaskId": "task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/1",
        "Path": "/app/",
        "NewPath": "/new/",
    },
    "ec2": {
        "Resources": ["i-0abc"],
        "InstanceId": "i-0abc",
        "ResourceType": "instance",
        "IamInstanceProfile": {},
        "LaunchTemplate": {},
    },
    "dynamodb": {
        "RequestItems": {"orders": {"Keys": [{"id": {"S": "1"}}]}},
        "ResourceArn": _TABLE,
        "TableArn": _TABLE,
        "SourceTableArn": _TABLE,
        "BackupArn": f"{_TABLE}/backup/1",
        "ExportArn": f"{_TABLE}/export/1",
        "ImportArn": f"{_TABLE}/import/1",
    },
    "cloudwatch": {"ResourceARN": f"arn:aws:cloudwatch:{_HERE}:alarm:high"},
    "sns": {
        "TopicArn": f"arn:aws:sns:{_HERE}:news",
        "TargetArn": f"arn:aws:sns:{_HERE}:news",
        "ResourceArn": f"arn:aws:sns:{_HERE}:news",
        "SubscriptionArn": f"arn:aws:sns:{_HERE}:news:0a1b2c",
    },
    "cloudtrail": {
        "ResourceId": f"arn:aws:cloudtrail:{_HERE}:trail/audit",
        "ResourceIdList": [f"arn:aws:cloudtrail:{_HERE}:trail/audit"],
        "CloudWatchLogsRoleArn": f"arn:aws:iam::{ACCOUNT}:role/logs",
    },
    "ecs": {
        "resourceArn": f"arn:aws:ecs:{_HERE}:cluster/main",
        "taskDefinition": "web:1",
        "taskDefinitions": ["web:1"],
        "cpu": "256",
        "memory": "512",
    },
}


def sample_call(service: str, operation: str, *, only_required: bool = False) -> ApiCall:
    """A call with every member of its model, or with those that it must have."""
    found = find_operation(service, operation)
    assert found is not None
    shape = found.input_shape
    params: dict[str, Any] = {}
    for name, member in shape.members.items() if shape else ():
        if not only_required or (shape and name in shape.required_members):
            params[name] = _TEXTS.get(service, {}).get(name, _sample(member, name, service, 0))
    if (service, operation) == ("dynamodb", "BatchWriteItem"):
        params["RequestItems"] = {"orders": [{"PutRequest": {"Item": {"id": {"S": "1"}}}}]}
    request = HttpRequest("POST", "/", "", Headers(), _Nothing())
    return ApiCall(service, operation, params, REGION, PROTOCOLS.get(service, "rest-xml"), request)


class _Nothing:
    def read(self) -> bytes:
        return b""


def _sample(shape: Any, name: str, service: str, depth: int) -> Any:
    if name in _TEXTS.get(service, {}):
        return _TEXTS[service][name]
    kind = shape.type_name
    if kind == "structure":
        members = shape.members.items() if depth < 4 else ()
        return {inner: _sample(member, inner, service, depth + 1) for inner, member in members}
    if kind == "list":
        return [_sample(shape.member, name, service, depth + 1)] if depth < 4 else []
    if kind == "map":
        return {"key": _sample(shape.value, name, service, depth + 1)} if depth < 4 else {}
    if kind == "boolean":
        return True
    if kind in ("integer", "long", "float", "double"):
        return 1
    if kind == "blob":
        return b"1"
    if kind == "timestamp":
        return "2031-05-17T12:30:00Z"
    return (shape.metadata.get("enum") or ["thing"])[0]
