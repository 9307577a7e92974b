"""IAM inline policy: the one that the file puts into a role or user itself; it has no ARN, no versions and no tags.

Whose it is, the role or user says. It goes with that one, which also takes away every other inline policy.
AWS: IAM API Reference, PutRolePolicy and PutUserPolicy (they replace what is there); IAM User Guide, "Managed policies
and inline policies".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError
from keyhole.iam.text import same_document, write_document
from keyhole.naming import Scope
from keyhole.resources.kind import Foreign, tag_dict

NAME = "inline-policy"
DEPENDS_ON = ("role", "user")
FOREIGN = Foreign.REFUSED
_HOLDERS = {"role": "Role", "user": "User"}


@dataclass(frozen=True, slots=True)
class InlinePolicy:
    """An inline policy as it shall be; `holder_kind` is "role" or "user"."""

    address: str
    holder_kind: str
    holder_name: str
    policy_name: str
    document: dict[str, Any]
    depends_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.holder_kind}/{self.holder_name}/{self.policy_name}"


@dataclass(frozen=True, slots=True)
class ExistingInlinePolicy:
    """`tags` are those of the role or user that has it."""

    name: str
    document: dict[str, Any]
    tags: dict[str, str]


class Holder(Protocol):
    """A role or user as it is on AWS."""

    @property
    def policy_arns(self) -> tuple[str, ...]:
        """The managed policies that are attached to it."""

    @property
    def inline_policies(self) -> tuple[str, ...]:
        """The names of its inline policies."""


def unwanted_policies(
    policy_arns: tuple[str, ...], inline_policy: str, outgoing_arn: str, have: Holder
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the managed and the inline policies that a role or user is to lose, of which it wants these.

    While its inline policy is not there yet, the managed one in whose place it comes stays: there is no moment without
    either. That one's own deletion, which comes later, detaches it.
    """
    wanted = {*policy_arns, *({outgoing_arn} if inline_policy not in have.inline_policies else ())}
    return (
        tuple(arn for arn in have.policy_arns if arn not in wanted),
        tuple(name for name in have.inline_policies if name != inline_policy),
    )


def find(_aws: Aws, _scope: Scope) -> Iterator[str]:
    """Give nothing: what left the file is taken away by its role or user, or goes with it."""
    yield from ()


def read(aws: Aws, _scope: Scope, name: str) -> ExistingInlinePolicy | None:
    """Give the policy with the tags of what has it."""
    holder_kind, holder_name, policy_name = name.split("/")
    noun = _HOLDERS[holder_kind]
    holder = {f"{noun}Name": holder_name}
    try:
        document = aws.call("iam", f"Get{noun}Policy", **holder, PolicyName=policy_name)["PolicyDocument"]
        tags = aws.call("iam", f"Get{noun}", **holder)[noun].get("Tags")
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    return ExistingInlinePolicy(name, dict(document), tag_dict(tags))


def calls(want: InlinePolicy | None, have: ExistingInlinePolicy | None) -> Iterator[Call]:
    """Give the call from `have` to `want`; what is not wanted is taken away by what has it."""
    if want is None or (have is not None and same_document(want.document, have.document)):
        return
    noun = _HOLDERS[want.holder_kind]
    params = {
        f"{noun}Name": want.holder_name,
        "PolicyName": want.policy_name,
        "PolicyDocument": write_document(want.document),
    }
    why = f"put the policy into the {want.holder_kind} itself" if have is None else "set the document"
    yield Call("iam", f"Put{noun}Policy", params, why=why)
