"""`keyhole local`: the AWS on this machine."""

from __future__ import annotations

import contextlib
import shlex
from typing import Annotated

import typer

from keyhole.cli.events import events
from keyhole.cli.group import KeyholeCommand, KeyholeGroup
from keyhole.cli.next_commands import port_flag
from keyhole.cli.options import LOCAL_PORT, Port
from keyhole.local.mode import Mode

app = typer.Typer(cls=KeyholeGroup, no_args_is_help=True, help="An AWS on this machine, where IAM is really enforced.")
Account = Annotated[str, typer.Option("--account", help="The account whose root keys are meant, 12 digits.")]
DEFAULT_ACCOUNT = "123456789012"
MODES = {
    Mode.STRICT: "IAM is enforced (strict)",
    Mode.SOFT: "[yellow]what IAM denies is recorded and let through (soft)[/]",
    Mode.OFF: "[bold red]IAM is not asked (off)[/]",
}


@app.command("start", cls=KeyholeCommand)
def start(
    port: Port = LOCAL_PORT,
    region: Annotated[str, typer.Option("--region", help="The region it answers for by default.")] = "us-east-1",
    mode: Annotated[
        Mode,
        typer.Option(
            "--mode",
            help="`strict` denies what AWS denies; `soft` decides and records, and lets through; `off` asks no policy.",
        ),
    ] = Mode.STRICT,
) -> None:
    """Start it, and stay in the foreground until Ctrl-C. Everything in it is gone when it ends.

    Who calls must be authenticated in every mode.

    Example: [bold]keyhole local start --port 4567 --mode soft[/]
    """
    import signal

    from keyhole.cli.console import say
    from keyhole.errors import KeyholeError
    from keyhole.local.server import LocalAws
    from keyhole.local.service_models import is_region

    if not is_region(region):
        raise KeyholeError(f"AWS has no region `{region}`", hint="write one as AWS does: `us-east-1`, `eu-central-1`")
    # These end it as Ctrl-C does: the root keys' secret does not stay on disk.
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), LocalAws(port=port, region=region, mode=mode) as local:
        say(f"local AWS at [bold]{local.url}[/], {MODES[mode]}; Ctrl-C ends it")
        say(f'in another shell: [bold]eval "$(keyhole local env{port_flag(port)})"[/]')
        local.wait()
    say("the local AWS has ended; nothing was kept")


@app.command("env", cls=KeyholeCommand)
def env(port: Port = LOCAL_PORT, account: Account = DEFAULT_ACCOUNT) -> None:
    """Print the exports by which any AWS tool uses it, as an account's root.

    Example: [bold]eval "$(keyhole local env)"[/]
    """
    import os

    from keyhole.cli.local_aws import account_credentials, fetch_status, require_running

    state = require_running(port)
    credentials = account_credentials(state, account)
    region = str((fetch_status(port) or {}).get("region", "us-east-1"))
    if earlier := [name for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE") if name in os.environ]:
        typer.echo(f"unset {' '.join(earlier)}")
    for name, value in (
        ("AWS_ENDPOINT_URL", state.url),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key),
    ):
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command("status", cls=KeyholeCommand)
def status(port: Port = LOCAL_PORT) -> None:
    """Say whether one runs, and how.

    Example: [bold]keyhole local status[/]
    """
    from keyhole.cli.console import out, say
    from keyhole.cli.local_aws import fetch_status
    from keyhole.errors import ExitCode

    found = fetch_status(port)
    if found is None:
        say(f"no local AWS runs on port {port}; `keyhole local start{port_flag(port)}` starts one")
        raise typer.Exit(int(ExitCode.FINDING))
    out.print(f"local AWS at [bold]http://127.0.0.1:{port}[/], mode {found['mode']}, process {found['pid']}")


@app.command("reset", cls=KeyholeCommand)
def reset(port: Port = LOCAL_PORT) -> None:
    """Empty every account of the one that runs: what `local start` would begin with, without starting again.

    Its root keys stay; every other key and session is gone with whom it belonged to.

    Example: [bold]keyhole local reset[/]
    """
    from keyhole.cli.console import say
    from keyhole.cli.local_aws import ask_admin, require_running

    ask_admin(require_running(port), "POST", "reset")
    say(f"the local AWS on port {port} is empty")


app.command("events", cls=KeyholeCommand)(events)


@app.command("stop", cls=KeyholeCommand)
def stop(port: Port = LOCAL_PORT) -> None:
    """End the one that runs, also in the background, and everything in it.

    Example: [bold]keyhole local stop[/]
    """
    import os
    import signal
    import time

    from keyhole.cli.console import say
    from keyhole.cli.local_aws import fetch_status, require_running

    state = require_running(port)
    os.kill(state.pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while fetch_status(port) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    say(f"the local AWS on port {port} has ended; nothing was kept")


@app.command("instance", cls=KeyholeCommand)
def instance(
    name: Annotated[str, typer.Argument(help="The value of its Name tag.")],
    region: Annotated[
        str, typer.Option("--region", help="The region it runs in; that of the keyhole.toml here, else us-east-1.")
    ] = "",
    port: Port = LOCAL_PORT,
    account: Account = DEFAULT_ACCOUNT,
) -> None:
    """Run an EC2 instance in it, to attach a role to. It is one in name only: what is real is its metadata service.

    One of that name which runs already is as good: its id is printed.

    Example: [bold]keyhole local instance web --region eu-central-1[/]
    """
    from keyhole.cli.console import out, say
    from keyhole.cli.local_aws import connect_local
    from keyhole.resources.instance_attachment import find_instances

    aws = connect_local(region or _region_of_file(), port, account)
    if running := find_instances(aws, name):
        say(f"an instance `{name}` runs in {aws.region} already")
        out.print(running[0]["InstanceId"])
        return
    # One of Amazon Linux: without a filter there are more than a thousand.
    linux = [{"Name": "name", "Values": ["al2023-ami-2023.*-kernel-6.1-x86_64"]}]
    images = aws.call("ec2", "DescribeImages", Owners=["amazon"], Filters=linux)["Images"]
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
    answer = aws.call(
        "ec2", "RunInstances", ImageId=images[0]["ImageId"], MinCount=1, MaxCount=1, TagSpecifications=tags
    )
    out.print(answer["Instances"][0]["InstanceId"])


def _region_of_file() -> str:
    """Give the region of the keyhole.toml in this folder, if there is one and it can be read."""
    from keyhole.cli.options import DEFAULT_FILE
    from keyhole.errors import KeyholeError
    from keyhole.spec import load_spec

    try:
        return load_spec(DEFAULT_FILE).app.region
    except KeyholeError:
        return "us-east-1"
