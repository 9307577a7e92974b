"""A backend of plain dictionaries, for what stands on the Backend port but does not need a store behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from memory_iam import NoEntities
from memory_objects import NoObjects

from keyhole.local.backend import AccessKey, Document, EcsTask, Instance, OidcProvider, Profile, Role, User
from keyhole.local.blob import Content
from keyhole.local.call import ApiCall, Fault, Response
from keyhole.local.stored_objects import Stamp
from keyhole.local.stored_resource import StoredResource

ACCOUNT = "123456789012"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2031, 5, 17, 12, 30, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **parts: float) -> None:
        self.moment += timedelta(**parts)


@dataclass
class MemoryBackend(NoObjects, NoEntities):
    """Holds what a test puts in; a call that is passed on fails, since nothing here passes one on."""

    roles: dict[tuple[str, str], Role] = field(default_factory=dict)
    policies: dict[str, Document] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    tasks: dict[str, EcsTask] = field(default_factory=dict)
    oidc_providers: dict[tuple[str, str], OidcProvider] = field(default_factory=dict)

    def handle(self, call: ApiCall, account: str, body: Content, stamp: Stamp | None = None) -> Response:
        raise Fault("NotImplemented", f"{call.service}:{call.operation} was passed on", 501)

    def find_access_key(self, access_key_id: str) -> AccessKey | None:
        return None

    def find_user(self, account: str, name: str) -> User | None:
        return None

    def find_role(self, account: str, name: str) -> Role | None:
        return self.roles.get((account, name))

    def find_profile(self, account: str, name: str) -> Profile | None:
        return None

    def find_oidc_provider(self, account: str, url: str) -> OidcProvider | None:
        return self.oidc_providers.get((account, url.removeprefix("https://")))

    def find_resource_policy(self, arn: str) -> Document | None:
        return None

    def find_resource(self, arn: str) -> StoredResource | None:
        return None

    def group_arn(self, account: str, name: str) -> str:
        return ""

    def associated_instance_id(self, account: str, region: str, association_id: str) -> str:
        return ""

    def find_policy(self, arn: str) -> Document | None:
        return self.policies.get(arn)

    def find_task(self, arn: str) -> EcsTask | None:
        return self.tasks.get(arn)

    def find_instance(self, instance_id: str) -> Instance | None:
        return self.instances.get(instance_id)

    def secure_new_bucket(self, name: str, ownership: str, tags: tuple[tuple[str, str], ...]) -> None:
        raise NotImplementedError

    def set_user_boundary(self, account: str, name: str, arn: str) -> None:
        raise NotImplementedError

    def metrics_configurations(self, bucket: str) -> Mapping[str, Mapping[str, Any]]:
        raise NotImplementedError

    def set_metrics_configurations(self, bucket: str, configurations: Mapping[str, Mapping[str, Any]]) -> None:
        raise NotImplementedError

    def set_oidc_audiences(self, account: str, arn: str, audiences: tuple[str, ...]) -> None:
        raise NotImplementedError

    def reset(self) -> None:
        self.roles.clear()
        self.policies.clear()
        self.instances.clear()
        self.oidc_providers.clear()

    def add_role(self, role: Role) -> Role:
        self.roles[role.account, role.name] = role
        return role

    def add_instance(self, instance: Instance) -> Instance:
        self.instances[instance.instance_id] = instance
        return instance

    def change_instance(self, instance_id: str, **changes: Any) -> None:
        self.instances[instance_id] = replace(self.instances[instance_id], **changes)


def trust_of(service: str) -> str:
    """Give a trust policy for a service principal."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_role(name: str = "web", *, path: str = "/app/", role_id: str = "", **changes: Any) -> Role:
    """Give a role that trusts EC2."""
    role = Role(
        arn=f"arn:aws:iam::{ACCOUNT}:role{path}{name}",
        account=ACCOUNT,
        name=name,
        role_id=role_id or f"AROA{name.upper():A<17.17}",
        tags=(),
        policies=(),
        boundary=None,
        trust=trust_of("ec2.amazonaws.com"),
        max_session_s=7200,
    )
    return replace(role, **changes)


def make_instance(role: Role | None, instance_id: str = "i-0abc1234def567890", **changes: Any) -> Instance:
    """Give a running instance; with a role, its profile is associated."""
    instance = Instance(
        instance_id=instance_id,
        account=ACCOUNT,
        region="ap-northeast-2",
        state="running",
        image_id="ami-0123456789abcdef0",
        instance_type="t3.micro",
        availability_zone="ap-northeast-2a",
        private_ip="10.1.2.3",
        launched_at="2031-05-17T11:00:00Z",
        tags=(),
        http_tokens="optional",
        http_endpoint="enabled",
        hop_limit=1,
        profile_arn="",
        profile_id="",
        role=None,
    )
    return replace(attach(instance, role), **changes)


def attach(instance: Instance, role: Role | None) -> Instance:
    """Give the instance with the profile of that role, or with none."""
    if role is None:
        return replace(instance, profile_arn="", profile_id="", role=None)
    arn = f"arn:aws:iam::{ACCOUNT}:instance-profile/app/{role.name}"
    return replace(instance, profile_arn=arn, profile_id=f"AIPA{role.name.upper():A<17.17}", role=role)
