"""`keyhole can`: what one principal of an account can do."""

from __future__ import annotations

from typing import Annotated

import typer

from keyhole.cli.account_source import FromFile
from keyhole.cli.options import LOCAL_PORT, Json, Local, LocalPort, Profile


def can(
    principal: Annotated[str, typer.Argument(help="The ARN or the name of a user or a role.")],
    escalation: Annotated[
        bool, typer.Option("--escalation", help="Look for a path by which it can give itself more.")
    ] = False,
    source: FromFile = None,
    budget: Annotated[float, typer.Option("--budget", min=0.01, help="Seconds; past that it cannot be told.")] = 5.0,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Say what PRINCIPAL can do, as short as is honest: actions, resources, conditions, less what is denied.

    It looks at the policies of PRINCIPAL alone. Policies of buckets, keys and the like, which may let it do more, or
    keep it from something, are not looked at: [bold]keyhole who[/] looks at one of them.

    It ends with 1 if there is a path to more (with [bold]--escalation[/]), or if something cannot be told.

    Example: [bold]keyhole can uploader --escalation[/]
    """
    from keyhole.cli.account_source import open_account
    from keyhole.cli.console import err, out, say, show_json
    from keyhole.errors import ExitCode
    from keyhole.iam.access.abilities import describe_abilities
    from keyhole.iam.access.escalation import find_escalation
    from keyhole.iam.access.standing import Can
    from keyhole.iam.symbolic.question import Verdict
    from keyhole.simulate.authorization import ABILITIES_NOTE, ORGANIZATION_NOTE
    from keyhole.simulate.show_can import abilities_as_json, escalation_as_json, render_abilities, render_escalation

    with err.status("looking…"):
        account, _ = open_account(source, local=local, port=local_port, profile=profile)
        holder = account.find(principal)
        found = describe_abilities(account, holder, budget)
        path = find_escalation(account, holder, budget) if escalation else None
    notes = [ORGANIZATION_NOTE, ABILITIES_NOTE]
    if json:
        more = {"escalation": escalation_as_json(path)} if path is not None else {}
        show_json({**abilities_as_json(found), **more, "not_looked_at": notes})
    else:
        for note in notes:
            say(f"[dim]note: {note}[/]")
        out.print(render_abilities(found))
        if path is not None:
            out.print()
            out.print(render_escalation(path))
    is_untold = bool(found.untold) or any(grant.untold for grant in found.grants)
    is_untold = is_untold or any(role.verdict is Can.UNKNOWN for role in found.roles)
    if is_untold or (path is not None and path.verdict is not Verdict.HOLDS):
        raise typer.Exit(int(ExitCode.FINDING))
