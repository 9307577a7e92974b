"""One module per AWS resource kind: find, read, and the pure difference as API calls."""

from typing import Any

from keyhole.resources import (
    access_key,
    alarm,
    bucket,
    inline_policy,
    instance_attachment,
    instance_profile,
    managed_policy,
    oidc_provider,
    role,
    secret,
    table,
    topic,
    trail,
    user,
)
from keyhole.resources.kind import Existing, Foreign, Kind, Wanted

KINDS: dict[str, Kind[Any, Any]] = {
    kind.NAME: kind
    for kind in (
        *(bucket, managed_policy, oidc_provider, role, instance_profile, instance_attachment, user, inline_policy),
        *(table, topic, alarm, trail, secret, access_key),
    )
}

__all__ = ["KINDS", "Existing", "Foreign", "Kind", "Wanted"]
