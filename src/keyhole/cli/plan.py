"""`keyhole plan`: what would change."""

from __future__ import annotations

from typing import Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, Json, Local, LocalPort, Profile

Adopt = Annotated[
    list[str] | None,
    typer.Option("--adopt", help="Make a bucket of this name, which lacks our tag, this app's.", metavar="NAME"),
]


def plan(
    file: File = DEFAULT_FILE,
    env: Environment = "",
    adopt: Adopt = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every call with its parameters.")] = False,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Show what [bold]up[/] would change, and change nothing.

    Example: [bold]keyhole plan --local[/]
    """
    from keyhole.cli.console import err, out, show_json
    from keyhole.cli.tracked_files import warn_of_tracked_files
    from keyhole.cli.workspace import open_workspace, say_wait
    from keyhole.errors import ExitCode
    from keyhole.provision import plan_up, take_snapshot
    from keyhole.provision.show import plan_as_json, render_plan

    with err.status("reading AWS…"):
        workspace = open_workspace(file, env, local=local, port=local_port, profile=profile)
        snapshot = take_snapshot(workspace.aws, workspace.blueprint, on_wait=say_wait)
    found = plan_up(workspace.blueprint, snapshot, adopt=frozenset(adopt or ()))
    if json:
        show_json(plan_as_json(found))
    else:
        out.print(render_plan(found, width=out.width, verbose=verbose))
    warn_of_tracked_files(found)
    if found.refusals:
        raise typer.Exit(int(ExitCode.USAGE))
