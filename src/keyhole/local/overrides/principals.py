"""Principals that a stored policy names must exist: AWS turns their ARNs into ids when the policy is put.

AWS: IAM User Guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

from keyhole.iam.model import Policy
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Response
from keyhole.local.iam_backend import Entity
from keyhole.local.overrides.iam_entities import holder_of

_SESSIONS = frozenset({"assumed-role", "federated-user"})
# Ids of users and roles. AWS takes that of a principal which exists, and shows its ARN when the policy is read.
_ID_PREFIXES = ("AIDA", "AROA")
_DELETIONS = frozenset({"DeleteUser", "DeleteRole", "DeleteServiceLinkedRole"})


def unknown_principal(policy: Policy, backend: Backend) -> str:
    """Give the first principal in the policy that does not exist, "" where all do."""
    for statement in policy.statements:
        for pattern in statement.principals.patterns if statement.principals else ():
            if pattern.kind == "AWS" and not _exists(pattern.value, backend):
                return pattern.value
    return ""


def keep_ids(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Let stored policies show the unique id of a principal that is about to go, and the new ARN of one that moves.

    It is done before the call, when the old ARN is still known; by then nothing else refuses the call.
    """
    entity = holder_of(call, caller.account, backend)
    if entity is None:
        return None
    if call.operation in _DELETIONS:
        backend.rename_principal(entity.arn, entity.unique_id)
    elif (arn := _moved_arn(call, entity)) != entity.arn:
        backend.rename_principal(entity.arn, arn)
    return None


def _moved_arn(call: ApiCall, user: Entity) -> str:
    """Give the ARN that UpdateUser leads to."""
    path = str(call.params.get("NewPath") or user.path)
    name = str(call.params.get("NewUserName") or user.name)
    return f"{user.arn.partition(':user/')[0]}:user{path}{name}"


def _exists(value: str, backend: Backend) -> bool:
    if value == "*" or _is_account(value):
        return True
    if value.startswith(_ID_PREFIXES):
        return backend.find_principal(value) != ""
    parts = value.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not _is_account(parts[4]):
        return False
    account, (kind, _, rest) = parts[4], parts[5].partition("/")
    name = rest.rsplit("/", 1)[-1]
    if parts[2] == "sts":
        return kind in _SESSIONS
    if parts[5] == "root":
        return True
    found = backend.find_user(account, name) if kind == "user" else backend.find_role(account, name)
    return kind in ("user", "role") and found is not None and found.arn == value


def _is_account(text: str) -> bool:
    return len(text) == 12 and text.isascii() and text.isdigit()
