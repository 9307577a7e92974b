"""`keyhole public`: whether a bucket or a policy is open to anybody outside its account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keyhole.cli.options import LOCAL_PORT, Json, Local, LocalPort, Profile


def public(
    bucket: Annotated[
        str, typer.Argument(help="A bucket of the account, or the file of a bucket policy.", metavar="BUCKET|FILE")
    ],
    account: Annotated[
        str, typer.Option(help="Whose bucket it is, with a file; without it every account is another.", metavar="ID")
    ] = "",
    budget: Annotated[
        float, typer.Option("--budget", min=0.01, help="Seconds for all of it; past that it cannot be told.")
    ] = 5.0,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Say whether it is public by AWS's definition, and who outside the account comes in, by which statement.

    It ends with 1 if anybody outside the account does, AWS's services included, or if that cannot be told. A name
    with a dot or a slash that is a file's is read as a file.

    Example: [bold]keyhole public masks[/]
    """
    from keyhole.cli.account_source import connect
    from keyhole.cli.console import err, out, show_json
    from keyhole.errors import ExitCode, KeyholeError
    from keyhole.iam import PolicyKind
    from keyhole.iam.principals import is_account_id
    from keyhole.simulate.exposure import judge_bucket, judge_policy
    from keyhole.simulate.files import read_policy
    from keyhole.simulate.show_exposure import openness_as_json, render_openness

    if account and not is_account_id(account):
        raise KeyholeError(f"`{account}` is no account", hint="write its number of 12 digits")
    is_file = "/" in bucket or bucket.endswith(".json") or Path(bucket).is_file()
    with err.status("looking…"):
        if is_file:
            policy = read_policy(Path(bucket), PolicyKind.RESOURCE)
            found = judge_policy(policy, account or "000000000000", budget)
        else:
            found = judge_bucket(connect(local=local, port=local_port, profile=profile), bucket, budget)
    if json:
        show_json(openness_as_json(bucket, found))
    else:
        out.print(render_openness(bucket, found))
    if not found.is_closed:
        raise typer.Exit(int(ExitCode.FINDING))
