"""The environment in which a program finds a workload's credentials where the workload would find them."""

from __future__ import annotations

import os
from pathlib import Path

from keyhole.aws.imds import fetch_instance_credentials
from keyhole.cli.workspace import open_workspace
from keyhole.errors import KeyholeError
from keyhole.spec.model import Ec2Workload
from keyhole.verify.identities import imds_endpoint

# Whatever would come before instance metadata in the SDKs' credential chain.
_EARLIER_IN_CHAIN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_EC2_METADATA_DISABLED",
)


def become_workload(file: Path, environment: str, key: str, port: int) -> None:
    """Let this process find the workload's credentials in the local AWS by the ordinary chain, and no others.

    Raises: KeyholeError if the workload is none that gets credentials from instance metadata.
    """
    workspace = open_workspace(file, environment, local=True, port=port, profile="")
    if not isinstance(workspace.spec.app.workloads[key], Ec2Workload):
        kind = workspace.spec.app.workloads[key].kind
        raise KeyholeError(f"running as a workload of kind `{kind}` is not possible yet", hint="kind `ec2` is")
    endpoint = imds_endpoint(workspace.aws, workspace.blueprint, key)
    fetch_instance_credentials(endpoint)
    for name in _EARLIER_IN_CHAIN:
        os.environ.pop(name, None)
    os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = endpoint
    os.environ["AWS_ENDPOINT_URL"] = workspace.aws.endpoint_url
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_CONFIG_FILE"] = os.devnull
