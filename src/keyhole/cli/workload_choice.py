"""Which `[workloads.…]` of the file is meant."""

from __future__ import annotations

from keyhole.errors import KeyholeError
from keyhole.spec import Spec


def check_workload(spec: Spec, key: str) -> None:
    """Return if the file has this workload. Raises: KeyholeError with those that it has."""
    if key in spec.app.workloads:
        return
    known = ", ".join(f"`{workload}`" for workload in spec.app.workloads)
    hint = f"it has {known}" if known else "it has none: add `[workloads.web]` with `kind = …`"
    raise KeyholeError(f"the file has no workload `{key}`", hint=hint, where=spec.places.file)
