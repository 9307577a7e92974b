"""A resource of a service that is neither S3 nor IAM, as far as authorization asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field

Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StoredResource:
    """A table, topic, secret, alarm, trail, or something of ECS.

    `arn` is whole, whatever it was asked for by. `roles` are those of a task definition: ("taskRoleArn", ARN or name).
    `keys` are the partition keys of a table, by index name: "" is the table itself.
    """

    arn: str
    tags: Tags = ()
    roles: tuple[tuple[str, str], ...] = ()
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
