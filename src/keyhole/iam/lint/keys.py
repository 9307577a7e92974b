"""Condition keys that the statement's actions never carry.

AWS: Service Authorization Reference, "Condition keys for …": an action carries the keys of its row, those of its
resource types, and the global ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.iam.catalogue import Action, Service, find_service, is_cross_service_key
from keyhole.iam.lint.actions import ActionPattern, Reading
from keyhole.iam.lint.conditions import needs_presence
from keyhole.iam.lint.report import PolicyWarning, WarningCode, condition_path
from keyhole.iam.model import Condition, Statement
from keyhole.iam.operators.registry import find_operator

_CHECKED_SERVICES = frozenset(
    {
        "cloudtrail",
        "cloudwatch",
        "dynamodb",
        "ec2",
        "ecs",
        "iam",
        "kms",
        "logs",
        "s3",
        "secretsmanager",
        "sns",
        "sqs",
        "sts",
    }
)
"""Services that certainly do not carry the keys of each other but where the reference says so."""


def check_action_keys(statement: Statement, actions: tuple[ActionPattern, ...], path: str) -> Iterator[PolicyWarning]:
    """A warning for each condition that some of the statement's actions can never fulfil, or that none ever carries."""
    known = [pattern for pattern in actions if pattern.reading is Reading.KNOWN and pattern.actions]
    if statement.actions.negated or not known:
        return
    for condition in statement.conditions:
        service = _find_owner(condition)
        if service is None:
            continue
        lacking = [
            pattern for pattern in known if not any(_carries(action, condition, service) for action in pattern.actions)
        ]
        is_lost = needs_presence(condition)
        if lacking and (is_lost or len(lacking) == len(actions)):
            yield _warn(condition, lacking, is_lost=is_lost, place=condition_path(path, condition))


def _find_owner(condition: Condition) -> Service | None:
    """The service whose key it is, where the reference says which actions carry the key."""
    key = condition.key.lower()
    if find_operator(condition.operator) is None or is_cross_service_key(key):
        return None
    service = find_service(key.partition(":")[0])
    found = service.find_condition_key(key) if service else None
    is_listed = service is not None and found is not None and found.name.lower() not in service.unlisted_keys
    return service if is_listed else None


def _carries(action: Action, condition: Condition, owner: Service) -> bool:
    """Hold unless it is certain that no request for the action carries the key."""
    if action.prefix != owner.prefix and not {action.prefix, owner.prefix} <= _CHECKED_SERVICES:
        return True
    return action.has_condition_key(condition.key)


def _warn(condition: Condition, lacking: list[ActionPattern], *, is_lost: bool, place: str) -> PolicyWarning:
    names = ", ".join(f"`{pattern.text}`" for pattern in lacking[:3]) + (" and others" if len(lacking) > 3 else "")
    if is_lost:
        message = f"no request for {names} carries `{condition.key}`: the statement never applies to it"
        hint = "move the action to a statement without this condition"
    else:
        message = f"no request for {names} carries `{condition.key}`: the condition changes nothing"
        hint = "leave the condition out, or use a key that the action has"
    return PolicyWarning(WarningCode.KEY_NOT_OF_ACTION, place, message, hint)
