"""`keyhole learn`: run a program, and say which grants would have been enough for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, Json, OwnLocalPort

if TYPE_CHECKING:
    from keyhole.learn.report import Run

# Any of these, and the program has credentials of its own.
_CREDENTIALS = (
    *("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
)
# What would lead calls past the relay.
_ELSEWHERE = ("AWS_ENDPOINT_URL", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")


def learn(
    command: Annotated[list[str], typer.Argument(help="The command and what it is given.", metavar="COMMAND...")],
    workload: Annotated[
        str,
        typer.Option(
            "--as",
            help="The workload to run it as; else it runs with its present credentials, or as root.",
            metavar="WORKLOAD",
        ),
    ] = "",
    policy: Annotated[
        bool, typer.Option("--policy", help="Print the IAM policy that suffices, and nothing else.")
    ] = False,
    file: File = DEFAULT_FILE,
    env: Environment = "",
    local_port: OwnLocalPort = LOCAL_PORT,
    json: Json = False,
) -> None:
    """Run a program against the local AWS, and print the smallest grants that would have been enough for it.

    Also what the file grants that it never used, and what it was denied. A program that ends at its first denial asks
    for less than it needs: [bold]keyhole local start --mode soft[/] records denials and lets the calls through.

    What the program prints goes to stderr. Exit code 0: the file grants what was asked and nothing else; 1: it does
    not, something was denied, or the program failed.

    Example: [bold]keyhole learn --as web -- python app.py[/]
    """
    from rich.markup import escape

    from keyhole.cli.child_process import check_command
    from keyhole.cli.console import say, show_json
    from keyhole.cli.next_commands import complete_commands
    from keyhole.errors import ExitCode, KeyholeError
    from keyhole.learn.report import make_report, report_as_json
    from keyhole.learn.show import headline, remarks, render_report
    from keyhole.local.root_keys import DEFAULT_ACCOUNT
    from keyhole.spec import load_spec

    if policy and json:
        raise KeyholeError("`--policy` and `--json` exclude each other", hint="the JSON has the policy in it")
    check_command(command[0])
    spec = load_spec(file, env) if workload or file != DEFAULT_FILE or file.exists() else None
    run = _run(command, workload, file, env, local_port)
    report = make_report(run, spec, (spec and spec.app.app.account) or DEFAULT_ACCOUNT)
    say(escape(headline(report)))
    for remark in remarks(report):
        say(f"[yellow]note[/]: {escape(complete_commands(remark, {'local_port': local_port}))}")
    if json:
        show_json(report_as_json(report))
    elif policy:
        for chapter in report.chapters:
            show_json(chapter.lesson.policy)
    else:
        sys.stdout.write(render_report(report))
    if not report.is_settled:
        raise typer.Exit(int(ExitCode.FINDING))


def _run(command: list[str], workload: str, file: Path, environment: str, port: int) -> Run:
    """Run the command, and give what it did."""
    from keyhole.cli.child_process import ending_in_order, run_command
    from keyhole.cli.local_aws import fetch_status
    from keyhole.learn.report import Run
    from keyhole.local.event_catch import EventCatch
    from keyhole.local.relay import Relay
    from keyhole.local.state import events_path

    with ending_in_order() as settle, _environment(workload, file, environment, port) as found:
        mode = str((fetch_status(port) or {}).get("mode", ""))
        with Relay(port) as relay, EventCatch(events_path(port), relay.port) as catch:
            try:
                with _stdout_as_stderr():
                    status = run_command(command, _through(found, relay.port))
                is_complete = relay.settle()
            finally:
                settle()
    return Run(tuple(command), status, mode, catch.events(), is_complete, workload)


@contextmanager
def _environment(workload: str, file: Path, environment: str, port: int) -> Iterator[Mapping[str, str]]:
    """Give the environment to run in: the workload's, or the present one, as root where it has no credentials."""
    if workload:
        from keyhole.cli.workload_choice import check_workload
        from keyhole.cli.workload_environment import workload_environment
        from keyhole.cli.workspace import open_workspace

        workspace = open_workspace(file, environment, local=True, port=port, profile="")
        check_workload(workspace.spec, workload)
        with workload_environment(workspace, workload, port) as found:
            yield found
        return
    from keyhole.cli.console import say
    from keyhole.cli.local_aws import account_credentials, fetch_status, require_running

    state = require_running(port)
    if any(name in os.environ for name in _CREDENTIALS):
        yield os.environ
        return
    say("[dim]no credentials here: the program runs as the account's root, to whom everything is allowed[/]")
    root = account_credentials(state, None)
    region = str((fetch_status(port) or {}).get("region", "us-east-1"))
    yield {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **os.environ,
        "AWS_ACCESS_KEY_ID": root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
    }


def _through(environment: Mapping[str, str], port: int) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if not name.startswith(_ELSEWHERE)}
    return {**kept, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}


@contextmanager
def _stdout_as_stderr() -> Iterator[None]:
    """Within the block, what is written to stdout by whatever program goes to stderr: stdout is for the result."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
