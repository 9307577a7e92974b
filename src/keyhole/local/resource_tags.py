"""The tags of the resource that a question is about, as condition keys: without them no Deny on a tag would hold.

AWS: IAM User Guide, "Controlling access to AWS resources using tags"; buckets have it only where it is turned on.
"""

from __future__ import annotations

from keyhole.local.backend import Backend, Instance, Role, User


def resource_tags(arn: str, backend: Backend) -> dict[str, str | tuple[str, ...]]:
    """Give aws:ResourceTag/… and the service's own key for an instance, a user or a role; nothing for others."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] not in ("iam", "ec2"):
        return {}
    service, account, (kind, _, rest) = parts[2], parts[4], parts[5].partition("/")
    name = rest.rsplit("/", 1)[-1]
    found: Instance | Role | User | None = None
    if (service, kind) == ("ec2", "instance"):
        found = backend.find_instance(name)
    elif (service, kind) == ("iam", "role"):
        found = backend.find_role(account, name)
    elif (service, kind) == ("iam", "user"):
        found = backend.find_user(account, name)
    if found is None or found.account != account:
        return {}
    return {f"{scope}:ResourceTag/{key}": value for key, value in found.tags for scope in ("aws", service)}
