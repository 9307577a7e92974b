"""What most commands begin with: the spec, the account, and the blueprint of the one in the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import Blueprint, build_blueprint
from keyhole.errors import KeyholeError
from keyhole.spec import Spec, load_spec


@dataclass(frozen=True, slots=True)
class Workspace:
    """An app, the account that it is looked at in, and what it means there."""

    spec: Spec
    aws: BotocoreAws
    account: str
    blueprint: Blueprint


def open_workspace(file: Path, environment: str, *, local: bool, port: int, profile: str) -> Workspace:
    """Load the spec, find out which account the credentials belong to, and build the blueprint.

    Raises: KeyholeError (a wrong spec, the wrong account), AwsError (no credentials, no network).
    """
    spec = load_spec(file, environment)
    app = spec.app
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
    return Workspace(spec, aws, account, build_blueprint(spec, account))
