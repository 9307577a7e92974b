"""`keyhole serve`: the upload service."""

from __future__ import annotations

import os
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, TokensFile

if TYPE_CHECKING:
    from keyhole.service.operation import Operation
    from keyhole.service.settings import Service


class LogFormat(StrEnum):
    """How the log is written."""

    TEXT = "text"
    JSON = "json"


def serve(
    upload: Annotated[
        str,
        typer.Argument(
            envvar="KEYHOLE_UPLOAD", help="The upload that is meant where a request names none.", metavar="[UPLOAD]"
        ),
    ] = "",
    file: Annotated[
        Path, typer.Option("--file", "-f", envvar="KEYHOLE_FILE", help="The spec.", metavar="FILE")
    ] = DEFAULT_FILE,
    env: Annotated[
        str,
        typer.Option(
            "--env", "-e", envvar="KEYHOLE_ENV", help="The environment, if the file has several.", metavar="NAME"
        ),
    ] = "",
    host: Annotated[
        str, typer.Option("--host", envvar="KEYHOLE_HOST", help="The address to listen on.", metavar="ADDRESS")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", envvar="KEYHOLE_PORT", min=0, max=65535, help="The port to listen on; 0 takes a free one."
        ),
    ] = 8080,
    workers: Annotated[
        int, typer.Option("--workers", envvar="KEYHOLE_WORKERS", min=1, max=256, help="How many processes serve.")
    ] = 1,
    anyone: Annotated[
        bool,
        typer.Option(
            "--anyone", envvar="KEYHOLE_ANYONE", help="Let in whoever reaches it, where the file has no callers."
        ),
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", envvar="KEYHOLE_ALLOW_HOST", help="A name that it is called by.", metavar="HOST"),
    ] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy",
            envvar="KEYHOLE_PROXY",
            help="Believe X-Forwarded-For, X-Forwarded-Proto and X-Request-ID from this address or network.",
            metavar="NETWORK",
        ),
    ] = None,
    metrics_from: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics-from",
            envvar="KEYHOLE_METRICS_FROM",
            help="Let this address or network read /metrics. Default: this machine.",
            metavar="NETWORK",
        ),
    ] = None,
    log_format: Annotated[
        LogFormat, typer.Option("--log-format", envvar="KEYHOLE_LOG_FORMAT", help="How the log is written.")
    ] = LogFormat.TEXT,
    max_in_flight: Annotated[
        int,
        typer.Option("--max-in-flight", envvar="KEYHOLE_MAX_IN_FLIGHT", min=1, help="Requests at a time, per process."),
    ] = 256,
    drain_delay: Annotated[
        float,
        typer.Option(
            "--drain-delay",
            envvar="KEYHOLE_DRAIN_DELAY",
            min=0,
            max=600,
            help="After SIGTERM, for how many seconds it says that it is not ready and yet answers.",
        ),
    ] = 0,
    tokens: TokensFile = None,
    local: Annotated[
        bool,
        typer.Option("--local", envvar="KEYHOLE_LOCAL", help="Use the local AWS on this machine; start it if need be."),
    ] = False,
    local_port: Annotated[
        int,
        typer.Option(
            "--local-port",
            envvar="KEYHOLE_LOCAL_PORT",
            min=1,
            max=65535,
            help="The port of the local AWS, with --local.",
            metavar="PORT",
        ),
    ] = LOCAL_PORT,
    profile: Annotated[
        str,
        typer.Option(
            "--profile", envvar="KEYHOLE_PROFILE", help="The profile of your AWS configuration to use.", metavar="NAME"
        ),
    ] = "",
) -> None:
    """Serve the upload page and API, as the workload that the file names: all uploads of this workload.

    It takes its credentials from the ordinary chain: instance metadata on EC2. With [bold]--local[/] that is the
    metadata of the workload's instance in the local AWS; with an [bold]endpoint[/] in the file, the environment.
    Several values of a variable stand with spaces between them.

    Example: [bold]keyhole serve --local[/]
    """
    from keyhole.cli.console import say, say_warning
    from keyhole.cli.serving import (
        check_operation,
        check_reach,
        choose_hosts,
        draw_access,
        find_remarks,
        find_tokens,
        prepare_service,
    )
    from keyhole.cli.upload_choice import choose_uploads
    from keyhole.service.operation import LOOPBACK_NETWORKS, Operation
    from keyhole.service.run import serve as run
    from keyhole.spec import load_spec

    def prepare() -> tuple[Service, Operation]:
        spec = load_spec(file, env)
        service, environment = prepare_service(spec, choose_uploads(spec, upload), profile=profile, local=local)
        check_reach(service, host, anyone=anyone)
        path, remark = find_tokens(service, tokens, file)
        if remark:
            say_warning(remark, "`keyhole token NAME` makes one")
        operation = Operation(
            workers=workers,
            log_format=log_format.value,
            hosts=choose_hosts(host, allow_host or []),
            proxies=tuple(proxy or ()),
            metrics_from=tuple(metrics_from or LOOPBACK_NETWORKS),
            max_in_flight=max_in_flight,
            drain_delay_s=drain_delay,
            tokens_file=path,
            profile=profile,
            session_key=os.environ.get("KEYHOLE_SESSION_KEY", ""),
            credentials=environment.credentials,
            **draw_access(spec, service, local=local),
        )
        check_operation(operation)
        return service, operation

    with ExitStack() as stack:
        if local:
            from keyhole.cli.workload_environment import become_workload
            from keyhole.cli.workspace import open_workspace

            workspace = open_workspace(file, env, local=True, port=local_port, profile=profile)
            uploads = workspace.spec.app.uploads
            workload = uploads[choose_uploads(workspace.spec, upload)[0]].workload
            stack.enter_context(become_workload(workspace, workload, local_port))
        service, operation = prepare()
        for remark, hint in find_remarks(service, operation, host):
            say_warning(remark, hint)
        run(
            service,
            operation,
            host,
            port,
            announce=lambda url: say(f"the upload page is at [bold]{url}[/]"),
            reload=prepare,
        )
