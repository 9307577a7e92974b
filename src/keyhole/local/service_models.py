"""botocore's service models: what each operation is called, how it travels, and what its members are.

Loaded when first asked for: EC2's takes a while.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.model import OperationModel, ServiceModel

from keyhole.aws.service_models import builtin_models

# The service as a signature names it → the service as botocore names it. Others are not part of this local AWS.
SIGNING_NAMES = {
    "s3": "s3",
    "iam": "iam",
    "sts": "sts",
    "ec2": "ec2",
    "tagging": "resourcegroupstaggingapi",
    "dynamodb": "dynamodb",
    "monitoring": "cloudwatch",
    "sns": "sns",
    "cloudtrail": "cloudtrail",
    "secretsmanager": "secretsmanager",
    "ecs": "ecs",
}
# What a client speaks unless its request says otherwise: "json" may also be rpc-v2-cbor.
PROTOCOLS = {
    **dict.fromkeys(("iam", "sts", "sns", "cloudwatch"), "query"),
    **dict.fromkeys(("resourcegroupstaggingapi", "dynamodb", "cloudtrail", "secretsmanager", "ecs"), "json"),
    "s3": "rest-xml",
    "ec2": "ec2",
}
# Services that left the query protocol, and still tell clients the error codes that they had in it.
QUERY_COMPATIBLE = frozenset({"cloudwatch"})
_JSON_1_0 = frozenset({"dynamodb", "cloudwatch"})


def json_content_type(service: str) -> str:
    """Give the content type of the service's JSON, which names the version of the protocol."""
    return f"application/x-amz-json-{'1.0' if service in _JSON_1_0 else '1.1'}"


@cache
def service_model(service: str) -> ServiceModel:
    """Give the model of a service by its botocore name."""
    return ServiceModel(builtin_models().load_service_model(service, "service-2"), service)


@cache
def find_operation(service: str, operation: str) -> OperationModel | None:
    """Give the operation of that name, or None where the service has none."""
    model = service_model(service)
    return model.operation_model(operation) if operation in model.operation_names else None


@cache
def _regions() -> frozenset[str]:
    partitions = builtin_models().load_data("partitions")["partitions"]
    return frozenset(next(partition["regions"] for partition in partitions if partition["id"] == "aws"))


def is_region(name: str) -> bool:
    """Hold iff AWS has a region of that name; `aws-global` stands for us-east-1."""
    return name in _regions()


def serialization(shape: Any) -> dict[str, Any]:
    """Give where a member travels: location, name, flattened and so on."""
    found: dict[str, Any] = shape.serialization
    return found
