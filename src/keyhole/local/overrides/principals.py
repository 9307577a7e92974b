"""Principals that a stored policy names must exist: AWS turns their ARNs into ids when the policy is put.

AWS: IAM User Guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

from keyhole.iam.model import Policy
from keyhole.local.backend import Backend


def unknown_principal(policy: Policy, backend: Backend) -> str:
    """Give the first principal in the policy that does not exist, "" where all do."""
    for statement in policy.statements:
        for pattern in statement.principals.patterns if statement.principals else ():
            if pattern.kind == "AWS" and not _exists(pattern.value, backend):
                return pattern.value
    return ""


def _exists(value: str, backend: Backend) -> bool:
    if value == "*" or _is_account(value):
        return True
    parts = value.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not _is_account(parts[4]):
        return False
    account, (kind, _, rest) = parts[4], parts[5].partition("/")
    name = rest.rsplit("/", 1)[-1]
    if parts[2] == "sts":
        return kind in ("assumed-role", "federated-user")
    if parts[5] == "root":
        return True
    found = backend.find_user(account, name) if kind == "user" else backend.find_role(account, name)
    return kind in ("user", "role") and found is not None and found.arn == value


def _is_account(text: str) -> bool:
    return len(text) == 12 and text.isascii() and text.isdigit()
