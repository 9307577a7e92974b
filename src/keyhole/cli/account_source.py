"""Where an account comes from: AWS itself, the local one, or the file that AWS's program wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from keyhole.aws.client import BotocoreAws
    from keyhole.iam.access.account import Account

FromFile = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="The output of `aws iam get-account-authorization-details`; without it the live account is read.",
        metavar="FILE",
    ),
]
ResourcePolicy = Annotated[
    Path | None,
    typer.Option("--bucket-policy", "--resource-policy", help="The policy of the bucket or key.", metavar="FILE"),
]


def open_account(file: Path | None, *, local: bool, port: int, profile: str) -> tuple[Account, BotocoreAws | None]:
    """Give the account, and AWS where it was read from there. Raises: KeyholeError."""
    from keyhole.errors import KeyholeError
    from keyhole.simulate.authorization import read_account, read_account_file

    if file is not None:
        if local or profile:
            raise KeyholeError(
                "`--from` names a file, and `--local` or `--profile` an account", hint="give one of them"
            )
        return read_account_file(file), None
    aws = connect(local=local, port=port, profile=profile)
    return read_account(aws), aws


def connect(*, local: bool, port: int, profile: str) -> BotocoreAws:
    """Give the account of the ordinary credentials, or the local one as its root. Raises: KeyholeError."""
    import os

    from keyhole.aws.client import BotocoreAws
    from keyhole.errors import KeyholeError

    if local and profile:
        raise KeyholeError("`--profile` and `--local` exclude each other", hint="the local AWS has its own root keys")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    if not local:
        return BotocoreAws(region, profile=profile)
    from keyhole.cli.local_aws import connect_local

    return connect_local(region, port, None)
