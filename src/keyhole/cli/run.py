"""`keyhole run`: a program as a workload."""

from __future__ import annotations

from typing import Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, OwnLocalPort


def run(
    command: Annotated[list[str], typer.Argument(help="The command and what it is given.", metavar="COMMAND...")],
    workload: Annotated[str, typer.Option("--as", help="The workload's key in the file.", metavar="WORKLOAD")],
    file: File = DEFAULT_FILE,
    env: Environment = "",
    local_port: OwnLocalPort = LOCAL_PORT,
    hops: Annotated[
        int, typer.Option("--hops", min=1, max=64, help="Hops to the instance's metadata; 2 plays a container on it.")
    ] = 1,
) -> None:
    """Run a program as a workload of the file, in the local AWS: with its credentials, where it would find them.

    An ec2 workload finds them at its instance's metadata, an ecs one at the container agent, a GitHub job by its
    token, a role in a profile, an access-key one in the environment. The program is unchanged, and so are its input
    and output, its signals and its exit code. Make the resources first: [bold]keyhole up --local[/].

    On AWS there is nothing to run: there a program finds its workload's credentials by itself.

    Example: [bold]keyhole run --as web -- python app.py[/]
    """
    from keyhole.cli.child_process import CannotRunError, check_command, ending_in_order, run_command
    from keyhole.cli.console import show_error
    from keyhole.cli.workload_choice import check_workload
    from keyhole.cli.workload_environment import workload_environment
    from keyhole.cli.workspace import open_workspace
    from keyhole.spec import load_spec

    check_workload(load_spec(file, env), workload)
    try:
        check_command(command[0])
        with ending_in_order() as settle:
            workspace = open_workspace(file, env, local=True, port=local_port, profile="")
            with workload_environment(workspace, workload, local_port, hops=hops) as environment:
                try:
                    status = run_command(command, environment)
                finally:
                    settle()
    except CannotRunError as error:
        show_error(error)
        status = error.status
    raise typer.Exit(status)
