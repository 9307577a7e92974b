"""What `keyhole verify` found last, kept on this machine so that the access page can show it. It holds no secret."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keyhole.local.state import make_state_dir, state_dir
from keyhole.naming import Scope
from keyhole.verify.probe import Probe


def keep_probes(scope: Scope, probes: Sequence[Probe], *, is_local: bool) -> None:
    """Write them, whole or not at all. Raises: KeyholeError if the folder cannot be made."""
    folder = make_state_dir()
    claims = [
        {"id": probe.claim.id, "verdict": str(probe.verdict), "got": probe.got, "reason": probe.reason}
        for probe in probes
    ]
    document = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "claims": claims}
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".verified-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file)
    Path(temporary).replace(folder / _file_name(scope, is_local))


def last_probes(scope: Scope, *, is_local: bool) -> dict[str, Any] | None:
    """Give what was found last for this app, environment and account; None if nothing was, or it cannot be read."""
    try:
        found = json.loads((state_dir() / _file_name(scope, is_local)).read_text("utf-8"))
        return {"at": str(found["at"]), "claims": [dict(claim) for claim in found["claims"]]}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _file_name(scope: Scope, is_local: bool) -> str:
    where = "local" if is_local else "aws"
    return f"verified-{where}-{scope.account}-{scope.app}-{scope.environment}.json"
