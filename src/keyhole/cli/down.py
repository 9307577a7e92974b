"""`keyhole down`: remove what belongs to the app, and nothing else."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, Json, Local, LocalPort, Profile, Yes


def down(
    file: File = DEFAULT_FILE,
    env: Environment = "",
    empty: Annotated[
        bool, typer.Option("--empty", help="Delete the objects in the buckets too, every version.")
    ] = False,
    yes: Yes = False,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Remove everything that carries this app's tags, and nothing else.

    A bucket that still holds objects is not deleted unless you say [bold]--empty[/].

    Example: [bold]keyhole down --local --empty[/]
    """
    from keyhole.cli.changing import ask, carry_out, end
    from keyhole.cli.console import err, say, show_json
    from keyhole.cli.workspace import open_workspace, say_wait
    from keyhole.errors import ExitCode
    from keyhole.provision import plan_down, take_snapshot
    from keyhole.provision.show import applied_as_json

    with err.status("reading AWS…"):
        workspace = open_workspace(file, env, local=local, port=local_port, profile=profile)
        snapshot = take_snapshot(workspace.aws, workspace.blueprint, only_ours=True, on_wait=say_wait)
    plan = plan_down(workspace.blueprint, snapshot, empty=empty)
    scope = workspace.blueprint.scope
    where = f"{scope.app} ({scope.environment}) in account {scope.account}"
    if plan.is_empty:
        say(f"nothing of {where} is there: nothing to do")
        if json:
            show_json(applied_as_json(plan, None))
        return
    ask(plan, "Delete all of this, for good?", yes=yes, as_json=json)
    started = time.monotonic()
    applied = carry_out(plan, workspace.aws)
    if json:
        show_json(applied_as_json(plan, applied))
    if applied.is_complete:
        with err.status("looking once more…"):
            left = plan_down(workspace.blueprint, take_snapshot(workspace.aws, workspace.blueprint, only_ours=True))
        if not left.is_empty:
            say("still there: " + ", ".join(change.address for change in left.changes))
            raise typer.Exit(int(ExitCode.FINDING))
    end(
        applied,
        f"[green]down[/] in {time.monotonic() - started:.1f} s: nothing tagged as {where} is left",
        f"keyhole down{workspace.flags}",
    )
