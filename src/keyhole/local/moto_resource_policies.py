"""The policies that moto keeps with topics, secrets and tables."""

from __future__ import annotations

from keyhole.local.backend import Document
from keyhole.local.moto_resources import find_secret, find_state, parse_arn

_SERVICES = frozenset({"sns", "secretsmanager", "dynamodb"})


def find_resource_policy(arn: str) -> Document | None:
    """Give the policy stored with the resource, None where it has none; a topic always has one."""
    asked = parse_arn(arn)
    state = find_state(asked) if asked and asked.service in _SERVICES else None
    if asked is None or state is None:
        return None
    text: str | None
    if asked.service == "sns":
        topic = state.topics.get(arn)
        text = topic.policy if topic else None
    elif asked.service == "secretsmanager":
        text = getattr(find_secret(asked, state), "policy", None)
    else:
        # AWS: DynamoDB Developer Guide, "Using resource-based policies": a table's policy holds for its indexes too.
        stored = state.resource_policies.get(arn.partition("/index/")[0])
        text = stored.policy_doc if stored else None
    return Document(arn, text) if text else None
