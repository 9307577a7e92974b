"""moto's IAM, read: the only place that knows how moto keeps users, roles, policies, profiles and providers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moto.iam.models import iam_backends

from keyhole.local.backend import AccessKey, Document, OidcProvider, Profile, Role, Tags, User
from keyhole.local.moto_iam_entities import MotoIamEntities, find_item, iam_of
from keyhole.local.moto_managed_policies import find_aws_policy

_PARTITION = "aws"
_DEFAULT_SESSION_S = 3600


class MotoIamState(MotoIamEntities):
    """Reads of moto's IAM, in the types of the port."""

    def find_access_key(self, access_key_id: str) -> AccessKey | None:
        for account in list(iam_backends):
            iam = iam_backends[account][_PARTITION]
            key = iam.access_keys.get(access_key_id)
            # moto keeps the keys of a deleted user, and the old name in those of a renamed one: who has it counts.
            holder = _holder(iam, key) if key else None
            if holder is not None:
                is_active = key.status == "Active"
                return AccessKey(key.access_key_id, account, holder.name, is_active, key.secret_access_key)
        return None

    def find_user(self, account: str, name: str) -> User | None:
        iam = iam_of(account)
        user = iam.users.get(name) if iam else None
        if user is None:
            return None
        groups = [group for group in list(iam.groups.values()) if user in group.users]
        policies = (*_policies(user), *(document for group in groups for document in _policies(group)))
        boundary = getattr(user, "permissions_boundary_arn", None)
        keys = tuple(key.access_key_id for key in list(user.access_keys))
        tags = tags_of(user.tags)
        return User(user.arn, account, user.name, user.id, tags, policies, self._boundary(boundary), keys)

    def find_role(self, account: str, name: str) -> Role | None:
        iam = iam_of(account)
        role = find_item(iam, "role", name)
        if role is None:
            return None
        return Role(
            arn=role.arn,
            account=account,
            name=role.name,
            role_id=role.id,
            tags=tags_of(role.tags),
            policies=_policies(role),
            boundary=self._boundary(role.permissions_boundary_arn),
            trust=role.assume_role_policy_document,
            max_session_s=int(role.max_session_duration or _DEFAULT_SESSION_S),
        )

    def find_profile(self, account: str, name: str) -> Profile | None:
        iam = iam_of(account)
        found = iam.instance_profiles.get(name) if iam else None
        return Profile(found.arn, found.name, tuple(role.arn for role in found.roles)) if found else None

    def group_arn(self, account: str, name: str) -> str:
        iam = iam_of(account)
        group = iam.groups.get(name) if iam else None
        return str(group.arn) if group else ""

    def find_policy(self, arn: str) -> Document | None:
        if aws_policy := find_aws_policy(arn):
            return aws_policy
        parts = arn.split(":")
        iam = iam_of(parts[4]) if len(parts) == 6 else None
        policy = iam.managed_policies.get(arn) if iam else None
        return _managed(policy) if policy else None

    def find_oidc_provider(self, account: str, url: str) -> OidcProvider | None:
        iam = iam_of(account)
        host = url.removeprefix("https://")
        arn = f"arn:{_PARTITION}:iam::{account}:oidc-provider/{host}"
        found = iam.open_id_providers.get(arn) if iam else None
        if found is None:
            return None
        return OidcProvider(
            arn=found.arn,
            url=found.url,
            client_ids=tuple(found.client_id_list),
            thumbprints=tuple(found.thumbprint_list),
            tags=tags_of(found.tags),
        )

    def _boundary(self, arn: str | None) -> Document | None:
        """A boundary whose policy is gone is one that cannot be parsed: it denies everything."""
        return (self.find_policy(arn) or Document(arn, "")) if arn else None


def _holder(iam: Any, key: Any) -> Any:
    named = iam.users.get(key.user_name)
    if named is not None and key in named.access_keys:
        return named
    return next((user for user in list(iam.users.values()) if key in user.access_keys), None)


def _managed(policy: Any) -> Document:
    default = next(version for version in policy.versions if version.version_id == policy.default_version_id)
    return Document(policy.arn, default.document)


def _policies(holder: Any) -> tuple[Document, ...]:
    inline = (Document(name, text) for name, text in list(holder.policies.items()))
    return (*inline, *(_managed(policy) for policy in list(holder.managed_policies.values())))


def tags_of(found: Any) -> Tags:
    if isinstance(found, Mapping):
        pairs: Iterable[Any] = found.values() if all(isinstance(tag, dict) for tag in found.values()) else ()
    else:
        pairs = found or ()
    return tuple((str(tag.get("Key", tag.get("key"))), str(tag.get("Value", tag.get("value")))) for tag in pairs)
