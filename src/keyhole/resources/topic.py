"""SNS topic and who gets mail from it.

A mail address has to confirm: SNS sends it a link, and nothing else before that. Until then its subscription has no ARN
and cannot be taken back; SNS forgets it after a while.
AWS: Amazon SNS API Reference, CreateTopic, Subscribe, ListSubscriptionsByTopic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError
from keyhole.naming import Scope
from keyhole.resources.kind import Foreign, find_tagged, missing_tags, removal, tag_dict, tag_list

NAME = "topic"
DEPENDS_ON: tuple[str, ...] = ()
FOREIGN = Foreign.REFUSED


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it shall be."""

    address: str
    arn: str
    mails: tuple[str, ...]
    tags: dict[str, str]
    depends_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.arn


@dataclass(frozen=True, slots=True)
class ExistingTopic:
    """`mails`: address and ARN of each subscription by mail; the ARN is empty while it is not confirmed."""

    arn: str
    mails: tuple[tuple[str, str], ...]
    tags: dict[str, str]

    @property
    def name(self) -> str:
        return self.arn


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the ARNs of the topics that carry the scope's tags."""
    yield from find_tagged(aws, scope, "sns")


def read(aws: Aws, _scope: Scope, name: str) -> ExistingTopic | None:
    """Give the topic of this ARN with its subscriptions by mail."""
    try:
        aws.call("sns", "GetTopicAttributes", TopicArn=name)
        tags = aws.call("sns", "ListTagsForResource", ResourceArn=name).get("Tags")
        subscriptions = list(aws.pages("sns", "ListSubscriptionsByTopic", "Subscriptions", TopicArn=name))
    except AwsError as error:
        if error.code in {"NotFound", "NotFoundException", "ResourceNotFound"}:
            return None
        raise
    mails = tuple(
        (str(one["Endpoint"]), str(one["SubscriptionArn"]) if str(one["SubscriptionArn"]).startswith("arn:") else "")
        for one in subscriptions
        if one["Protocol"] == "email"
    )
    return ExistingTopic(name, mails, tag_dict(tags))


def calls(want: Topic | None, have: ExistingTopic | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`."""
    if want is None:
        if have is not None:
            params: dict[str, Any] = {"TopicArn": have.arn}
            yield removal("sns", "DeleteTopic", params, "delete the topic with its subscriptions")
        return
    if have is None:
        params = {"Name": want.arn.rpartition(":")[2], "Tags": tag_list(want.tags)}
        yield Call("sns", "CreateTopic", params, why="create the topic")
        have = ExistingTopic(want.arn, (), want.tags)
    if lacking := missing_tags(want.tags, have.tags):
        params = {"ResourceArn": want.arn, "Tags": tag_list(lacking)}
        yield Call("sns", "TagResource", params, why="tag it as this app's")
    known = {mail for mail, _ in have.mails}
    for mail in want.mails:
        if mail not in known:
            params = {"TopicArn": want.arn, "Protocol": "email", "Endpoint": mail}
            yield Call("sns", "Subscribe", params, why=f"send {mail} a link: alarms reach it once it is followed")
    for mail, arn in have.mails:
        if mail not in want.mails and arn:
            yield removal("sns", "Unsubscribe", {"SubscriptionArn": arn}, f"send {mail} nothing more")
