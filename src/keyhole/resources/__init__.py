"""One module per AWS resource kind: find, read, and the pure difference as API calls."""

from typing import Any

from keyhole.resources import bucket, instance_attachment, instance_profile, managed_policy, role
from keyhole.resources.kind import Existing, Kind, Wanted

KINDS: dict[str, Kind[Any, Any]] = {
    kind.NAME: kind for kind in (bucket, managed_policy, role, instance_profile, instance_attachment)
}

__all__ = ["KINDS", "Existing", "Kind", "Wanted"]
