"""The environment in which a program finds a workload's credentials in the local AWS, where the workload finds them.

Nobody else's are in it. What is made for it lasts as long as it does.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.aws.container_credentials import fetch_container_credentials, run_local_task
from keyhole.aws.imds import fetch_instance_credentials
from keyhole.blueprint.workloads import holder_arn, workload_names
from keyhole.cli.bare_environment import bare_environment
from keyhole.cli.console import say
from keyhole.cli.github_environment import job_environment, write_private
from keyhole.cli.local_aws import require_running
from keyhole.cli.local_door import open_door
from keyhole.cli.workspace import Workspace
from keyhole.errors import AwsError, KeyholeError
from keyhole.resources.access_key import AccessKey, read_credentials
from keyhole.spec.model import AccessKeyWorkload, Ec2Workload, EcsWorkload, GithubActionsWorkload, RoleWorkload
from keyhole.verify.github_tokens import own_token
from keyhole.verify.identities import imds_endpoint, local_imds
from keyhole.verify.stand_ins import make_access_key, make_trusted_caller, run_instance

Environment = Mapping[str, str]

# What a role that is not there is answered with, as if it were closed.
_NOT_THERE = frozenset({"AccessDenied", "TaskNotStarted"})


@contextmanager
def workload_environment(workspace: Workspace, key: str, port: int, *, hops: int = 1) -> Iterator[dict[str, str]]:
    """Give this process's environment, as the workload would have it.

    `port` is the local AWS's, `hops` how far the program is from its instance: 2 in a container on it.

    Raises: KeyholeError where the workload's credentials cannot be had, AwsError.
    """
    bare = bare_environment(os.environ, workspace.aws.endpoint_url, workspace.aws.region)
    with ExitStack() as stack:
        try:
            found = stack.enter_context(_credentials(workspace, key, port, hops))
        except AwsError as error:
            if not error.hint or error.code in _NOT_THERE:
                error.hint = f"are its resources there? `keyhole up{workspace.flags}` makes them"
            raise
        yield {**bare, **found}


@contextmanager
def become_workload(workspace: Workspace, key: str, port: int) -> Iterator[None]:
    """Until the end of the block this process itself has the workload's environment. Raises: KeyholeError, AwsError."""
    before = dict(os.environ)
    with workload_environment(workspace, key, port) as environment:
        try:
            _set_environment(environment)
            yield
        finally:
            _set_environment(before)


def _set_environment(environment: Environment) -> None:
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)


def _credentials(workspace: Workspace, key: str, port: int, hops: int) -> AbstractContextManager[Environment]:
    workload = workspace.spec.app.workloads[key]
    if hops != 1 and not isinstance(workload, Ec2Workload):
        raise KeyholeError(f"workload `{key}` is of kind `{workload.kind}`", hint="`--hops` is for kind `ec2`")
    match workload:
        case Ec2Workload():
            return _instance(workspace, key, workload, hops)
        case EcsWorkload():
            return _task(workspace, key, port)
        case RoleWorkload():
            return _role(workspace, key, workload)
        case AccessKeyWorkload():
            return _user(workspace, key)
        case GithubActionsWorkload():
            return _job(workspace, key, port)


@contextmanager
def _instance(workspace: Workspace, key: str, workload: Ec2Workload, hops: int) -> Iterator[Environment]:
    aws, blueprint = workspace.aws, workspace.blueprint
    if workload.instance:
        near, seen = (imds_endpoint(aws, blueprint, key, distance) for distance in (1, hops))
        yield _imds(near, seen)
        return
    with run_instance(aws, blueprint, key) as instance_id:
        say(f"[dim]workload {key} names no instance: {instance_id} runs for as long as the command does[/]")
        yield _imds(local_imds(aws, instance_id), local_imds(aws, instance_id, hops))


def _imds(near: str, seen: str) -> Environment:
    # Whether there is a role is found out on the instance: how far the answers get is the program's to see.
    fetch_instance_credentials(near)
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": seen, "AWS_EC2_METADATA_DISABLED": "false"}


@contextmanager
def _task(workspace: Workspace, key: str, port: int) -> Iterator[Environment]:
    scope = workspace.blueprint.scope
    role_arn = holder_arn(workspace.spec.app, key, scope)
    token = open_door(port).admin_token
    url = workspace.aws.endpoint_url
    with run_local_task(url, token, account=scope.account, region=scope.region, task_role_arn=role_arn) as task:
        fetch_container_credentials(task.full_uri, task.token)
        yield {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": task.full_uri,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": task.token,
            "ECS_CONTAINER_METADATA_URI_V4": task.metadata_uri,
        }


@contextmanager
def _role(workspace: Workspace, key: str, workload: RoleWorkload) -> Iterator[Environment]:
    """The SDKs assume the role themselves, and again when the session ends: from a profile, as people do on AWS."""
    scope = workspace.blueprint.scope
    role_arn = holder_arn(workspace.spec.app, key, scope)
    with (
        make_trusted_caller(workspace.aws, scope.account, role_arn, workload.trusted) as caller,
        tempfile.TemporaryDirectory(prefix="keyhole-run-") as folder,
    ):
        # The AWS CLI keeps sessions on disk by role and name: a name of its own lets it find none of an earlier run.
        session_name = f"{key}-{secrets.token_hex(4)}"
        aws = BotocoreAws(workspace.aws.region, credentials=caller, endpoint_url=workspace.aws.endpoint_url)
        # A role that is not there, or closed to the caller, is known before the command runs.
        aws.call("sts", "AssumeRole", RoleArn=role_arn, RoleSessionName=session_name)
        config = Path(folder, "config")
        write_private(config, _profiles(role_arn, session_name, caller))
        # For SDKs that read the file only when they are told to.
        yield {"AWS_CONFIG_FILE": str(config), "AWS_SDK_LOAD_CONFIG": "1"}


def _profiles(role_arn: str, session_name: str, caller: Credentials) -> str:
    lines = (
        "[default]",
        f"role_arn = {role_arn}",
        f"role_session_name = {session_name}",
        "source_profile = caller",
        "[profile caller]",
        f"aws_access_key_id = {caller.access_key_id}",
        f"aws_secret_access_key = {caller.secret_access_key}",
    )
    return "\n".join(lines) + "\n"


@contextmanager
def _job(workspace: Workspace, key: str, port: int) -> Iterator[Environment]:
    role_arn = holder_arn(workspace.spec.app, key, workspace.blueprint.scope)
    stranger = BotocoreAws(workspace.aws.region, anonymous=True, endpoint_url=workspace.aws.endpoint_url)
    wanted = own_token(workspace.blueprint, role_arn)
    token = open_door(port).job_token(wanted)
    params = {"RoleArn": role_arn, "RoleSessionName": "keyhole-run", "WebIdentityToken": token}
    stranger.call("sts", "AssumeRoleWithWebIdentity", **params)
    with job_environment(require_running(port), wanted, role_arn) as environment:
        yield environment


@contextmanager
def _user(workspace: Workspace, key: str) -> Iterator[Environment]:
    user = workload_names(workspace.spec.app, key, workspace.account).user
    wanted = [want for want in workspace.blueprint.resources if isinstance(want, AccessKey) and want.name == user]
    found = read_credentials(workspace.aws, wanted[0]) if wanted else None
    if found is not None:
        yield {"AWS_ACCESS_KEY_ID": found.access_key_id, "AWS_SECRET_ACCESS_KEY": found.secret_access_key}
        return
    with make_access_key(workspace.aws, user) as credentials:
        yield {
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        }
