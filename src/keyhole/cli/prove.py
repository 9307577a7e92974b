"""`keyhole prove`: every claim for all requests, not one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, Json, Local, LocalPort, Profile

if TYPE_CHECKING:
    from keyhole.cli.workspace import Workspace
    from keyhole.verify.managed import Documents
    from keyhole.verify.prove import Proof
    from keyhole.verify.rehearse import PlannedPolicies


def prove(
    file: File = DEFAULT_FILE,
    env: Environment = "",
    budget: Annotated[
        float, typer.Option("--budget", min=0.01, help="Seconds for each proof; past that it cannot be told.")
    ] = 5.0,
    live: Annotated[
        bool, typer.Option("--live", help="On the policies that the account has, not on the planned ones.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Also write a page for an auditor.", metavar="FILE", dir_okay=False)
    ] = None,
    sarif: Annotated[
        Path | None,
        typer.Option("--sarif", help="Also write what fails for code scanning.", metavar="FILE", dir_okay=False),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a comment for a pull request.")] = False,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Prove on the planned policies that each claim holds of every request, and that nothing more is granted.

    With [bold]--live[/] it is proved on what the account has, changes by hand included. What does not hold comes with
    a request that shows it, and the statement that it is due to. Nothing is changed.

    Example: [bold]keyhole prove --local[/]
    """
    from keyhole.cli.console import err, out, show_json
    from keyhole.cli.workspace import open_workspace
    from keyhole.errors import ExitCode, KeyholeError
    from keyhole.verify.managed import read_managed_policies
    from keyhole.verify.prove import is_proved
    from keyhole.verify.prove import prove as prove_all
    from keyhole.verify.show_proofs import proofs_as_json, proofs_as_markdown, render_proofs

    if json and markdown:
        raise KeyholeError("`--json` and `--markdown` exclude each other", hint="choose one of them")
    with err.status("proving…"):
        workspace = open_workspace(file, env, local=local, port=local_port, profile=profile)
        managed = read_managed_policies(workspace.aws, workspace.blueprint)
        found = _read_live(workspace, managed) if live else None
        proofs = prove_all(workspace.spec, workspace.blueprint, managed, budget_s=budget, policies=found)
    _write_reports(workspace, proofs, html, sarif, live=live)
    if json:
        show_json(proofs_as_json(proofs))
    elif markdown:
        typer.echo(proofs_as_markdown(proofs))
    else:
        out.print(render_proofs(proofs))
    if not is_proved(proofs):
        raise typer.Exit(int(ExitCode.FINDING))


def _read_live(workspace: Workspace, managed: Documents) -> PlannedPolicies:
    from keyhole.simulate.account import read_caller, read_resource
    from keyhole.verify.live import read_live_policies

    return read_live_policies(workspace.aws, workspace.blueprint, managed, read_caller, read_resource)


def _write_reports(
    workspace: Workspace, proofs: tuple[Proof, ...], html: Path | None, sarif: Path | None, *, live: bool
) -> None:
    if html is not None:
        from datetime import UTC, datetime

        from keyhole.verify.proof_page import proofs_as_page

        now = datetime.now(UTC)
        _write(html, proofs_as_page(workspace.spec.app, workspace.account, proofs, now, live=live))
    if sarif is not None:
        from json import dumps

        from keyhole import __version__
        from keyhole.verify.proof_sarif import proofs_as_sarif

        _write(sarif, dumps(proofs_as_sarif(proofs, __version__), indent=2) + "\n")


def _write(file: Path, text: str) -> None:
    from keyhole.errors import KeyholeError

    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise KeyholeError(
            f"`{file}` cannot be written: {error.strerror}", hint="name a file in a folder of yours"
        ) from None
