"""Credentials from a container agent, fetched as every SDK in a container fetches them; and tasks of a local AWS.

AWS: AWS SDKs and Tools Reference Guide, "Container credential provider".
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError
from botocore.utils import ContainerMetadataFetcher

from keyhole.aws.client import Credentials
from keyhole.errors import AwsError

_LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


@dataclass(frozen=True, slots=True)
class LocalTask:
    """A task that runs in a local AWS: where its container finds its credentials and its metadata."""

    task_arn: str
    full_uri: str
    metadata_uri: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContainerCredentials:
    """What the agent gives: the role's ARN, its temporary credentials, when they expire (ISO 8601)."""

    role_arn: str
    credentials: Credentials
    expires: str


def fetch_container_credentials(full_uri: str, token: str) -> ContainerCredentials:
    """Fetch the credentials of a task. Raises: AwsError if the agent does not give any."""
    try:
        found = ContainerMetadataFetcher().retrieve_full_uri(full_uri, headers={"Authorization": token})
        credentials = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["Token"])
        return ContainerCredentials(found["RoleArn"], credentials, found["Expiration"])
    except (BotoCoreError, KeyError) as error:
        raise AwsError(
            f"the container agent at {full_uri} gives no credentials: {error}",
            code="NoContainerCredentials",
            operation="GetContainerCredentials",
        ) from error


@contextmanager
def run_local_task(
    endpoint_url: str, admin_token: str, *, account: str, region: str, task_role_arn: str
) -> Iterator[LocalTask]:
    """Start a task in a local AWS, and stop it in the end. Raises: AwsError with why ECS would not start it."""
    url = f"{endpoint_url.rstrip('/')}/_keyhole/tasks"
    wanted = {"account": account, "region": region, "task_role_arn": task_role_arn}
    found = _ask(url, admin_token, "POST", wanted)
    try:
        yield LocalTask(found["task_arn"], found["full_uri"], found["metadata_uri"], found["token"])
    finally:
        # Where it was reset or has ended meanwhile, there is no task any more.
        with suppress(AwsError):
            _ask(f"{url}/{found['task_id']}", admin_token, "DELETE")


def _ask(url: str, admin_token: str, method: str, document: dict[str, str] | None = None) -> dict[str, Any]:
    if not url.startswith(_LOOPBACK):
        raise _refused(f"{url} is not on this machine")
    request = urllib.request.Request(  # noqa: S310 - http to this machine, checked above
        url,
        data=json.dumps(document).encode() if document else None,
        method=method,
        headers={"Authorization": f"Bearer {admin_token}", "Content-Type": "application/json"},
    )
    # Never through a proxy: the token is for this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
            return found
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(_reason(error.read())) from error
    except (OSError, ValueError) as error:
        raise _refused(str(error)) from error


def _reason(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "it is no local AWS of Keyhole's"


def _refused(reason: str) -> AwsError:
    return AwsError(reason, code="TaskNotStarted", operation="RunTask", hint="`keyhole local status` says what runs")
