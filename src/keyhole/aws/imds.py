"""Credentials from instance metadata, fetched as every SDK on the instance fetches them.

AWS: EC2 User Guide, "Retrieve security credentials from instance metadata".
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError
from botocore.utils import InstanceMetadataFetcher

from keyhole.aws.client import Credentials
from keyhole.errors import AwsError

AWS_ENDPOINT = "http://169.254.169.254"


@dataclass(frozen=True, slots=True)
class InstanceCredentials:
    """What instance metadata gives: the role's name, its temporary credentials, when they expire (ISO 8601)."""

    role_name: str
    credentials: Credentials
    expires: str


def fetch_instance_credentials(endpoint: str = AWS_ENDPOINT) -> InstanceCredentials:
    """Fetch the credentials of the role that is attached to the instance, by IMDSv2.

    Raises: AwsError if the metadata service does not answer or names no role.
    """
    # It is asked for here: a variable that keeps the SDKs from it does not count.
    fetcher = InstanceMetadataFetcher(
        timeout=2, num_attempts=2, env={}, config={"ec2_metadata_service_endpoint": endpoint.rstrip("/") + "/"}
    )
    try:
        found = fetcher.retrieve_iam_role_credentials()
    except BotoCoreError as error:
        raise _no_role(endpoint, str(error)) from error
    if not found:
        raise _no_role(endpoint, "it names no role")
    credentials = Credentials(found["access_key"], found["secret_key"], found["token"])
    return InstanceCredentials(found["role_name"], credentials, found["expiry_time"])


def find_local_imds(endpoint_url: str, instance_id: str, hops: int = 1) -> str:
    """Give the address at which a local AWS serves the metadata of one of its instances; "" if this is none.

    `hops` is how far away the client is: 1 on the instance, 2 in a container on it.
    An instance of AWS itself serves its metadata to itself alone, at `AWS_ENDPOINT`.
    """
    url = f"{endpoint_url.rstrip('/')}/_keyhole/instances/{urllib.parse.quote(instance_id)}?hops={hops}"
    if not url.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]")):
        return ""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - http to this machine, checked above
            return str(json.load(answer)["imds_endpoint"])
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return ""


def _hint(endpoint: str) -> str:
    if endpoint != AWS_ENDPOINT:
        return "the instance has no role yet: `keyhole up` attaches the role of the file"
    return (
        "run this on the instance itself; `keyhole plan` shows whether its role is attached; a container needs a hop "
        "limit of 2"
    )


def _no_role(endpoint: str, detail: str) -> AwsError:
    return AwsError(
        f"instance metadata at {endpoint} gives no credentials: {detail}",
        code="NoInstanceCredentials",
        operation="GetInstanceCredentials",
        hint=_hint(endpoint),
    )
