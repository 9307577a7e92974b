"""What moto's IAM does otherwise than AWS and could not be put right from outside."""

from __future__ import annotations

import json
import secrets
import string
import uuid
from functools import cache
from typing import Any

from moto.core.utils import utcnow
from moto.iam import models, policy_validation
from moto.iam.models import AccountSummary, Group, IAMBackend, InstanceProfile, ManagedPolicy, Role, User

from keyhole.local.linked_roles import linked_role_name, linked_role_path

_LETTERS = string.ascii_uppercase + "234567"
_SECRET_LETTERS = string.ascii_letters + string.digits + "+/"


@cache
def use_aws_ids() -> None:
    """Let users, groups, policies and instance profiles have ids as on AWS, and keys secrets that nobody can guess.

    AWS: IAM User Guide, "IAM identifiers", unique identifiers.
    """
    for kind, prefix in ((User, "AIDA"), (Group, "AGPA"), (InstanceProfile, "AIPA"), (ManagedPolicy, "ANPA")):
        _prefix_ids(kind, prefix)
    models.random_alphanumeric = lambda length: "".join(secrets.choice(_SECRET_LETTERS) for _ in range(length))


@cache
def mend_iam() -> None:
    """Let changes leave what they do not change, and take moto's own checks of documents out: ours come first."""
    for validator in (
        policy_validation.BaseIAMPolicyValidator,
        policy_validation.IAMPolicyDocumentValidator,
        policy_validation.IAMTrustPolicyDocumentValidator,
    ):
        validator.validate = lambda _self: None
    IAMBackend.update_user = _update_user
    IAMBackend.update_role = _update_role
    IAMBackend.create_service_linked_role = _create_linked_role
    IAMBackend.delete_service_linked_role = _delete_linked_role
    _mend_authorization_details()
    ManagedPolicy.update_default_version = _update_default_version
    ManagedPolicy.permissions_boundary_usage_count = property(_count_boundaries)
    Role.permissions_boundary = property(_role_boundary)
    AccountSummary._policy_versions_in_use = property(_count_versions)
    _mend_update_group()
    _mend_summary()


def _prefix_ids(kind: Any, prefix: str) -> None:
    original = kind.__init__

    def __init__(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807  # it takes that one's place
        original(self, *arguments, **named)
        self.id = prefix + "".join(secrets.choice(_LETTERS) for _ in range(17))

    kind.__init__ = __init__


def _update_user(self: Any, user_name: str, new_path: str | None = None, new_user_name: str | None = None) -> None:
    """Tags and keys stay with a user that is renamed: moto keeps the former by ARN, the latter by name."""
    user = self.get_user(user_name)
    tags = self.tagger.list_tags_for_resource(user.arn)["Tags"]
    self.tagger.delete_all_tags_for_resource(user.arn)
    user.path = new_path or user.path
    user.name = new_user_name or user.name
    self.users[user.name] = self.users.pop(user_name)
    self.tagger.tag_resource(user.arn, tags)
    for key in user.access_keys:
        key.user_name = user.name


def _update_role(self: Any, role_name: str, role_description: str | None, max_session_duration: Any) -> Any:
    """A description that is not given stays; AWS: UpdateRole: a duration that is not given is one hour."""
    role = self.get_role(role_name)
    role.description = role.description if role_description is None else role_description
    role.max_session_duration = max_session_duration
    return role


def _mend_update_group() -> None:
    original = IAMBackend.update_group

    def update_group(self: Any, group_name: str, new_group_name: str | None, new_path: str | None) -> None:
        """moto heeds a new path beside a new name only, and takes a group's own name for another's."""
        if new_group_name and new_group_name != group_name:
            original(self, group_name, new_group_name, new_path)
        elif new_path:
            self.get_group(group_name).path = new_path

    IAMBackend.update_group = update_group


def _update_default_version(self: Any, new_default_version_id: str) -> None:
    for version in self.versions:
        version.is_default = version.version_id == new_default_version_id
    self.default_version_id = new_default_version_id
    self.update_date = utcnow()


def _create_linked_role(self: Any, service_name: str, description: str | None, suffix: str | None) -> Any:
    statement = {"Effect": "Allow", "Principal": {"Service": service_name}, "Action": "sts:AssumeRole"}
    return self.create_role(
        linked_role_name(service_name, suffix or ""),
        json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        linked_role_path(service_name),
        permissions_boundary=None,
        description=description,
        tags=[],
        max_session_duration="3600",
        linked_service=service_name,
    )


def _delete_linked_role(self: Any, role_name: str) -> str:
    role = self.get_role(role_name)
    role.managed_policies.clear()
    role.policies.clear()
    self.delete_role(role_name)
    return f"task{role.path}{role_name}/{uuid.uuid4()}"


def _role_boundary(self: Any) -> dict[str, str] | None:
    arn = self.permissions_boundary_arn
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None


def _count_boundaries(self: Any) -> int:
    holders = (*self.backend.users.values(), *self.backend.roles.values())
    return sum(getattr(holder, "permissions_boundary_arn", None) == self.arn for holder in holders)


def _count_versions(self: Any) -> int:
    policies = self._iam_backend.managed_policies.values()
    return sum(len(policy.versions) for policy in policies if ":iam::aws:" not in policy.arn)


def _mend_authorization_details() -> None:
    original = IAMBackend.get_account_authorization_details

    def get_account_authorization_details(self: Any, policy_filter: list[str]) -> Any:
        """Of AWS's policies, those that are in use are told."""
        details = original(self, policy_filter)
        details["managed_policies"] = [
            policy
            for policy in details["managed_policies"]
            if ":iam::aws:" not in policy.arn or policy.attachment_count or _count_boundaries(policy)
        ]
        return details

    IAMBackend.get_account_authorization_details = get_account_authorization_details


def _mend_summary() -> None:
    original = AccountSummary.__init__

    def __init__(self: Any, iam_backend: Any) -> None:  # noqa: N807  # it takes that one's place
        original(self, iam_backend)
        # The root user's keys are those that `keyhole local env` gives.
        self._account_access_keys_present = 1

    AccountSummary.__init__ = __init__
