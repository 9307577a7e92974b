"""The options that commands share, each with one meaning everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LOCAL_PORT = 4566

File = Annotated[Path, typer.Option("--file", "-f", help="The spec.", metavar="FILE")]
Environment = Annotated[
    str, typer.Option("--env", "-e", help="The environment, if the file has several.", metavar="NAME")
]
Local = Annotated[bool, typer.Option("--local", help="Use the local AWS on this machine; start it if need be.")]
Profile = Annotated[
    str, typer.Option("--profile", help="The profile of your AWS configuration to use.", metavar="NAME")
]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="The port of the local AWS.", metavar="PORT")]
LocalPort = Annotated[
    int, typer.Option("--local-port", min=1, max=65535, help="The port of the local AWS, with --local.", metavar="PORT")
]
# For commands that are of the local AWS alone.
OwnLocalPort = Annotated[
    int, typer.Option("--local-port", min=1, max=65535, help="The port of the local AWS.", metavar="PORT")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result for machines.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

TokensFile = Annotated[
    Path | None,
    typer.Option(
        "--tokens",
        envvar="KEYHOLE_TOKENS",
        help="The file of API tokens. Default: keyhole.tokens.json beside the spec.",
        metavar="FILE",
        show_default=False,
    ),
]

DEFAULT_FILE = Path("keyhole.toml")
