"""The port to what stores the local AWS's state: it answers calls that were let through, and tells what IAM needs.

Backends stand behind this port so that a service can get one of its own without the gate being touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from keyhole.local.call import ApiCall, Response

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
class PublicAccessBlock:
    """A bucket's Block Public Access; all off where there is no configuration."""

    block_public_acls: bool = False
    ignore_public_acls: bool = False
    block_public_policy: bool = False
    restrict_public_buckets: bool = False


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
    """A bucket, of whichever account: names are global."""

    name: str
    account: str
    region: str
    policy: str | None
    ownership: str
    public_access_block: PublicAccessBlock
    tags: Tags
    cors: tuple[CorsRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Instance:
    """An EC2 instance as its metadata service needs it.

    `state` is EC2's name ("running"); `profile_arn` is the instance profile associated with it now, or "", and
    `role` the role in that profile. `http_tokens` is "required" or "optional", `http_endpoint` "enabled" or "disabled".
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


class Backend(Protocol):
    """The state of every account of this local AWS. Reads are cheap: the gate makes some for each call."""

    def handle(self, call: ApiCall, account: str, body: bytes) -> Response:
        """Answer a call that was authorized, in `account`; `body` is the payload with any aws-chunked framing off.

        Raises: Fault where the backend does not implement the call.
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

    def find_resource_policy(self, arn: str) -> Document | None:
        """Give the policy stored with a resource that is no bucket (a topic, a secret), None where it has none."""

    def find_bucket(self, name: str) -> Bucket | None:
        """Give the bucket of that name, whosever it is."""

    def has_object(self, bucket: str, key: str, version_id: str) -> bool:
        """Hold iff a GetObject would find it; an empty `version_id` is the current version."""

    def upload_key(self, bucket: str, upload_id: str) -> str | None:
        """Give the key that a multipart upload is for, None where there is no such upload in the bucket."""

    def object_tags(self, bucket: str, key: str, version_id: str) -> Tags:
        """Give the tags of an object, none where it does not exist."""

    def find_instance(self, instance_id: str) -> Instance | None:
        """Give the instance of that id in any account and region, with the profile attached at this moment."""

    def secure_new_bucket(self, name: str, ownership: str, tags: Tags) -> None:
        """Give a bucket that was just made what AWS's new buckets have, and the tags of its creation.

        That is Block Public Access (all four), the ownership that was asked for, and SSE-S3.
        """

    def set_user_boundary(self, account: str, name: str, arn: str) -> None:
        """Set or, with an empty ARN, remove a user's permissions boundary."""

    def reset(self) -> None:
        """Forget everything: no users, no buckets, no instances."""
