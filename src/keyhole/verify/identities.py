"""The credentials of each workload, taken the way the workload takes them, and of a stranger, who has none."""

from __future__ import annotations

import os
from dataclasses import dataclass

from keyhole.aws.client import BotocoreAws
from keyhole.aws.imds import AWS_ENDPOINT, fetch_instance_credentials, find_local_imds
from keyhole.aws.port import Aws
from keyhole.blueprint import ANONYMOUS, Blueprint
from keyhole.errors import AwsError, KeyholeError
from keyhole.resources import instance_attachment
from keyhole.spec.model import Ec2Workload


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a probe runs as. `aws` is None where these credentials cannot be had from here; `why_not` says why."""

    who: str
    aws: Aws | None
    source: str = ""
    why_not: str = ""


def find_identities(aws: Aws, blueprint: Blueprint) -> dict[str, Identity]:
    """Give the identity of every workload and of a stranger. `aws` are the operator's credentials."""
    stranger = BotocoreAws(aws.region, anonymous=True, endpoint_url=aws.endpoint_url)
    identities = {ANONYMOUS: Identity(ANONYMOUS, stranger, "unsigned requests")}
    for key in blueprint.app.workloads:
        try:
            identities[key] = _workload_identity(aws, blueprint, key)
        except KeyholeError as error:
            identities[key] = Identity(
                key, None, why_not=f"{error.message} ({error.hint})" if error.hint else str(error)
            )
    return identities


def imds_endpoint(aws: Aws, blueprint: Blueprint, key: str) -> str:
    """Give where the instance of an ec2 workload finds its metadata: its own address in a local AWS.

    Raises: KeyholeError if the local AWS has no such instance, AwsError.
    """
    if override := os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"):
        return override
    workload = blueprint.app.workloads[key]
    if not aws.endpoint_url or not isinstance(workload, Ec2Workload):
        return AWS_ENDPOINT
    if not workload.instance:
        raise KeyholeError(f"workload `{key}` names no instance", hint="set `instance` in the file")
    have = instance_attachment.read(aws, blueprint.scope, workload.instance)
    if have is None:
        raise KeyholeError(
            f"there is no instance `{workload.instance}` in {aws.region}",
            hint=f"run one: `keyhole local instance {workload.instance} --region {aws.region}`",
        )
    endpoint = find_local_imds(aws.endpoint_url, have.name)
    if not endpoint:
        raise KeyholeError(f"{aws.endpoint_url} serves no instance metadata", hint="use `keyhole local start`")
    return endpoint


def _workload_identity(aws: Aws, blueprint: Blueprint, key: str) -> Identity:
    workload = blueprint.app.workloads[key]
    if not isinstance(workload, Ec2Workload):
        return Identity(key, None, why_not=f"probing workloads of kind `{workload.kind}` is not possible yet")
    endpoint = imds_endpoint(aws, blueprint, key)
    found = fetch_instance_credentials(endpoint)
    if not found.credentials.session_token:
        raise AwsError("instance metadata gave a key that never expires", code="NotTemporary", operation="GetInstance")
    source = f"instance metadata at {endpoint}, role {found.role_name}, until {found.expires}"
    workload_aws = BotocoreAws(aws.region, credentials=found.credentials, endpoint_url=aws.endpoint_url)
    return Identity(key, workload_aws, source)
