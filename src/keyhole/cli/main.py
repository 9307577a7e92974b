"""The command `keyhole`."""

from __future__ import annotations

import gc
import os
from typing import Annotated

import typer

from keyhole import __version__
from keyhole.cli import (
    can,
    compare,
    down,
    init,
    learn,
    local,
    plan,
    prove,
    public,
    rotate,
    run,
    serve,
    simulate,
    snippets,
    status,
    token,
    up,
    verify,
    who,
)
from keyhole.cli.bare_environment import past_proxies
from keyhole.cli.group import KeyholeCommand, KeyholeGroup

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


app.command("init", cls=KeyholeCommand)(init.init)
app.command("plan", cls=KeyholeCommand)(plan.plan)
app.command("up", cls=KeyholeCommand)(up.up)
app.command("verify", cls=KeyholeCommand)(verify.verify)
app.command("prove", cls=KeyholeCommand)(prove.prove)
app.command("compare", cls=KeyholeCommand)(compare.compare)
app.command("who", cls=KeyholeCommand)(who.who)
app.command("can", cls=KeyholeCommand)(can.can)
app.command("public", cls=KeyholeCommand)(public.public)
app.command("status", cls=status.StatusCommand)(status.status)
app.command("simulate", cls=KeyholeCommand)(simulate.simulate)
app.command("run", cls=KeyholeCommand, context_settings={"allow_interspersed_args": False})(run.run)
app.command("learn", cls=KeyholeCommand, context_settings={"allow_interspersed_args": False})(learn.learn)
app.command("serve", cls=KeyholeCommand)(serve.serve)
app.command("token", cls=KeyholeCommand)(token.token)
app.command("snippets", cls=KeyholeCommand)(snippets.snippets)
app.command("rotate", cls=KeyholeCommand)(rotate.rotate)
app.command("down", cls=KeyholeCommand)(down.down)
app.add_typer(local.app, name="local")


def main() -> None:
    """Run the command line."""
    # Making clients allocates a lot that stays: looking through it for garbage takes a tenth of a short command.
    gc.set_threshold(50_000)
    os.environ.update(past_proxies(os.environ))
    try:
        app()
    finally:
        # The same for the last collection, which the interpreter makes on its way out: the memory goes anyhow.
        gc.freeze()


if __name__ == "__main__":
    main()
