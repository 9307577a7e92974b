"""What every resource kind is: a module with `find`, `read` and a pure `calls`.

A kind's wanted state and its state on AWS are two frozen dataclasses; `calls` compares them and gives the API calls
that lead from one to the other. A name or a path only nominates a resource: the tag authorises touching it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Protocol, TypeVar

from keyhole.aws import Aws, Call
from keyhole.naming import Scope


class Wanted(Protocol):
    """A resource as the blueprint wants it."""

    @property
    def address(self) -> str:
        """The resource's place in the plan: "bucket.images"."""

    @property
    def name(self) -> str:
        """Its name on AWS."""

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The addresses of the resources that must be there before it."""


class Existing(Protocol):
    """A resource as it is on AWS."""

    @property
    def name(self) -> str:
        """Its name on AWS."""

    @property
    def tags(self) -> dict[str, str]:
        """The tags it has now: they say whose it is."""


class Foreign(Enum):
    """What becomes of something that is there already and is not the scope's."""

    REFUSED = "refused"
    """It is not touched, and nothing is done; one without an owner may be adopted."""
    REPLACED = "replaced"
    """It is replaced, after asking."""
    SHARED = "shared"
    """There can be only one of it in an account: it is used as it is, and left where it is."""


W_contra = TypeVar("W_contra", contravariant=True)
H = TypeVar("H")


class Kind(Protocol[W_contra, H]):
    """A resource kind; the modules of this package are its instances.

    `NAME` begins the addresses ("bucket"). `DEPENDS_ON` names the kinds that must be there before this one.
    `FOREIGN`: what becomes of what is there already and not ours.
    """

    NAME: str
    DEPENDS_ON: tuple[str, ...]
    FOREIGN: Foreign

    def find(self, aws: Aws, scope: Scope) -> Iterator[str]:
        """Give the names of what may belong to the scope, by path or tag. Raises: AwsError."""

    def read(self, aws: Aws, scope: Scope, name: str) -> H | None:
        """Give what is on AWS under this name, None if nothing is. Raises: AwsError, KeyholeError."""

    def calls(self, want: W_contra | None, have: H | None) -> Iterator[Call]:
        """Give the calls that lead from `have` to `want`, in order; none if they agree. Pure."""


GONE = (
    *("NoSuchEntity", "NoSuchBucket", "InvalidAssociationID.NotFound"),
    *("ResourceNotFoundException", "ResourceNotFound", "NotFound", "TrailNotFoundException"),
)


def removal(service: str, operation: str, params: dict[str, Any], why: str) -> Call:
    """Give a call that removes something; that it is gone already is just as well."""
    return Call(service, operation, params, destructive=True, why=why, settled_by=GONE)


def find_tagged(aws: Aws, scope: Scope, resource_type: str) -> Iterator[str]:
    """Give the ARNs of the resources of one type in the scope's region that carry its tags. Raises: AwsError."""
    filters = [{"Key": key, "Values": [value]} for key, value in scope.tags.items()]
    found = aws.pages(
        "resourcegroupstaggingapi",
        "GetResources",
        "ResourceTagMappingList",
        TagFilters=filters,
        ResourceTypeFilters=[resource_type],
    )
    for item in found:
        yield str(item["ResourceARN"])


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Give tags in the shape of AWS's APIs."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def tag_dict(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """Give AWS's list of tags as a dict."""
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


def missing_tags(want: dict[str, str], have: dict[str, str]) -> dict[str, str]:
    """Give the wanted tags that are not there, or differ; tags of others are left alone."""
    return {key: value for key, value in want.items() if have.get(key) != value}
