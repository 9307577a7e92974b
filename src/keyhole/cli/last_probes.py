"""What `keyhole verify` found last, kept on this machine so that the access page can show it. It holds no secret."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

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
    Path(temporary).replace(probes_file(scope, is_local=is_local))


def probes_file(scope: Scope, *, is_local: bool) -> Path:
    """Give where they are kept, for this app, environment and account."""
    where = "local" if is_local else "aws"
    return state_dir() / f"verified-{where}-{scope.account}-{scope.app}-{scope.environment}.json"
