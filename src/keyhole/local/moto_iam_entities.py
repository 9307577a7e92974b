"""What hangs on moto's users, groups, roles and policies, in the types of the port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from moto.iam.models import AccessKeyLastUsed, iam_backends

from keyhole.local.iam_backend import Entity, ManagedPolicy
from keyhole.local.moto_managed_policies import find_aws_policy
from keyhole.local.moto_principal_names import rename_everywhere

_PARTITION = "aws"
_ROLE_IDS: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()
"""By moto's IAM and the name: the id under which a role was found; looked up, never believed."""
_KINDS = {"user": "users", "group": "groups", "role": "roles"}


class MotoIamEntities:
    """Reads of moto's IAM that the rules in front of its calls need, and what follows from them."""

    def find_entity(self, account: str, kind: str, name: str) -> Entity | None:
        iam = iam_of(account)
        found = find_item(iam, kind, name)
        return _entity(iam, kind, found) if found else None

    def list_entities(self, account: str, kind: str) -> tuple[Entity, ...]:
        iam = iam_of(account)
        return tuple(_entity(iam, kind, item) for item in _items(iam, kind))

    def find_managed_policy(self, account: str, arn: str) -> ManagedPolicy | None:
        iam = iam_of(account)
        policy = iam.managed_policies.get(arn) if iam else None
        if policy is not None:
            return _managed_policy(policy)
        # No version of AWS's own is asked for by its id but the default one.
        return ManagedPolicy(arn, arn.rsplit("/", 1)[-1], (), "") if find_aws_policy(arn) else None

    def list_managed_policies(self, account: str) -> tuple[ManagedPolicy, ...]:
        iam = iam_of(account)
        policies = (_managed_policy(policy) for policy in list(iam.managed_policies.values())) if iam else ()
        return tuple(policy for policy in policies if not policy.is_aws_managed)

    def list_profile_names(self, account: str) -> tuple[str, ...]:
        iam = iam_of(account)
        return tuple(iam.instance_profiles) if iam else ()

    def count_providers(self, account: str) -> int:
        iam = iam_of(account)
        return len(iam.open_id_providers) if iam else 0

    def find_principal(self, unique_id: str) -> str:
        kind = {"AIDA": "user", "AROA": "role"}.get(unique_id[:4])
        for account in list(iam_backends) if kind else ():
            for item in _items(iam_of(account), str(kind)):
                if item.id == unique_id:
                    return str(item.arn)
        return ""

    def rename_principal(self, arn: str, name: str) -> None:
        rename_everywhere(arn, name)

    def note_use(self, access_key_id: str, role_arn: str, service: str, region: str, at: datetime) -> None:
        moment = at.replace(tzinfo=None)
        for account in list(iam_backends) if not role_arn else ():
            key = iam_of(account).access_keys.get(access_key_id)
            if key is not None:
                key.last_used = AccessKeyLastUsed(timestamp=moment, service=service, region=region)
                return
        if role_arn:
            role = next((role for role in _items(iam_of(role_arn.split(":")[4]), "role") if role.arn == role_arn), None)
            if role is not None:
                role.last_used, role.last_used_region = moment, region


def iam_of(account: str) -> Any:
    """Give moto's IAM of an account that has one: looking must not create accounts."""
    return iam_backends[account][_PARTITION] if account in iam_backends else None


def find_item(iam: Any, kind: str, name: str) -> Any:
    """Give moto's user, group or role of this name, None if there is none; one that was found once is not sought again.

    moto keeps roles by their ids, and users and groups by their names.
    """
    if iam is None:
        return None
    table = getattr(iam, _KINDS[kind])
    ids = _ROLE_IDS.setdefault(iam, {}) if kind == "role" else {}
    known = table.get(ids.get(name, name))
    if known is not None and known.name == name:
        return known
    for key, item in list(table.items()):
        if item.name == name:
            ids[name] = key
            return item
    return None


def _items(iam: Any, kind: str) -> list[Any]:
    return list(getattr(iam, _KINDS[kind]).values()) if iam else []


def _managed_policy(policy: Any) -> ManagedPolicy:
    versions = tuple(version.version_id for version in policy.versions)
    return ManagedPolicy(policy.arn, policy.name, versions, policy.default_version_id, tuple(_tag_keys(policy.tags)))


def _entity(iam: Any, kind: str, item: Any) -> Entity:
    groups = [group.name for group in list(iam.groups.values()) if kind == "user" and item in group.users]
    profiles = [
        profile.name for profile in list(iam.instance_profiles.values()) if kind == "role" and item in profile.roles
    ]
    return Entity(
        kind=kind,
        name=item.name,
        path=item.path,
        arn=item.arn,
        unique_id=item.id,
        created_at=item.create_date,
        inline=tuple((name, _text(policy)) for name, policy in list(item.policies.items())),
        attached=tuple(item.managed_policies),
        boundary_arn=getattr(item, "permissions_boundary_arn", None) or "",
        tag_keys=tuple(_tag_keys(getattr(item, "tags", ()))),
        groups=tuple(groups),
        members=tuple(user.name for user in getattr(item, "users", ())),
        profiles=tuple(profiles),
        access_key_ids=tuple(key.access_key_id for key in getattr(item, "access_keys", ())),
        mfa_devices=tuple(getattr(item, "mfa_devices", ())),
        has_password=bool(getattr(item, "password", None)),
        has_certificates=bool(getattr(item, "signing_certificates", None)),
        has_ssh_keys=bool(getattr(item, "ssh_public_keys", None)),
    )


def _text(policy: Any) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)


def _tag_keys(tags: Any) -> Iterator[str]:
    for tag in (tags.values() if isinstance(tags, dict) else tags) or ():
        yield str(tag.get("Key", ""))
