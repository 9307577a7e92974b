"""`keyhole up`: make AWS agree with the file."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, Json, Local, LocalPort, Profile, Yes
from keyhole.cli.plan import Adopt


def up(
    file: File = DEFAULT_FILE,
    env: Environment = "",
    adopt: Adopt = None,
    empty: Annotated[
        bool, typer.Option("--empty", help="Delete buckets that left the file even if they hold objects.")
    ] = False,
    yes: Yes = False,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Make AWS agree with the file: decide its claims on paper, show the plan, ask, apply.

    Example: [bold]keyhole up --local --yes[/]
    """
    from keyhole.cli.changing import ask, carry_out, end
    from keyhole.cli.console import err, out, say, show_json
    from keyhole.cli.workspace import open_workspace, say_wait
    from keyhole.errors import ExitCode
    from keyhole.provision import plan_up, take_snapshot
    from keyhole.provision.show import applied_as_json, render_plan
    from keyhole.verify.managed import read_managed_policies
    from keyhole.verify.prove import prove, refuted
    from keyhole.verify.show_proofs import describe_proofs, render_failures

    with err.status("reading AWS…"):
        workspace = open_workspace(file, env, local=local, port=local_port, profile=profile)
        managed = read_managed_policies(workspace.aws, workspace.blueprint)
        proofs = prove(workspace.spec, workspace.blueprint, managed)
        snapshot = take_snapshot(workspace.aws, workspace.blueprint, on_wait=say_wait)
    if broken := refuted(proofs):
        out.print(render_failures(broken))
        say("the planned policies would not do what the file says: nothing was changed")
        raise typer.Exit(int(ExitCode.FINDING))
    plan = plan_up(workspace.blueprint, snapshot, adopt=frozenset(adopt or ()), empty=empty)
    if plan.is_empty:
        show_json(applied_as_json(plan, None)) if json else out.print(render_plan(plan, width=out.width))
        return
    ask(plan, "Apply this?", yes=yes, as_json=json)
    say(f"[dim]{describe_proofs(proofs)}[/]")
    started = time.monotonic()
    applied = carry_out(plan, workspace.aws)
    if json:
        show_json(applied_as_json(plan, applied))
    took = f"[green]up[/] in {time.monotonic() - started:.1f} s"
    end(applied, f"{took}; now `keyhole verify{workspace.flags}` tries it", f"keyhole up{workspace.flags}")
