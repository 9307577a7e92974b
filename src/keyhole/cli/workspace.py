"""What most commands begin with: the spec, the account, and the blueprint of the one in the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint, build_blueprint
from keyhole.cli.next_commands import describe_flags
from keyhole.errors import KeyholeError
from keyhole.provision.adoption import find_elsewhere
from keyhole.spec import Spec, load_spec


@dataclass(frozen=True, slots=True)
class Workspace:
    """An app, the account that it is looked at in, and what it means there."""

    spec: Spec
    aws: BotocoreAws
    account: str
    blueprint: Blueprint
    flags: str
    """The options that lead the next command to the same place, for hints: " -e dev --local"."""


def open_workspace(file: Path, environment: str, *, local: bool, port: int, profile: str) -> Workspace:
    """Load the spec, find out which account the credentials belong to, and build the blueprint.

    Raises: KeyholeError (a wrong spec, the wrong account), AwsError (no credentials, no network).
    """
    if local and profile:
        raise KeyholeError("`--profile` and `--local` exclude each other", hint="the local AWS has its own root keys")
    spec = load_spec(file, environment)
    app = spec.app
    if app.app.endpoint and not local:
        raise KeyholeError(
            f"the file names the store at `{app.app.endpoint}`, which has no IAM: there is nothing to do on AWS",
            hint="`keyhole serve` works with it; for AWS leave `endpoint` out",
            where=spec.places.where(("app", "endpoint")),
        )
    if local:
        from keyhole.cli.local_aws import connect_local

        aws = connect_local(app.region, port, app.app.account)
    else:
        aws = BotocoreAws(app.region, profile=profile)
    account = str(aws.call("sts", "GetCallerIdentity")["Account"])
    if app.app.account and app.app.account != account:
        raise KeyholeError(
            f"the credentials belong to account `{account}`, the file says `{app.app.account}`",
            hint="use credentials of the right account (`--profile`, AWS_PROFILE), or correct `account`",
            where=spec.places.where(("app", "account")),
        )
    flags = describe_flags(file, environment, local=local, port=port, profile=profile)
    blueprint = build_blueprint(spec, account)
    if elsewhere := find_elsewhere(aws, blueprint):
        blueprint = build_blueprint(spec, account, elsewhere)
    return Workspace(spec, aws, account, blueprint, flags)


def say_wait(reason: str) -> None:
    """Say what reading AWS waits for, and how long."""
    from keyhole.cli.console import err

    err.print(f"  [yellow]…[/] waiting: {escape(reason)}", soft_wrap=True)
