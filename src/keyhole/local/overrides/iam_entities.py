"""What an IAM call names must be there, and what it makes must not be there yet: in IAM's sentences.

AWS: IAM API Reference, errors NoSuchEntity and EntityAlreadyExists; IAM User Guide, "IAM and AWS STS quotas": names are
unique in an account, whatever their case.
"""

from __future__ import annotations

from collections.abc import Iterable

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.iam_backend import Entity

KINDS = {"UserName": "user", "RoleName": "role", "GroupName": "group"}
_CREATORS = frozenset({"CreateUser", "CreateRole", "CreateGroup", "CreateServiceLinkedRole"})
_ATTACHERS = frozenset({"AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy"})
_DETACHERS = frozenset({"DetachUserPolicy", "DetachRolePolicy", "DetachGroupPolicy"})


_AWS_POLICY_CHANGES = frozenset(
    {
        *("CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "SetDefaultPolicyVersion"),
        *("TagPolicy", "UntagPolicy"),
    }
)


def check_names(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse a call about what is not there, or that would make it twice. Raises: Fault."""
    params, account, operation = call.params, caller.account, call.operation
    for member, kind in KINDS.items():
        if member not in params or operation in _CREATORS:
            continue
        name = str(params[member])
        entity = backend.find_entity(account, kind, name)
        if entity is None:
            raise no_such(f"The {kind} with name {name} cannot be found.")
        _check_policies_of(call, entity)
    _check_profile(call, account, backend)
    _check_managed(call, caller, backend)
    _check_new(call, account, backend)
    return None


def holder_of(call: ApiCall, account: str, backend: Backend) -> Entity | None:
    """Give the user, role or group that the call is about."""
    for member, kind in KINDS.items():
        if member in call.params:
            return backend.find_entity(account, kind, str(call.params[member]))
    return None


def no_such(message: str) -> Fault:
    """There is no such thing."""
    return Fault("NoSuchEntity", message, 404)


def _check_policies_of(call: ApiCall, entity: Entity) -> None:
    kind = entity.kind.capitalize()
    if call.operation in (f"Get{kind}Policy", f"Delete{kind}Policy"):
        name = str(call.params.get("PolicyName", ""))
        if name not in dict(entity.inline):
            raise no_such(f"The {entity.kind} policy with name {name} cannot be found.")
    if call.operation in _DETACHERS and str(call.params.get("PolicyArn", "")) not in entity.attached:
        raise no_such(f"Policy {call.params.get('PolicyArn', '')} was not found.")


def _check_profile(call: ApiCall, account: str, backend: Backend) -> None:
    if "InstanceProfileName" not in call.params or call.operation == "CreateInstanceProfile":
        return
    name = str(call.params["InstanceProfileName"])
    profile = backend.find_profile(account, name)
    if profile is None:
        raise no_such(f"Instance Profile {name} cannot be found.")
    role = str(call.params.get("RoleName", ""))
    if call.operation == "RemoveRoleFromInstanceProfile" and not _names_one(role, profile.role_arns):
        raise no_such(f"Role with name {role} cannot be found in Instance Profile {name}.")


def _names_one(role: str, arns: Iterable[str]) -> bool:
    return any(arn.rsplit("/", 1)[-1] == role for arn in arns)


def _check_managed(call: ApiCall, caller: Caller, backend: Backend) -> None:
    if "PolicyArn" not in call.params or call.operation in _DETACHERS:
        return
    account, arn = caller.account, str(call.params["PolicyArn"])
    owner = arn.split(":")[4] if arn.count(":") > 4 else ""
    if owner == "aws" and call.operation in _AWS_POLICY_CHANGES:
        who = f"User: {caller.principal.arn} is not authorized to perform: iam:{call.operation}"
        raise Fault("AccessDenied", f"{who} on resource: policy {arn}", 403)
    policy = backend.find_managed_policy(account, arn) if owner in (account, "aws") else None
    if policy is None:
        what = "does not exist or is not attachable." if call.operation in _ATTACHERS else "was not found."
        raise no_such(f"Policy {arn} {what}")
    version = call.params.get("VersionId")
    if version is not None and policy.versions and version not in policy.versions:
        raise no_such(f"Policy {arn} version {version} does not exist or is not attachable.")


def _check_new(call: ApiCall, account: str, backend: Backend) -> None:
    params, operation = call.params, call.operation
    for member, kind in (("UserName", "user"), ("RoleName", "role"), ("GroupName", "group")):
        if operation == f"Create{kind.capitalize()}":
            _refuse_taken(kind, str(params[member]), account, backend)
    for kind in ("user", "group"):
        old, new = f"{kind.capitalize()}Name", f"New{kind.capitalize()}Name"
        if new in params and str(params[new]).lower() != str(params.get(old, "")).lower():
            _refuse_taken(kind, str(params[new]), account, backend)
    if operation == "CreateInstanceProfile":
        name = str(params["InstanceProfileName"])
        if _is_among(name, backend.list_profile_names(account)):
            raise _exists(f"Instance Profile {name} already exists.")
    if operation == "CreatePolicy":
        name = str(params["PolicyName"])
        if _is_among(name, (policy.name for policy in backend.list_managed_policies(account))):
            raise _exists(f"A policy called {name} already exists. Duplicate names are not allowed.")
    if operation == "CreateLoginProfile":
        user = holder_of(call, account, backend)
        if user and user.has_password:
            raise _exists(f"Login Profile for User {user.name} already exists.")


def _refuse_taken(kind: str, name: str, account: str, backend: Backend) -> None:
    if _is_among(name, (entity.name for entity in backend.list_entities(account, kind))):
        raise _exists(f"{kind.capitalize()} with name {name} already exists.")


def _is_among(name: str, names: Iterable[str]) -> bool:
    return name.lower() in {other.lower() for other in names}


def _exists(message: str) -> Fault:
    return Fault("EntityAlreadyExists", message, 409)
