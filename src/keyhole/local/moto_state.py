"""moto's state, read: the only place that knows how moto keeps users, roles, buckets and instances."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from keyhole.local import moto_resource_policies
from keyhole.local.backend import (
    AccessKey,
    Bucket,
    CorsRule,
    Document,
    Instance,
    Profile,
    PublicAccessBlock,
    Role,
    Tags,
    User,
)

_PARTITION = "aws"
_DEFAULT_SESSION_S = 3600


class MotoState:
    """Reads of moto's state, in the types of the port."""

    def find_access_key(self, access_key_id: str) -> AccessKey | None:
        for account in list(iam_backends):
            iam = iam_backends[account][_PARTITION]
            key = iam.access_keys.get(access_key_id)
            # moto keeps the keys of a deleted user, and the old name in those of a renamed one: who has it counts.
            holder = next((user for user in list(iam.users.values()) if key in user.access_keys), None) if key else None
            if holder is not None:
                is_active = key.status == "Active"
                return AccessKey(key.access_key_id, account, holder.name, is_active, key.secret_access_key)
        return None

    def find_user(self, account: str, name: str) -> User | None:
        iam = _iam(account)
        user = iam.users.get(name) if iam else None
        if user is None:
            return None
        groups = [group for group in list(iam.groups.values()) if user in group.users]
        policies = (*_policies(user), *(document for group in groups for document in _policies(group)))
        boundary = getattr(user, "permissions_boundary_arn", None)
        keys = tuple(key.access_key_id for key in list(user.access_keys))
        tags = _tags(user.tags)
        return User(user.arn, account, user.name, user.id, tags, policies, self._boundary(boundary), keys)

    def find_role(self, account: str, name: str) -> Role | None:
        iam = _iam(account)
        role = next((role for role in list(iam.roles.values()) if role.name == name), None) if iam else None
        if role is None:
            return None
        return Role(
            arn=role.arn,
            account=account,
            name=role.name,
            role_id=role.id,
            tags=_tags(role.tags),
            policies=_policies(role),
            boundary=self._boundary(role.permissions_boundary_arn),
            trust=role.assume_role_policy_document,
            max_session_s=int(role.max_session_duration or _DEFAULT_SESSION_S),
        )

    def find_profile(self, account: str, name: str) -> Profile | None:
        iam = _iam(account)
        profiles = list(iam.instance_profiles.values()) if iam else []
        found = next((profile for profile in profiles if profile.name == name), None)
        return Profile(found.arn, found.name, tuple(role.arn for role in found.roles)) if found else None

    def group_arn(self, account: str, name: str) -> str:
        iam = _iam(account)
        group = iam.groups.get(name) if iam else None
        return str(group.arn) if group else ""

    def find_policy(self, arn: str) -> Document | None:
        parts = arn.split(":")
        iam = _iam(parts[4]) if len(parts) == 6 else None
        policy = iam.managed_policies.get(arn) if iam else None
        return _managed(policy) if policy else None

    def find_resource_policy(self, arn: str) -> Document | None:
        return moto_resource_policies.find_resource_policy(arn)

    def _boundary(self, arn: str | None) -> Document | None:
        """A boundary whose policy is gone is one that cannot be parsed: it denies everything."""
        return (self.find_policy(arn) or Document(arn, "")) if arn else None

    def find_bucket(self, name: str) -> Bucket | None:
        bucket = _bucket(name)
        if bucket is None:
            return None
        tags = s3_backends[bucket.account_id][_PARTITION].tagger.get_tag_dict_for_resource(bucket.arn)
        block = bucket.public_access_block
        return Bucket(
            name=name,
            account=bucket.account_id,
            region=bucket.region_name,
            policy=bucket.policy.decode("utf-8", "replace") if bucket.policy else None,
            ownership=bucket.ownership_rule or "ObjectWriter",
            public_access_block=PublicAccessBlock(
                block.block_public_acls,
                block.ignore_public_acls,
                block.block_public_policy,
                block.restrict_public_buckets,
            )
            if block
            else PublicAccessBlock(),
            tags=tuple(tags.items()),
            cors=tuple(_cors_rule(rule) for rule in bucket.cors),
        )

    def has_object(self, bucket: str, key: str, version_id: str) -> bool:
        found = _bucket(bucket)
        return found is not None and _object(found, key, version_id) is not None

    def upload_key(self, bucket: str, upload_id: str) -> str | None:
        found = _bucket(bucket)
        upload = found.multiparts.get(upload_id) if found else None
        return str(upload.key_name) if upload else None

    def object_tags(self, bucket: str, key: str, version_id: str) -> Tags:
        found = _bucket(bucket)
        stored = _object(found, key, version_id) if found else None
        if found is None or stored is None:
            return ()
        tags = s3_backends[found.account_id][_PARTITION].tagger.get_tag_dict_for_resource(stored.arn)
        return tuple(tags.items())

    def find_instance(self, instance_id: str) -> Instance | None:
        for account, region, ec2 in _ec2_backends():
            for reservation in list(ec2.reservations.values()):
                for instance in reservation.instances:
                    if instance.id == instance_id:
                        return self._instance(instance, account, region)
        return None

    def associated_instance_id(self, account: str, region: str, association_id: str) -> str:
        for owner, place, ec2 in _ec2_backends():
            if (owner, place) == (account, region):
                for association in list(ec2.iam_instance_profile_associations.values()):
                    if association.association_id == association_id:
                        return str(association.instance.id)
        return ""

    def _instance(self, instance: Any, account: str, region: str) -> Instance:
        profile = _attached_profile(instance, account)
        options = instance.metadata_options
        role = next(iter(profile.roles), None) if profile else None
        return Instance(
            instance_id=instance.id,
            account=account,
            region=region,
            state=instance._state.name,
            image_id=instance.image_id,
            instance_type=instance.instance_type,
            availability_zone=instance.placement.zone or f"{region}a",
            private_ip=instance.private_ip or "",
            launched_at=f"{instance.launch_time:%Y-%m-%dT%H:%M:%SZ}",
            tags=_tags(instance.get_tags()),
            http_tokens=options.http_tokens or "optional",
            http_endpoint=options.http_endpoint or "enabled",
            hop_limit=options.http_put_response_hop_limit,
            profile_arn=profile.arn if profile else "",
            profile_id=profile.id if profile else "",
            role=self.find_role(account, role.name) if role else None,
        )


def _iam(account: str) -> Any:
    """Give moto's IAM of an account that has one: looking must not create accounts."""
    return iam_backends[account][_PARTITION] if account in iam_backends else None


def _managed(policy: Any) -> Document:
    default = next(version for version in policy.versions if version.version_id == policy.default_version_id)
    return Document(policy.arn, default.document)


def _policies(holder: Any) -> tuple[Document, ...]:
    inline = (Document(name, text) for name, text in list(holder.policies.items()))
    return (*inline, *(_managed(policy) for policy in list(holder.managed_policies.values())))


def _tags(found: Any) -> Tags:
    if isinstance(found, Mapping):
        pairs: Iterable[Any] = found.values() if all(isinstance(tag, dict) for tag in found.values()) else ()
    else:
        pairs = found or ()
    return tuple((str(tag.get("Key", tag.get("key"))), str(tag.get("Value", tag.get("value")))) for tag in pairs)


def _bucket(name: str) -> Any:
    owner = s3_backends.bucket_accounts.get(name)
    return s3_backends[owner[1]][owner[0]].buckets.get(name) if owner else None


def _object(bucket: Any, key: str, version_id: str) -> Any:
    from moto.s3.models import FakeKey

    if version_id:
        versions = bucket.keys.getlist(key, default=[])
        found = next((item for item in versions if str(item.version_id) == version_id), None)
    else:
        found = bucket.keys.get(key)
    return found if isinstance(found, FakeKey) else None


def _cors_rule(rule: Any) -> CorsRule:
    return CorsRule(
        origins=_strings(rule.allowed_origins),
        methods=_strings(rule.allowed_methods),
        headers=_strings(rule.allowed_headers),
        exposed_headers=_strings(rule.exposed_headers),
        max_age_s=int(rule.max_age_seconds) if rule.max_age_seconds is not None else None,
    )


def _strings(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _ec2_backends() -> Iterable[tuple[str, str, Any]]:
    # moto's EC2 takes a while to import: while nobody has used it, there is nothing in it.
    models = sys.modules.get("moto.ec2.models")
    backends = getattr(models, "ec2_backends", None)
    return list(backends.iter_backends()) if backends is not None else []


def _attached_profile(instance: Any, account: str) -> Any:
    """Give the profile that is associated now; one given at launch, by name or ARN, is kept otherwise by moto."""
    association = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
    if association is not None:
        return association.iam_instance_profile
    given = instance.iam_instance_profile
    if not given:
        return None
    wanted = {str(given.get("Arn") or ""), str(given.get("Name") or "")} if isinstance(given, Mapping) else {str(given)}
    iam = _iam(account)
    profiles = list(iam.instance_profiles.values()) if iam else []
    return next((profile for profile in profiles if profile.arn in wanted or profile.name in wanted), None)
