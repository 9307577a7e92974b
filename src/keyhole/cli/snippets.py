"""`keyhole snippets`: what other programs are told so that they use what `up` made."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT, Environment, File, Json, Local, LocalPort, Profile, Yes


class Snippet(StrEnum):
    """What can be asked for alone."""

    BACKEND = "backend"
    WORKFLOW = "workflow"
    PROFILE = "profile"


def snippets(
    which: Annotated[
        Snippet | None, typer.Argument(help="Only this one, as the text of a file.", show_default="all")
    ] = None,
    file: File = DEFAULT_FILE,
    env: Environment = "",
    set_secret: Annotated[
        bool, typer.Option("--set-secret", help="Set the secret AWS_ROLE_TO_ASSUME on GitHub, by `gh`.")
    ] = False,
    yes: Yes = False,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Print what Terraform, GitHub and the AWS tools are told: a backend block, a workflow and its secret, profiles.

    Example: [bold]keyhole snippets backend > backend.tf[/]
    """
    from keyhole.cli.console import say, show_json
    from keyhole.cli.github_secret import set_secrets
    from keyhole.cli.workspace import open_workspace
    from keyhole.snippets import backend_block, job_secrets, role_profiles, workflow

    workspace = open_workspace(file, env, local=local, port=local_port, profile=profile)
    app, scope = workspace.spec.app, workspace.blueprint.scope
    secrets = job_secrets(app, scope)
    texts = {
        Snippet.BACKEND: backend_block(app, scope.account, is_local=bool(workspace.aws.endpoint_url)),
        Snippet.WORKFLOW: "---\n".join(workflow(app, secret) for secret in secrets),
        Snippet.PROFILE: role_profiles(app, scope),
    }
    if json:
        found = {str(name): text for name, text in texts.items() if text}
        show_json({**found, "secrets": [{"name": s.name, "value": s.value, "where": s.where} for s in secrets]})
    elif which is not None:
        _print_one(which, texts[which])
    else:
        _print_all(texts, [f"{secret.name} = {secret.value}   (secret of {secret.where})" for secret in secrets])
    if set_secret:
        set_secrets(secrets, yes=yes)
    elif secrets and which is None and not json:
        say(f"`keyhole snippets --set-secret{workspace.flags}` sets the secret on GitHub")


def _print_one(which: Snippet, text: str) -> None:
    from keyhole.errors import KeyholeError

    if not text:
        needs = {
            Snippet.BACKEND: "`[terraform_state]`",
            Snippet.WORKFLOW: "a workload of kind `github-actions`",
            Snippet.PROFILE: "a workload of kind `role`",
        }
        raise KeyholeError(f"there is no {which} to print", hint=f"it takes {needs[which]} in the file")
    typer.echo(text, nl=False)


def _print_all(texts: dict[Snippet, str], secrets: list[str]) -> None:
    titles = {
        Snippet.BACKEND: "backend.tf",
        Snippet.WORKFLOW: ".github/workflows/deploy.yml",
        Snippet.PROFILE: "~/.aws/config",
    }
    for which, text in texts.items():
        if text:
            typer.echo(f"# {titles[which]}\n{text}")
    for secret in secrets:
        typer.echo(secret)
