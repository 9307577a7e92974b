"""How much of everything an account, a user, a role, a group or a policy can have.

The figures are those that an account has before anybody asks for more.
AWS: IAM User Guide, "IAM and AWS STS quotas"; IAM API Reference, error LimitExceeded.
"""

from __future__ import annotations

from keyhole.iam.quotas import INLINE_GROUP, INLINE_ROLE, INLINE_USER, check_quota
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.iam_backend import Entity
from keyhole.local.overrides.iam_entities import holder_of

_INLINE = {"user": INLINE_USER, "role": INLINE_ROLE, "group": INLINE_GROUP}
_TAGS = 50
_VERSIONS = 5
_PER_ENTITY = {"AttachUserPolicy": "User", "AttachRolePolicy": "Role", "AttachGroupPolicy": "Group"}
_ATTACHED = 10
_ACCESS_KEYS = 2
_GROUPS = 10
_PER_ACCOUNT = {"CreateUser": ("user", 5000), "CreateRole": ("role", 1000), "CreateGroup": ("group", 300)}
_POLICIES_PER_ACCOUNT = 1500
_PROFILES_PER_ACCOUNT = 1000
_PROVIDERS_PER_ACCOUNT = 100


def check_quotas(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse what would be one too many. Raises: Fault (LimitExceeded)."""
    operation, account = call.operation, caller.account
    _check_account(call, account, backend)
    if operation.startswith(("Put", "Attach", "Add", "Tag", "Create")):
        entity = holder_of(call, account, backend)
        if entity:
            _check_entity(call, entity)
    if operation == "CreatePolicyVersion":
        policy = backend.find_managed_policy(account, str(call.params.get("PolicyArn", "")))
        if policy and len(policy.versions) >= _VERSIONS:
            raise _exceeded(
                "A managed policy can have up to 5 versions. Before you create a new version, you must delete an "
                "existing version."
            )
    if operation == "AddRoleToInstanceProfile":
        profile = backend.find_profile(account, str(call.params.get("InstanceProfileName", "")))
        if profile and profile.role_arns:
            raise _exceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    if operation == "TagPolicy":
        policy = backend.find_managed_policy(account, str(call.params.get("PolicyArn", "")))
        _check_tags(call, policy.tag_keys if policy else ())
    return None


def _check_entity(call: ApiCall, entity: Entity) -> None:
    operation = call.operation
    if operation == f"Put{entity.kind.capitalize()}Policy":
        others = [text for name, text in entity.inline if name != call.params.get("PolicyName")]
        quota = _INLINE[entity.kind]
        if check_quota((*others, str(call.params.get("PolicyDocument", ""))), quota):
            raise _exceeded(quota.refusal_for(entity.name))
    if operation in _PER_ENTITY and call.params.get("PolicyArn") not in entity.attached:
        _check(len(entity.attached), _ATTACHED, f"PoliciesPer{_PER_ENTITY[operation]}")
    if operation == "CreateAccessKey":
        _check(len(entity.access_key_ids), _ACCESS_KEYS, "AccessKeysPerUser")
    if operation == "AddUserToGroup" and call.params.get("GroupName") not in entity.groups:
        _check(len(entity.groups), _GROUPS, "GroupsPerUser")
    if operation in ("TagUser", "TagRole"):
        _check_tags(call, entity.tag_keys)


def _check_account(call: ApiCall, account: str, backend: Backend) -> None:
    operation = call.operation
    if operation in _PER_ACCOUNT:
        kind, most = _PER_ACCOUNT[operation]
        _check(len(backend.list_entities(account, kind)), most, f"{kind.capitalize()}sPerAccount")
    elif operation == "CreatePolicy":
        _check(len(backend.list_managed_policies(account)), _POLICIES_PER_ACCOUNT, "PoliciesPerAccount")
    elif operation == "CreateInstanceProfile":
        _check(len(backend.list_profile_names(account)), _PROFILES_PER_ACCOUNT, "InstanceProfilesPerAccount")
    elif operation == "CreateOpenIDConnectProvider":
        _check(backend.count_providers(account), _PROVIDERS_PER_ACCOUNT, "OpenIdConnectProvidersPerAccount")


def _check_tags(call: ApiCall, present: tuple[str, ...]) -> None:
    new = {str(tag.get("Key", "")) for tag in call.params.get("Tags", ())}
    if len(new | set(present)) > _TAGS:
        raise _exceeded("The number of tags has reached the maximum limit.")


def _check(present: int, most: int, quota: str) -> None:
    if present >= most:
        raise _exceeded(f"Cannot exceed quota for {quota}: {most}")


def _exceeded(message: str) -> Fault:
    return Fault("LimitExceeded", message, 409)
