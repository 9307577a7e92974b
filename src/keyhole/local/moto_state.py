"""moto's state, read: the only place that knows how moto keeps instances."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from keyhole.local import moto_ecs_state, moto_resource_policies, moto_resources
from keyhole.local.backend import Document, EcsTask, Instance
from keyhole.local.moto_iam_entities import iam_of
from keyhole.local.moto_iam_state import MotoIamState, tags_of
from keyhole.local.moto_objects import MotoObjects
from keyhole.local.stored_resource import StoredResource

_PARTITION = "aws"


class MotoState(MotoIamState, MotoObjects):
    """Reads of moto's state, in the types of the port."""

    def find_resource_policy(self, arn: str) -> Document | None:
        return moto_resource_policies.find_resource_policy(arn)

    def find_resource(self, arn: str) -> StoredResource | None:
        return moto_resources.find_resource(arn)

    def find_task(self, arn: str) -> EcsTask | None:
        return moto_ecs_state.find_task(arn)

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
        iam = iam_of(account)
        # moto leaves an instance the profile that was deleted; on AWS there is nothing in it any more.
        is_kept = iam is not None and profile in iam.instance_profiles.values()
        role = next(iter(profile.roles), None) if profile and is_kept else None
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
            tags=tags_of(instance.get_tags()),
            http_tokens=options.http_tokens or "optional",
            http_endpoint=options.http_endpoint or "enabled",
            hop_limit=options.http_put_response_hop_limit,
            profile_arn=profile.arn if profile else "",
            profile_id=profile.id if profile and is_kept else "",
            role=self.find_role(account, role.name) if role else None,
            http_protocol_ipv6=options.http_protocol_ipv6 or "disabled",
            metadata_tags=options.instance_metadata_tags or "disabled",
            user_data=base64.b64decode(str(instance.user_data)) if instance.user_data else b"",
            vpc_id=instance.vpc_id or "",
        )


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
    iam = iam_of(account)
    profiles = list(iam.instance_profiles.values()) if iam else []
    return next((profile for profile in profiles if profile.arn in wanted or profile.name in wanted), None)
