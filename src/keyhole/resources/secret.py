"""Secrets Manager secret that an access key is handed over in: made empty, filled by whoever makes the key.

AWS: AWS Secrets Manager API Reference, CreateSecret, DeleteSecret (ForceDeleteWithoutRecovery), RestoreSecret.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError
from keyhole.naming import Scope
from keyhole.resources.kind import Foreign, find_tagged, missing_tags, removal, tag_dict, tag_list

NAME = "secret"
DEPENDS_ON: tuple[str, ...] = ()
FOREIGN = Foreign.REFUSED
_ENDING = len("-abc123")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as it shall be; its value is no part of it."""

    address: str
    name: str
    tags: dict[str, str]
    description: str = ""
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExistingSecret:
    """`is_leaving`: it is scheduled for deletion, and its name is not free before that."""

    name: str
    is_leaving: bool
    tags: dict[str, str]


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the names of the secrets that carry the scope's tags."""
    for arn in find_tagged(aws, scope, "secretsmanager:secret"):
        yield arn.partition(":secret:")[2][:-_ENDING]


def read(aws: Aws, _scope: Scope, name: str) -> ExistingSecret | None:
    """Give the secret without its value."""
    try:
        found = aws.call("secretsmanager", "DescribeSecret", SecretId=name)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    return ExistingSecret(found["Name"], "DeletedDate" in found, tag_dict(found.get("Tags")))


def calls(want: Secret | None, have: ExistingSecret | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`. It goes at once: nobody is left to whom it could be of use."""
    if want is None:
        if have is not None:
            params: dict[str, Any] = {"SecretId": have.name, "ForceDeleteWithoutRecovery": True}
            why = "delete the secret at once and for good, without a time to recover it"
            yield removal("secretsmanager", "DeleteSecret", params, why)
        return
    if have is None:
        params = {"Name": want.name, "Description": want.description, "Tags": tag_list(want.tags)}
        yield Call("secretsmanager", "CreateSecret", params, why="create the secret, empty")
        return
    secret = {"SecretId": want.name}
    if have.is_leaving:
        yield Call("secretsmanager", "RestoreSecret", secret, why="take back its deletion")
    if lacking := missing_tags(want.tags, have.tags):
        yield Call("secretsmanager", "TagResource", {**secret, "Tags": tag_list(lacking)}, why="tag it as this app's")
