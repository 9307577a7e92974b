"""The commands that a hint proposes, as one types them to reach the same file and the same AWS.

Who finds what is wrong does not know how the command line was: the hint says `keyhole up`, its flags are added here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keyhole.cli.options import DEFAULT_FILE, LOCAL_PORT

_COMMAND = re.compile(r"`keyhole (?P<words>[^`]+)`")
# Those that take the flags of a workspace.
_ON_A_WORKSPACE = frozenset({"plan", "up", "verify", "down", "serve"})


def port_flag(port: int) -> str:
    """Give the option by which the commands of `keyhole local` reach the local AWS on this port."""
    return "" if port == LOCAL_PORT else f" --port {port}"


def describe_flags(file: Path, environment: str, *, local: bool, port: int, profile: str) -> str:
    """Give the options by which a command is sent to the same file and account, as one types them."""
    flags = [f"-f {shlex.quote(str(file))}"] if file != DEFAULT_FILE else []
    flags += [f"-e {environment}"] if environment else []
    flags += ["--local"] if local else []
    flags += [f"--local-port {port}"] if local and port != LOCAL_PORT else []
    flags += [f"--profile {profile}"] if profile else []
    return "".join(f" {flag}" for flag in flags)


def complete_commands(text: str, options: Mapping[str, Any]) -> str:
    """Give the text with the commands in it led to where the options of this command lead.

    A command that has such an option already stays as it is.
    """
    port = int(options.get("local_port", options.get("port", LOCAL_PORT)))
    flags = describe_flags(
        Path(options.get("file") or DEFAULT_FILE),
        options.get("env") or "",
        # What has a port of the local AWS, and nothing to choose it by, is always there.
        local=bool(options.get("local", "local_port" in options)),
        port=port,
        profile=options.get("profile") or "",
    )

    def complete(found: re.Match[str]) -> str:
        words = found["words"]
        if words.startswith("local ") and "--port" not in words:
            return f"`keyhole {words}{port_flag(port)}`"
        return f"`keyhole {words}{flags}`" if words in _ON_A_WORKSPACE else found[0]

    own = text if "local_port" in options else text.replace("`--local-port ", "`--port ")
    return _COMMAND.sub(complete, own)
