"""The policies that AWS keeps and a workload of the file has: read from AWS, for no file says what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keyhole.aws import Aws
from keyhole.blueprint import Blueprint
from keyhole.errors import AwsError, Mistake, SpecError
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.role import Role

Documents = Mapping[str, Mapping[str, Any]]


def read_managed_policies(aws: Aws, blueprint: Blueprint) -> dict[str, Mapping[str, Any]]:
    """Give the document of each, by its ARN. Raises: KeyholeError for a name that AWS does not know, AwsError."""
    own = {resource.arn for resource in blueprint.resources if isinstance(resource, ManagedPolicy)}
    documents: dict[str, Mapping[str, Any]] = {}
    mistakes: list[Mistake] = []
    for role in blueprint.resources:
        for arn in role.policy_arns if isinstance(role, Role) else ():
            if arn in own or arn in documents:
                continue
            try:
                documents[arn] = read_document(aws, arn)
            except AwsError as error:
                if error.code != "NoSuchEntity":
                    raise
                key = role.address.partition(".")[2]
                message = f"workload `{key}`: AWS has no managed policy `{arn.rpartition(':policy/')[2]}`"
                hint = "its name has a path in it: `aws iam list-policies --scope AWS` tells"
                mistakes.append(Mistake(f"workloads.{key}.managed_policies", message, hint))
    if mistakes:
        raise SpecError(tuple(mistakes))
    return documents


def read_document(aws: Aws, arn: str) -> Mapping[str, Any]:
    """Give the document of a managed policy, as it is in force. Raises: AwsError."""
    version = aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document: Mapping[str, Any] = aws.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)[
        "PolicyVersion"
    ]["Document"]
    return document
