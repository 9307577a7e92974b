"""`keyhole token`: API tokens for callers of the upload service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, Environment, File, Json, TokensFile

if TYPE_CHECKING:
    from keyhole.service.callers.tokens import TokenEntry
    from keyhole.spec import Spec


def token(
    name: Annotated[
        str, typer.Argument(help="Who will hold it: `shop-backend`, `ana`.", metavar="[NAME]", show_default=False)
    ] = "",
    group: Annotated[
        str,
        typer.Option("--group", help="Of which callers, if the file has several.", metavar="GROUP"),
    ] = "",
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=3650, help="How many days it lives; until revoked if left out.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Show which tokens there are.")] = False,
    revoke: Annotated[
        str, typer.Option("--revoke", help="End the token of this id, or all of this name.", metavar="ID|NAME")
    ] = "",
    tokens: TokensFile = None,
    file: File = DEFAULT_FILE,
    env: Environment = "",
    json: Json = False,
) -> None:
    """Make an API token for a caller of the upload service, and print it: once, for only its hash is kept.

    A running service knows it at once, and forgets it as soon as it is revoked. A second token of a name is the same
    caller's: give it out, then revoke the first by its id.

    Example: [bold]keyhole token shop-backend --days 90[/]
    """
    from rich.markup import escape

    from keyhole.cli.console import say
    from keyhole.errors import KeyholeError
    from keyhole.service.callers.tokens import FILE_NAME, make_token, read_tokens, revoke_tokens
    from keyhole.spec import load_spec

    path = tokens or file.parent / FILE_NAME
    if sum((bool(name), listing, bool(revoke))) != 1:
        raise KeyholeError(
            "`keyhole token` does one thing at a time",
            hint="name who will hold a new one: `keyhole token NAME`; or `--list`; or `--revoke ID`",
        )
    if listing:
        _show(read_tokens(path), as_json=json)
    elif revoke:
        for entry in revoke_tokens(path, revoke):
            say(f"revoked {entry.token_id} of {entry.name}")
    else:
        chosen = _choose_group(load_spec(file, env), group)
        expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days) if days else None
        text, entry = make_token(path, chosen, name, expires=expires)
        say(f"token {entry.token_id} of {name}, {_describe_end(entry)}; only its hash is kept, in {escape(str(path))}")
        _print(text, entry, as_json=json)


def _choose_group(spec: Spec, group: str) -> str:
    """Give the group of callers that is meant. Raises: KeyholeError."""
    from keyhole.errors import KeyholeError

    groups = [name for name, callers in spec.app.callers.items() if callers.kind == "token"]
    known = ", ".join(f"`{name}`" for name in groups)
    if not groups:
        raise KeyholeError(
            "the file has no callers with tokens",
            hint='add `[callers.app]` with `kind = "token"`',
            where=spec.places.file,
        )
    if group and group not in groups:
        raise KeyholeError(f"`{group}` are no callers with tokens", hint=f"the file has {known}")
    if not group and len(groups) > 1:
        raise KeyholeError(
            f"the file has several callers with tokens: {known}", hint=f"say which: `--group {groups[0]}`"
        )
    return group or groups[0]


def _describe_end(entry: TokenEntry) -> str:
    return f"until {entry.expires:%Y-%m-%d %H:%M} UTC" if entry.expires else "until it is revoked"


def _print(text: str, entry: TokenEntry, *, as_json: bool) -> None:
    from keyhole.cli.console import show_json

    if as_json:
        show_json({**_as_json(entry), "token": text})
    else:
        typer.echo(text)


def _as_json(entry: TokenEntry) -> dict[str, str | None]:
    return {
        "id": entry.token_id,
        "name": entry.name,
        "group": entry.group,
        "made": entry.made.isoformat(),
        "expires": entry.expires.isoformat() if entry.expires else None,
    }


def _show(entries: tuple[TokenEntry, ...], *, as_json: bool) -> None:
    from keyhole.cli.console import say, show_json

    if as_json:
        show_json([_as_json(entry) for entry in entries])
        return
    if not entries:
        say("there are no tokens")
        return
    now = datetime.now(UTC)
    rows = [
        (
            entry.token_id,
            entry.name,
            entry.group,
            f"made {entry.made:%Y-%m-%d}",
            _describe_end(entry) if entry.is_alive(now) else "expired",
        )
        for entry in entries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
