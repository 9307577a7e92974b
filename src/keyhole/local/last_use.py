"""When a user's key or a role was last used, and for what: every signed request counts, whatever comes of it.

AWS: IAM API Reference, GetAccessKeyLastUsed, and GetRole, RoleLastUsed; AWS is some hours late with it.
"""

from __future__ import annotations

from datetime import datetime

from keyhole.iam.model import PrincipalKind
from keyhole.local.backend import Backend
from keyhole.local.call import Caller
from keyhole.local.parse import Destination

# AWS's names where they are not those of the service models.
_SERVICES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging", "s3control": "s3"}
_GLOBAL = frozenset({"iam"})


def note_use(caller: Caller, destination: Destination, at: datetime, backend: Backend) -> None:
    """Remember what the caller's key is used for."""
    service = _SERVICES.get(destination.service, destination.service)
    region = "us-east-1" if service in _GLOBAL else destination.region
    if caller.principal.kind is PrincipalKind.ROLE_SESSION:
        backend.note_use("", caller.principal.role_arn, service, region, at)
    elif caller.principal.kind is PrincipalKind.USER and caller.session is None:
        backend.note_use(caller.access_key_id, "", service, region, at)
