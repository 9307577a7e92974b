"""`keyhole compare`: two policies against each other, for all requests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from keyhole.cli.options import Json


def compare(
    first: Annotated[Path, typer.Argument(help="A policy: the new one, in a review.", metavar="A")],
    second: Annotated[Path, typer.Argument(help="The policy that it is compared with.", metavar="B")],
    kind: Annotated[
        Literal["identity", "resource", "trust", "boundary", "scp"], typer.Option(help="Where they are attached.")
    ] = "identity",
    markdown: Annotated[bool, typer.Option("--markdown", help="As a comment for a pull request.")] = False,
    budget: Annotated[
        float, typer.Option("--budget", min=0.01, help="Seconds for each direction; past that it cannot be told.")
    ] = 5.0,
    json: Json = False,
) -> None:
    """Say whether A is equal to B, narrower, wider, or neither, with a request that shows each difference.

    It ends with 1 if A allows anything that B does not, or that cannot be told.

    Example: [bold]keyhole compare new.json old.json[/]
    """
    from keyhole.cli.console import out, show_json
    from keyhole.errors import ExitCode, KeyholeError
    from keyhole.iam import PolicyKind
    from keyhole.iam.symbolic.compare import compare as policies_compared
    from keyhole.iam.symbolic.question import Verdict
    from keyhole.simulate.comparison import comparison_as_json, comparison_as_markdown, render_comparison
    from keyhole.simulate.files import read_policy

    if json and markdown:
        raise KeyholeError("`--json` and `--markdown` exclude each other", hint="choose one of them")
    policy_kind = PolicyKind(kind)
    ours, theirs = read_policy(first, policy_kind), read_policy(second, policy_kind)
    found = policies_compared(ours, theirs, policy_kind, budget)
    names = (str(first), str(second))
    if json:
        show_json(comparison_as_json(found, names))
    elif markdown:
        typer.echo(comparison_as_markdown(found, names))
    else:
        out.print(render_comparison(found, names))
    if found.within.verdict is not Verdict.HOLDS:
        raise typer.Exit(int(ExitCode.FINDING))
