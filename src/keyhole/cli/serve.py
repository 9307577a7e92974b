"""`keyhole serve`: the upload service."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, Local, LocalPort, Profile


def serve(
    upload: Annotated[
        str, typer.Argument(help="The upload's key in the file, if it has several.", metavar="[UPLOAD]")
    ] = "",
    file: File = DEFAULT_FILE,
    env: Environment = "",
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 8080,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
) -> None:
    """Serve the upload page and API, as the workload that the file names.

    It takes its credentials from the ordinary chain: instance metadata on EC2. With [bold]--local[/] that is the
    metadata of the workload's instance in the local AWS.

    Example: [bold]keyhole serve --local[/]
    """
    from keyhole.aws.client import BotocoreAws
    from keyhole.cli.console import say
    from keyhole.cli.upload_choice import choose_upload
    from keyhole.service.run import serve as run
    from keyhole.service.settings import make_settings
    from keyhole.service.store import open_store
    from keyhole.spec import load_spec

    spec = load_spec(file, env)
    name = choose_upload(spec, upload)
    with ExitStack() as stack:
        if local:
            from keyhole.cli.workload_environment import become_workload
            from keyhole.cli.workspace import open_workspace

            workspace = open_workspace(file, env, local=True, port=local_port, profile=profile)
            stack.enter_context(become_workload(workspace, spec.app.uploads[name].workload, local_port))
        aws = BotocoreAws(spec.app.region, profile=profile)
        account = str(aws.call("sts", "GetCallerIdentity")["Account"])
        settings = make_settings(spec.app, name, account, endpoint_url=aws.endpoint_url)
        run(
            settings,
            open_store(settings),
            host,
            port,
            announce=lambda url: say(f"the upload page is at [bold]{url}[/]"),
        )
