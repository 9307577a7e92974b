"""`keyhole verify`: try every claim for real, as the workload and as a stranger."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, Json, Local, LocalPort, Profile


def verify(
    file: File = DEFAULT_FILE,
    env: Environment = "",
    wait: Annotated[
        float | None,
        typer.Option("--wait", min=0, help="Seconds to wait for IAM's changes to spread; 15 on AWS, 0 locally."),
    ] = None,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Try every claim for real: with the workload's own credentials, and with none.

    On AWS run it on the workload's instance: only there are its credentials to be had. It leaves no objects behind.

    Example: [bold]keyhole verify --local[/]
    """
    from keyhole.cli.console import err, out, say, show_json
    from keyhole.cli.last_probes import keep_probes
    from keyhole.cli.local_door import open_door
    from keyhole.cli.workspace import open_workspace
    from keyhole.errors import ExitCode
    from keyhole.verify.identities import open_identities
    from keyhole.verify.probe import Verdict, probe_claims
    from keyhole.verify.show import bucket_keys, probes_as_json, render_identities, render_probes, render_untried

    with ExitStack() as stack:
        with err.status("taking the workload's credentials…"):
            workspace = open_workspace(file, env, local=local, port=local_port, profile=profile)
            door = open_door(local_port) if local else None
            identities = stack.enter_context(open_identities(workspace.aws, workspace.blueprint, door))
        patience_s = wait if wait is not None else 0.0 if workspace.aws.endpoint_url else 15.0
        with err.status("probing…"):
            probes = probe_claims(workspace.aws, workspace.blueprint, identities, patience_s=patience_s)
    keep_probes(workspace.blueprint.scope, probes, is_local=local)
    if json:
        show_json(probes_as_json(probes, identities))
    else:
        out.print(render_identities(identities))
        out.print(render_probes(probes, bucket_keys(workspace.blueprint), width=out.width))
        if untried := render_untried(workspace.blueprint, probes):
            out.print(untried)
    if any(probe.verdict is Verdict.FAILS for probe in probes):
        say(f"`keyhole plan{workspace.flags}` shows what differs from the file; `keyhole up{workspace.flags}` mends it")
    if any(probe.verdict is not Verdict.HOLDS for probe in probes):
        raise typer.Exit(int(ExitCode.FINDING))
