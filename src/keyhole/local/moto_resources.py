"""What moto keeps of tables, topics, secrets, alarms, trails and ECS, in the types of the port.

A service that nobody has called has nothing in it: its modules are not imported for a look.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from keyhole.local.stored_resource import StoredResource, Tags


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN in its parts; `rest` is everything after the account."""

    text: str
    service: str
    region: str
    account: str
    rest: str


def find_resource(arn: str) -> StoredResource | None:
    """Give the resource of that ARN, or of one that leaves out what a name leaves out, None where there is none."""
    asked = parse_arn(arn)
    finder = _FINDERS.get(asked.service) if asked else None
    state = find_state(asked) if asked and finder else None
    return finder(asked, state) if asked and finder and state is not None else None


def parse_arn(text: str) -> Arn | None:
    """Give the parts of an ARN, None for what is none."""
    parts = text.split(":", 5)
    return Arn(text, *parts[2:]) if len(parts) == 6 and parts[:2] == ["arn", "aws"] else None


def find_state(asked: Arn) -> Any:
    """Give moto's state of that service, account and region, where there is one: looking must not create it."""
    models = sys.modules.get(f"moto.{asked.service}.models")
    accounts = getattr(models, f"{asked.service}_backends", None)
    if accounts is None or asked.account not in accounts:
        return None
    regions = accounts[asked.account]
    return dict.get(regions, "aws" if asked.service == "iam" else asked.region or "us-east-1")


def _table(asked: Arn, state: Any) -> StoredResource | None:
    arn = asked.text.partition("/index/")[0].partition("/stream/")[0]
    table = state.tables.get(arn.rpartition("/")[2])
    if table is None or table.table_arn != arn:
        return None
    keys: dict[str, tuple[str, ...]] = {"": (str(table.hash_key_attr),)}
    for index in (*table.global_indexes, *table.indexes):
        keys[index.name] = tuple(str(key["AttributeName"]) for key in index.schema if key["KeyType"] == "HASH")
    return StoredResource(asked.text, _pairs(table.tags), keys=keys)


def _topic(asked: Arn, state: Any) -> StoredResource | None:
    topic = state.topics.get(asked.text)
    return StoredResource(asked.text, _pairs(topic._tags)) if topic else None


def find_secret(asked: Arn, state: Any) -> Any:
    """Give moto's secret by its ARN, or by one that ends with its name."""
    name = asked.rest.removeprefix("secret:")
    secrets = list(dict.values(state.secrets))
    exact = next((secret for secret in secrets if secret.arn == asked.text), None)
    return exact or next((secret for secret in secrets if secret.name == name), None)


def _stored_secret(asked: Arn, state: Any) -> StoredResource | None:
    secret = find_secret(asked, state)
    return StoredResource(secret.arn, _pairs(secret.tags)) if secret else None


def _alarm(asked: Arn, state: Any) -> StoredResource | None:
    kind, _, name = asked.rest.partition(":")
    is_there = (
        name in state.alarms if kind == "alarm" else asked.rest.removeprefix("insight-rule/") in state.insight_rules
    )
    if not is_there:
        return None
    return StoredResource(asked.text, tuple(state.tagger.get_tag_dict_for_resource(asked.text).items()))


def _trail(asked: Arn, state: Any) -> StoredResource | None:
    """A trail by name may be one of another region that covers all of them."""
    trail = state.trails.get(asked.rest.removeprefix("trail/"))
    if trail is None:
        name = asked.rest.removeprefix("trail/")
        trails = state.describe_trails(include_shadow_trails=True)
        trail = next((trail for trail in trails if trail.trail_name == name), None)
    if trail is None:
        return None
    home = find_state(Arn(trail.arn, "cloudtrail", trail.region_name, asked.account, ""))
    return StoredResource(trail.arn, tuple(home.tagging_service.get_tag_dict_for_resource(trail.arn).items()))


def _of_ecs(asked: Arn, state: Any) -> StoredResource | None:
    kind, _, name = asked.rest.partition("/")
    if kind == "task-definition":
        return _task_definition(name, state)
    found = next((item for item in _ecs_items(kind, state) if _ecs_arn(item) == asked.text), None)
    return StoredResource(asked.text, _pairs(found.tags)) if found else None


def _ecs_items(kind: str, state: Any) -> Iterable[Any]:
    if kind == "cluster":
        return list(state.clusters.values())
    if kind == "service":
        return list(state.services.values())
    if kind == "task":
        return [task for tasks in list(state.tasks.values()) for task in list(tasks.values())]
    return list(state.capacity_providers.values()) if kind == "capacity-provider" else ()


def _ecs_arn(item: Any) -> str:
    return str(getattr(item, "task_arn", None) or getattr(item, "capacity_provider_arn", None) or item.arn)


def _task_definition(name: str, state: Any) -> StoredResource | None:
    family, _, revision = name.partition(":")
    revisions = state.task_definitions.get(family) or {}
    if revision:
        found = revisions.get(int(revision)) if revision.isascii() and revision.isdigit() else None
    else:
        found = revisions.get(state._get_last_task_definition_revision_id(family))
    if found is None:
        return None
    members = (("taskRoleArn", "task_role_arn"), ("executionRoleArn", "execution_role_arn"))
    roles = tuple((name, str(getattr(found, attribute, None) or "")) for name, attribute in members)
    return StoredResource(found.arn, _pairs(found.tags), roles)


def _of_ec2(asked: Arn, state: Any) -> StoredResource | None:
    tags = state.tags.get(asked.rest.rpartition("/")[2])
    return StoredResource(asked.text, _pairs(tags)) if tags else None


def _of_iam(asked: Arn, state: Any) -> StoredResource | None:
    kind = asked.rest.partition("/")[0]
    if kind == "policy":
        found = state.managed_policies.get(asked.text)
    elif kind == "oidc-provider":
        found = state.open_id_providers.get(asked.text)
    else:
        known = {"instance-profile": state.instance_profiles, "mfa": state.virtual_mfa_devices}.get(kind, {})
        found = next(
            (item for item in list(known.values()) if asked.text in (_text(item, "arn"), _text(item, "serial_number"))),
            None,
        )
    # MFA devices have no tags with moto.
    return StoredResource(asked.text, _pairs(getattr(found, "tags", ()))) if found else None


def _text(item: Any, attribute: str) -> str:
    return str(getattr(item, attribute, ""))


def _pairs(tags: Any) -> Tags:
    """Give tags in any of the forms in which moto keeps them."""
    if isinstance(tags, dict):
        # IAM keeps {"team": {"Key": "Team", "Value": "a"}}.
        pairs = (
            (value["Key"], value["Value"]) if isinstance(value, dict) else (key, value) for key, value in tags.items()
        )
        return tuple((str(key), str(value)) for key, value in pairs)
    return tuple((str(tag.get("Key", tag.get("key"))), str(tag.get("Value", tag.get("value")))) for tag in tags or ())


_FINDERS: dict[str, Callable[[Arn, Any], StoredResource | None]] = {
    "dynamodb": _table,
    "sns": _topic,
    "secretsmanager": _stored_secret,
    "cloudwatch": _alarm,
    "cloudtrail": _trail,
    "ecs": _of_ecs,
    "ec2": _of_ec2,
    "iam": _of_iam,
}
