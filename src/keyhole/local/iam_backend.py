"""The part of the backend's port that tells more of IAM than the gate needs for a decision.

What hangs on a user, group or role decides whether it may be deleted, and how much more it can have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entity:
    """A user, group or role and what hangs on it; `kind` is "user", "group" or "role".

    `inline` are names and texts, `attached` ARNs of managed policies. `groups` are a user's, `members` a group's users,
    `profiles` the instance profiles that a role is in. `path` begins and ends with a slash.
    """

    kind: str
    name: str
    path: str
    arn: str
    unique_id: str
    created_at: datetime
    inline: tuple[tuple[str, str], ...] = ()
    attached: tuple[str, ...] = ()
    boundary_arn: str = ""
    tag_keys: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    access_key_ids: tuple[str, ...] = ()
    mfa_devices: tuple[str, ...] = ()
    has_password: bool = False
    has_certificates: bool = False
    has_ssh_keys: bool = False

    @property
    def is_service_linked(self) -> bool:
        """Hold iff it is a role that a service made for itself: only that service changes it."""
        return self.kind == "role" and self.path.startswith("/aws-service-role/")


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A managed policy; `versions` are the ids of those that are kept, oldest first."""

    arn: str
    name: str
    versions: tuple[str, ...]
    default_version: str
    tag_keys: tuple[str, ...] = ()

    @property
    def is_aws_managed(self) -> bool:
        """Hold iff AWS keeps it: nobody changes or deletes it."""
        return self.arn.split(":")[4] == "aws"


class IamBackend(Protocol):
    """What IAM has in an account."""

    def find_entity(self, account: str, kind: str, name: str) -> Entity | None:
        """Give the user, group or role of exactly that name."""

    def list_entities(self, account: str, kind: str) -> tuple[Entity, ...]:
        """Give every user, group or role of the account."""

    def find_managed_policy(self, account: str, arn: str) -> ManagedPolicy | None:
        """Give a managed policy of that account or of AWS's own."""

    def list_managed_policies(self, account: str) -> tuple[ManagedPolicy, ...]:
        """Give the account's own managed policies."""

    def list_profile_names(self, account: str) -> tuple[str, ...]:
        """Give the names of the account's instance profiles."""

    def count_providers(self, account: str) -> int:
        """Give how many OpenID Connect providers the account has."""

    def find_principal(self, unique_id: str) -> str:
        """Give the ARN of the user or role of that unique id (AIDA…, AROA…), "" where there is none, or no more."""

    def rename_principal(self, arn: str, name: str) -> None:
        """Write `name`, an ARN or a unique id, for a principal wherever a stored policy of a resource or role names it.

        AWS keeps the unique id and shows an ARN: the id is seen once the user or role is gone.
        """

    def note_use(self, access_key_id: str, role_arn: str, service: str, region: str, at: datetime) -> None:
        """Remember when and for what a user's key, or a role, was last used."""
