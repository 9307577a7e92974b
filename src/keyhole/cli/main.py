"""The command `keyhole`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from keyhole import __version__
from keyhole.cli import down, init, learn, local, plan, run, serve, simulate, up, verify
from keyhole.cli.bare_environment import past_proxies
from keyhole.cli.group import KeyholeGroup

app = typer.Typer(
    cls=KeyholeGroup,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"keyhole {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The smallest opening an app needs into S3, and proof that there is no other.

    Write [bold]keyhole.toml[/], then: [bold]keyhole plan[/], [bold]keyhole up[/], [bold]keyhole verify[/].
    Without an AWS account add [bold]--local[/] to each.
    """


app.command("init")(init.init)
app.command("plan")(plan.plan)
app.command("up")(up.up)
app.command("verify")(verify.verify)
app.command("simulate")(simulate.simulate)
app.command("run", context_settings={"allow_interspersed_args": False})(run.run)
app.command("learn", context_settings={"allow_interspersed_args": False})(learn.learn)
app.command("serve")(serve.serve)
app.command("down")(down.down)
app.add_typer(local.app, name="local")


def main() -> None:
    """Run the command line."""
    os.environ.update(past_proxies(os.environ))
    app()


if __name__ == "__main__":
    main()
