"""`keyhole simulate`: what a request would be answered, decided on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyhole.cli.options import LOCAL_PORT, Json, Local, LocalPort, Profile

if TYPE_CHECKING:
    from keyhole.aws.client import BotocoreAws
    from keyhole.simulate.files import PolicyFiles
    from keyhole.simulate.words import Words

_REQUEST = "The request"
_POLICIES = "The policies"


def _policy(name: str, text: str) -> object:
    return typer.Option(name, help=text, metavar="FILE", rich_help_panel=_POLICIES)


Principal = Annotated[
    str,
    typer.Option(
        help="Who asks: the ARN of a user, role, session or provider, an account, a service, or `anonymous`.",
        metavar="ARN",
        rich_help_panel=_REQUEST,
    ),
]
Action = Annotated[str, typer.Option(help="What is asked: `s3:GetObject`.", rich_help_panel=_REQUEST)]
ResourceArn = Annotated[
    str,
    typer.Option(
        "--resource", help="On what; `*` for actions that take none.", metavar="ARN", rich_help_panel=_REQUEST
    ),
]
Owner = Annotated[
    str,
    typer.Option(
        "--resource-account",
        help="The account that owns the resource, if its ARN does not say and it is not the caller's.",
        metavar="ACCOUNT",
        rich_help_panel=_REQUEST,
    ),
]
ContextPairs = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        help="A condition key and its value; give a key several times for several values.",
        metavar="KEY=VALUE",
        rich_help_panel=_REQUEST,
    ),
]
Identity = Annotated[list[Path] | None, _policy("--identity", "A policy of the caller, or of one of its groups.")]
ResourcePolicy = Annotated[
    Path | None, _policy("--resource-policy", "The policy of the bucket, key or other resource.")
]
Trust = Annotated[Path | None, _policy("--trust", "The trust policy of the role that is assumed.")]
Boundary = Annotated[
    list[Path] | None, _policy("--boundary", "The caller's permissions boundary; several must all allow.")
]
Session = Annotated[list[Path] | None, _policy("--session", "A policy that the session was made with.")]
Endpoint = Annotated[list[Path] | None, _policy("--endpoint", "The VPC endpoint's policy; several must all allow.")]
_LEVELS = "of one level of the organization, joined by commas; once for each level, root first."
Scps = Annotated[list[str] | None, _policy("--scp", f"The service control policies {_LEVELS}")]
Rcps = Annotated[list[str] | None, _policy("--rcp", f"The resource control policies {_LEVELS}")]


def simulate(
    principal: Principal = "",
    action: Action = "",
    resource: ResourceArn = "",
    resource_account: Owner = "",
    context: ContextPairs = None,
    identity: Identity = None,
    resource_policy: ResourcePolicy = None,
    trust: Trust = None,
    boundary: Boundary = None,
    session: Session = None,
    scp: Scps = None,
    rcp: Rcps = None,
    endpoint: Endpoint = None,
    from_account: Annotated[
        bool,
        typer.Option(
            "--from-account",
            help="Take the caller's policies, its groups', its boundary and the bucket's or role's policy from AWS.",
            rich_help_panel=_POLICIES,
        ),
    ] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="Read requests as JSON Lines from standard input; answer each by a line.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every statement, and why it holds.")] = False,
    local: Local = False,
    local_port: LocalPort = LOCAL_PORT,
    profile: Profile = "",
    json: Json = False,
) -> None:
    """Decide a request on paper, by the policies in files or in the account. Exit code 0 if allowed, 1 if not.

    Example: [bold]keyhole simulate --principal arn:aws:iam::111122223333:user/alice --action s3:GetObject
    --resource arn:aws:s3:::masks/a.png --identity policy.json[/]

    With [bold]--batch[/] requests come as JSON Lines, each with its policies, and each is answered by a line:
    [bold]keyhole simulate --batch < requests.jsonl[/]
    """
    from keyhole.simulate.files import PolicyFiles
    from keyhole.simulate.words import Words

    words = Words(principal, action, resource, resource_account, tuple(context or ()))
    files = PolicyFiles(
        identity=tuple(identity or ()),
        resource=resource_policy,
        trust=trust,
        boundaries=tuple(boundary or ()),
        session=tuple(session or ()),
        scps=tuple(scp or ()),
        rcps=tuple(rcp or ()),
        endpoints=tuple(endpoint or ()),
    )
    is_asked = words != Words() or files != PolicyFiles() or from_account
    _check_usage(batch=batch, is_asked=is_asked, from_account=from_account, local=local, profile=profile)
    if batch:
        _answer_standard_input()
    else:
        aws = _connect(principal, local=local, port=local_port, profile=profile) if from_account else None
        _answer(words, files, aws, verbose=verbose, json=json)


def _check_usage(*, batch: bool, is_asked: bool, from_account: bool, local: bool, profile: str) -> None:
    from keyhole.errors import KeyholeError

    if batch and is_asked:
        raise KeyholeError(
            "`--batch` takes requests and policies from standard input only",
            hint='leave the other options out; a line is `{"principal": …, "action": …, "resource": …, …}`',
        )
    if local and profile:
        raise KeyholeError("`--profile` and `--local` exclude each other", hint="the local AWS has its own root keys")
    if (local or profile) and not from_account:
        option = "--local" if local else "--profile"
        raise KeyholeError(f"`{option}` names an account, and none is asked", hint="add `--from-account`")


def _answer_standard_input() -> None:
    """Answer every line; a reader that goes away ends it quietly."""
    import os
    import sys

    from keyhole.cli.console import say
    from keyhole.errors import ExitCode, KeyholeError
    from keyhole.simulate.batch import answer_batch

    source = getattr(sys.stdin, "buffer", None)
    if source is None:
        raise KeyholeError("there is no standard input", hint="write `keyhole simulate --batch < requests.jsonl`")
    if sys.stdin.isatty():
        say("reading requests as JSON Lines from the terminal, until Ctrl-D")
    try:
        unreadable = answer_batch(source, sys.stdout)
    except BrokenPipeError:
        # What is still in the buffer has nobody to go to: without this Python would complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
    if unreadable:
        say(f"{unreadable} {'line' if unreadable == 1 else 'lines'} could not be read: see the answers with `error`")
        raise typer.Exit(int(ExitCode.USAGE))


def _connect(principal: str, *, local: bool, port: int, profile: str) -> BotocoreAws:
    """The account of the principal: its root in the local AWS, or whom the ordinary credentials belong to."""
    import os

    from keyhole.aws.client import BotocoreAws
    from keyhole.simulate.principal import parse_principal

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    if not local:
        return BotocoreAws(region, profile=profile)
    from keyhole.cli.local_aws import connect_local

    return connect_local(region, port, parse_principal(principal).account or None)


def _answer(words: Words, files: PolicyFiles, aws: BotocoreAws | None, *, verbose: bool, json: bool) -> None:
    import sys
    from json import dumps

    from keyhole.cli.console import say, say_warning
    from keyhole.errors import ExitCode
    from keyhole.simulate.answer import decide_question, describe_decision, render_decision
    from keyhole.simulate.remarks import find_remarks
    from keyhole.simulate.words import read_question

    question, notes = read_question(words, files, aws)
    decision = decide_question(question)
    for note in notes:
        say(f"[dim]note: {note}[/]")
    for label, remark in find_remarks(question.rules):
        say_warning(f"{label}: {remark.path}: {remark.message}", remark.hint)
    if json:
        sys.stdout.write(dumps(describe_decision(question, decision)) + "\n")
    else:
        # Not by rich: it would take `:key:` in an ARN for an emoji.
        sys.stdout.write(render_decision(question, decision, verbose=verbose) + "\n")
    if not decision.is_allowed:
        raise typer.Exit(int(ExitCode.FINDING))
