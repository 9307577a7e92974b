"""The tags of the resource that a question is about, as condition keys: without them no Deny on a tag would hold.

AWS: IAM User Guide, "Controlling access to AWS resources using tags"; buckets have it only where it is turned on.
"""

from __future__ import annotations

from keyhole.local.backend import Backend, Instance, Role, User
from keyhole.local.stored_resource import StoredResource

# Services that have a key of their own for what aws:ResourceTag says.
_OWN_KEY = frozenset({"iam", "ec2", "ecs", "secretsmanager"})


def resource_tags(arn: str, backend: Backend) -> dict[str, str | tuple[str, ...]]:
    """Give aws:ResourceTag/… and the service's own key of a resource that has tags; nothing for buckets and objects."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] == "s3":
        return {}
    service, account, (kind, _, rest) = parts[2], parts[4], parts[5].partition("/")
    name = rest.rsplit("/", 1)[-1]
    found: Instance | Role | User | StoredResource | None
    if (service, kind) == ("ec2", "instance"):
        found = backend.find_instance(name)
    elif (service, kind) == ("iam", "role"):
        found = backend.find_role(account, name)
    elif (service, kind) == ("iam", "user"):
        found = backend.find_user(account, name)
    else:
        found = backend.find_resource(arn)
    if found is None or (not isinstance(found, StoredResource) and found.account != account):
        return {}
    scopes = ("aws", service) if service in _OWN_KEY else ("aws",)
    return {f"{scope}:ResourceTag/{key}": value for key, value in found.tags for scope in scopes}
