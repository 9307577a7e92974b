"""`keyhole init`: a file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keyhole.cli.options import DEFAULT_FILE, File


def init(
    name: Annotated[str, typer.Argument(help="The app's name; the folder's if it is left out.")] = "",
    region: Annotated[str, typer.Option("--region", help="The AWS region.")] = "us-east-1",
    file: File = DEFAULT_FILE,
) -> None:
    """Write a [bold]keyhole.toml[/] to start from, and its schema, which editors complete it by.

    Example: [bold]keyhole init shop --region eu-central-1[/]
    """
    import re

    from keyhole.cli.console import say
    from keyhole.errors import KeyholeError
    from keyhole.spec import load_spec
    from keyhole.spec.schema import SCHEMA_FILE, schema_text
    from keyhole.spec.starter import starter_spec

    if file.exists():
        raise KeyholeError(
            f"`{file}` is there already: it is not overwritten", hint="edit it, or write to `--file OTHER`"
        )
    folder_name = re.sub(r"[^a-z0-9-]+", "-", Path.cwd().name.lower()).strip("-0123456789") or "app"
    schema = file.with_name(SCHEMA_FILE)
    name = name or folder_name[:32]
    try:
        file.write_text(starter_spec(name, region), "utf-8")
        load_spec(file)
        schema.write_text(schema_text(), "utf-8")
    except OSError as error:
        raise KeyholeError(
            f"`{file}` cannot be written: {error.strerror}", hint="name a file in a folder that is there"
        ) from error
    except KeyholeError:
        file.unlink()
        raise
    say(f"wrote [bold]{file}[/] and [bold]{schema}[/]")
    say(f"next, locally: `keyhole local instance {name}-web`, `keyhole up --local`, `keyhole verify --local`")
