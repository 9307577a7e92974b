"""Profiles of the AWS configuration for the roles that people and programs assume.

AWS: SDKs and Tools Reference Guide, "Assume role credential provider".
"""

from __future__ import annotations

from keyhole.blueprint.workloads import holder_arn
from keyhole.naming import Scope
from keyhole.spec import App
from keyhole.spec.model import RoleWorkload


def role_profiles(app: App, scope: Scope) -> str:
    """Give a profile for each such role, for the file `~/.aws/config`; "" if there is none."""
    profiles = (
        f"[profile {app.fill(app.base_name, scope.account)}-{key}]\n"
        f"role_arn = {holder_arn(app, key, scope)}\n"
        "source_profile = default\n"
        f"region = {app.region}\n"
        for key, workload in app.workloads.items()
        if isinstance(workload, RoleWorkload)
    )
    return "\n".join(profiles)
