"""`keyhole who`: every principal of an account that can do something."""

from __future__ import annotations

from typing import Annotated

import typer

from keyhole.cli.account_source import FromFile, ResourcePolicy
from keyhole.cli.options import LOCAL_PORT, Json, Local, LocalPort, Profile


def who(
    action: Annotated[str, typer.Argument(help="An action or a pattern of actions: `s3:GetObject`, `s3:Put*`.")],
    resource: Annotated[str, typer.Argument(help="An ARN or a pattern: `arn:aws:s3:::b/*` asks for any of them.")],
    source: FromFile = None,
    resource_policy: ResourcePolicy = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show who cannot as well, and why.")] = False,
    budget: Annotated[
        float, typer.Option("--budget", min=0.01, help="Seconds for all of it; past that it cannot be told.")
    ] = 5.0,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Name every user and role that can do ACTION on RESOURCE, by which statements and under which conditions.

    It ends with 1 if somebody outside the account can, or if of some principal it cannot be told.

    Example: [bold]keyhole who s3:GetObject 'arn:aws:s3:::masks/*'[/]
    """
    from keyhole.cli.account_source import open_account
    from keyhole.cli.console import err, out, say, show_json
    from keyhole.errors import ExitCode
    from keyhole.iam.access.outsiders import find_outsiders_of_all
    from keyhole.iam.access.standing import Can
    from keyhole.iam.access.who import find_who_of_all
    from keyhole.iam.symbolic.budget import Budget
    from keyhole.simulate.authorization import read_targets
    from keyhole.simulate.show_who import render_who, unite, who_as_json

    with err.status("looking…"):
        account, aws = open_account(source, local=local, port=local_port, profile=profile)
        targets, notes = read_targets(account, action, resource, aws=aws, policy_file=resource_policy)
        within = Budget(budget)
        inside = unite(find_who_of_all(account, targets, within))
        outside = unite(find_outsiders_of_all(account.number, targets, within))
    if json:
        show_json(who_as_json(inside, outside, notes))
    else:
        for note in notes:
            say(f"[dim]note: {note}[/]")
        out.print(render_who(f"{action} on {resource}", inside, outside, show_all=show_all))
    if outside or any(each.verdict is Can.UNKNOWN for each in inside):
        raise typer.Exit(int(ExitCode.FINDING))
