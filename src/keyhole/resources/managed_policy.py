"""IAM customer managed policy: a new version is the default at once; the oldest makes room.

AWS: IAM API Reference, CreatePolicy and CreatePolicyVersion (five versions at most).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError
from keyhole.iam.text import same_document, write_document
from keyhole.naming import Scope
from keyhole.resources.kind import Foreign, missing_tags, removal, tag_dict, tag_list

NAME = "policy"
DEPENDS_ON: tuple[str, ...] = ()
FOREIGN = Foreign.REFUSED
MAX_VERSIONS = 5


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A policy as it shall be."""

    address: str
    arn: str
    path: str
    document: dict[str, Any]
    tags: dict[str, str]
    depends_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.arn


@dataclass(frozen=True, slots=True)
class ExistingManagedPolicy:
    """`versions`: the ids of the versions that are not the default, oldest first.

    `attached_to`: the kind ("Role", "User", "Group") and name of each that has it.
    """

    arn: str
    document: dict[str, Any]
    versions: tuple[str, ...]
    tags: dict[str, str]
    attached_to: tuple[tuple[str, str], ...] = field(default=())

    @property
    def name(self) -> str:
        return self.arn


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the ARNs of the policies under the scope's path."""
    for policy in aws.pages("iam", "ListPolicies", "Policies", Scope="Local", PathPrefix=scope.iam_path):
        yield policy["Arn"]


def read(aws: Aws, _scope: Scope, name: str) -> ExistingManagedPolicy | None:
    """Give the policy of this ARN with its default document."""
    try:
        policy = aws.call("iam", "GetPolicy", PolicyArn=name)["Policy"]
        default = str(policy["DefaultVersionId"])
        version = aws.call("iam", "GetPolicyVersion", PolicyArn=name, VersionId=default)["PolicyVersion"]
        versions = list(aws.pages("iam", "ListPolicyVersions", "Versions", PolicyArn=name))
        attached_to = tuple(_attached_to(aws, name)) if policy.get("AttachmentCount", 0) else ()
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    others = sorted((str(v["VersionId"]) for v in versions if not v["IsDefaultVersion"]), key=lambda v: int(v[1:]))
    return ExistingManagedPolicy(
        arn=name,
        document=dict(version["Document"]),
        versions=tuple(others),
        tags=tag_dict(policy.get("Tags")),
        attached_to=attached_to,
    )


def _attached_to(aws: Aws, arn: str) -> Iterator[tuple[str, str]]:
    """One listing has all three kinds: a page for each of them is three calls."""
    marker: dict[str, str] = {}
    while True:
        page = aws.call("iam", "ListEntitiesForPolicy", PolicyArn=arn, **marker)
        for kind in ("Role", "User", "Group"):
            for entity in page.get(f"Policy{kind}s", ()):
                yield kind, str(entity[f"{kind}Name"])
        if not page.get("IsTruncated"):
            return
        marker = {"Marker": str(page["Marker"])}


def calls(want: ManagedPolicy | None, have: ExistingManagedPolicy | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`."""
    if want is None:
        if have is not None:
            yield from _delete(have)
        return
    if have is None:
        params = {
            "PolicyName": want.arn.rpartition("/")[2],
            "Path": want.path,
            "PolicyDocument": write_document(want.document),
            "Tags": tag_list(want.tags),
        }
        yield Call("iam", "CreatePolicy", params, why="create the policy")
        return
    if lacking := missing_tags(want.tags, have.tags):
        yield Call("iam", "TagPolicy", {"PolicyArn": want.arn, "Tags": tag_list(lacking)}, why="tag it as this app's")
    if same_document(want.document, have.document):
        return
    if len(have.versions) + 1 >= MAX_VERSIONS:
        params = {"PolicyArn": want.arn, "VersionId": have.versions[0]}
        yield Call("iam", "DeletePolicyVersion", params, why="make room: the oldest version goes")
    version = {"PolicyArn": want.arn, "PolicyDocument": write_document(want.document), "SetAsDefault": True}
    yield Call("iam", "CreatePolicyVersion", version, why="set the document")


def _delete(have: ExistingManagedPolicy) -> Iterator[Call]:
    for kind, name in have.attached_to:
        params = {f"{kind}Name": name, "PolicyArn": have.arn}
        yield removal("iam", f"Detach{kind}Policy", params, f"detach it from {kind.lower()} {name}")
    for version in have.versions:
        yield removal(
            "iam", "DeletePolicyVersion", {"PolicyArn": have.arn, "VersionId": version}, f"delete version {version}"
        )
    yield removal("iam", "DeletePolicy", {"PolicyArn": have.arn}, "delete the policy")
