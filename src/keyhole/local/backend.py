"""The port to what stores the local AWS's state: it answers calls that were let through, and tells what IAM needs.

Backends stand behind this port so that a service can get one of its own without the gate being touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from keyhole.local.blob import Content
from keyhole.local.call import ApiCall, Response
from keyhole.local.iam_backend import IamBackend
from keyhole.local.stored_objects import Acl, ObjectStore, Stamp
from keyhole.local.stored_resource import StoredResource

Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A stored policy document: its ARN, or its name where it is inline, and its text as it was put."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user; `policies` are its inline, managed and group policies."""

    arn: str
    account: str
    name: str
    user_id: str
    tags: Tags
    policies: tuple[Document, ...]
    boundary: Document | None
    access_key_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """An IAM role; `trust` is its trust policy's text."""

    arn: str
    account: str
    name: str
    role_id: str
    tags: Tags
    policies: tuple[Document, ...]
    boundary: Document | None
    trust: str
    max_session_s: int


@dataclass(frozen=True, slots=True)
class Profile:
    """An instance profile and the roles in it (AWS allows one)."""

    arn: str
    name: str
    role_arns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A long-term key of an IAM user."""

    access_key_id: str
    account: str
    user_name: str
    is_active: bool
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An OpenID Connect provider of an account; `url` has no scheme, as in its ARN."""

    arn: str
    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    tags: Tags


@dataclass(frozen=True, slots=True)
class PublicAccessBlock:
    """A bucket's Block Public Access; all off where there is no configuration."""

    block_public_acls: bool = False
    ignore_public_acls: bool = False
    block_public_policy: bool = False
    restrict_public_buckets: bool = False

    def __or__(self, other: PublicAccessBlock) -> PublicAccessBlock:
        """Give what holds where both are set, such as a bucket's and its account's: the stricter of each."""
        return PublicAccessBlock(
            self.block_public_acls or other.block_public_acls,
            self.ignore_public_acls or other.ignore_public_acls,
            self.block_public_policy or other.block_public_policy,
            self.restrict_public_buckets or other.restrict_public_buckets,
        )


@dataclass(frozen=True, slots=True)
class CorsRule:
    """One rule of a bucket's CORS configuration; `max_age_s` is None where it says nothing."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed_headers: tuple[str, ...]
    max_age_s: int | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, of whichever account: names are global.

    `public_access_block` is what holds of it: its own and its account's. `versioning` is "Enabled", "Suspended" or "".
    `acl` is None where it was never set: then it is the owner's alone.
    """

    name: str
    account: str
    region: str
    policy: str | None
    ownership: str
    public_access_block: PublicAccessBlock
    tags: Tags
    cors: tuple[CorsRule, ...] = ()
    acl: Acl | None = None
    versioning: str = ""
    has_object_lock: bool = False


@dataclass(frozen=True, slots=True)
class Instance:
    """An EC2 instance as its metadata service needs it.

    `state` is EC2's name ("running"); `profile_arn` is the instance profile associated with it now, or "", and
    `role` the role in that profile; `profile_id` is "" where the profile was deleted since. `http_tokens` is "required"
    or "optional", and the other switches are "enabled" or "disabled". `user_data` is decoded.
    """

    instance_id: str
    account: str
    region: str
    state: str
    image_id: str
    instance_type: str
    availability_zone: str
    private_ip: str
    launched_at: str
    tags: Tags
    http_tokens: str
    http_endpoint: str
    hop_limit: int
    profile_arn: str
    profile_id: str
    role: Role | None
    http_protocol_ipv6: str = "disabled"
    metadata_tags: str = "disabled"
    user_data: bytes = field(default=b"", repr=False)
    vpc_id: str = ""


@dataclass(frozen=True, slots=True)
class EcsTask:
    """A task that ECS runs; its roles are "" where it has none."""

    task_id: str
    arn: str
    account: str
    region: str
    cluster: str
    task_role_arn: str
    execution_role_arn: str


class Backend(ObjectStore, IamBackend, Protocol):
    """The state of every account of this local AWS. Reads are cheap: the gate makes some for each call."""

    def handle(self, call: ApiCall, account: str, body: Content, stamp: Stamp | None = None) -> Response:
        """Answer a call that was authorized, in `account`; `body` is the payload with any aws-chunked framing off.

        `stamp` is what the S3 object that the call makes is born with. Raises: Fault where the backend does not
        implement the call, or a write's condition (If-Match, If-None-Match) does not hold.
        """

    def find_access_key(self, access_key_id: str) -> AccessKey | None:
        """Give the user's key of that id, active or not."""

    def find_user(self, account: str, name: str) -> User | None:
        """Give the user with all its policies."""

    def find_role(self, account: str, name: str) -> Role | None:
        """Give the role with all its policies."""

    def find_profile(self, account: str, name: str) -> Profile | None:
        """Give the instance profile of that name."""

    def group_arn(self, account: str, name: str) -> str:
        """Give the ARN of an IAM group, "" where it does not exist."""

    def associated_instance_id(self, account: str, region: str, association_id: str) -> str:
        """Give the instance of an instance profile association, "" where it does not exist."""

    def find_policy(self, arn: str) -> Document | None:
        """Give the default version of a managed policy."""

    def find_oidc_provider(self, account: str, url: str) -> OidcProvider | None:
        """Give the account's identity provider of that URL, with or without its `https://`."""

    def find_resource_policy(self, arn: str) -> Document | None:
        """Give the policy stored with a resource that is no bucket (a topic, a secret), None where it has none."""

    def find_resource(self, arn: str) -> StoredResource | None:
        """Give a resource that the other methods here do not, by its ARN or by one that has a name for its end."""

    def find_bucket(self, name: str) -> Bucket | None:
        """Give the bucket of that name, whosever it is."""

    def account_block(self, account: str) -> PublicAccessBlock | None:
        """Give the account's Block Public Access, None where it has no configuration."""

    def set_account_block(self, account: str, block: PublicAccessBlock | None) -> None:
        """Set the account's Block Public Access, or remove it."""

    def has_object(self, bucket: str, key: str, version_id: str) -> bool:
        """Hold iff a GetObject would find it; an empty `version_id` is the current version."""

    def object_tags(self, bucket: str, key: str, version_id: str) -> Tags:
        """Give the tags of an object, none where it does not exist."""

    def find_task(self, arn: str) -> EcsTask | None:
        """Give the ECS task of that ARN in any account and region, None where it does not run."""

    def find_instance(self, instance_id: str) -> Instance | None:
        """Give the instance of that id in any account and region, with the profile attached at this moment."""

    def secure_new_bucket(self, name: str, ownership: str, tags: Tags) -> None:
        """Give a bucket that was just made what AWS's new buckets have, and the tags of its creation.

        That is Block Public Access (all four), the ownership that was asked for, and SSE-S3.
        """

    def set_user_boundary(self, account: str, name: str, arn: str) -> None:
        """Set or, with an empty ARN, remove a user's permissions boundary."""

    def metrics_configurations(self, bucket: str) -> Mapping[str, Mapping[str, Any]]:
        """Give the request metrics of a bucket that is there: id to configuration."""

    def set_metrics_configurations(self, bucket: str, configurations: Mapping[str, Mapping[str, Any]]) -> None:
        """Set all request metrics of a bucket that is there."""

    def set_oidc_audiences(self, account: str, arn: str, audiences: tuple[str, ...]) -> None:
        """Set the audiences of an OIDC provider that is there."""

    def reset(self) -> None:
        """Forget everything: no users, no buckets, no instances."""
