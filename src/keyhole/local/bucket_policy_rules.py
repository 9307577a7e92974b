"""What S3 says to a bucket policy whose actions, resources, conditions and principals do not go together.

AWS: S3 User Guide, "Policies and permissions in Amazon S3"; Service Authorization Reference, "Actions, resources, and
condition keys for Amazon S3", which says what resource and which keys an action takes.
"""

from __future__ import annotations

import ipaddress

from keyhole.iam.catalogue import Action, find_condition_key, find_service
from keyhole.iam.catalogue.arn_format import fits_format
from keyhole.iam.model import Condition, Policy, Statement
from keyhole.iam.operators.registry import find_operator
from keyhole.local.canonical_ids import find_account

_RESOURCE = "Policy has invalid resource"
_ACTION = "Policy has invalid action"
INVALID_PRINCIPAL = "Invalid principal in policy"
_MISMATCH = "Action does not apply to any resource(s) in statement"


def find_conflict(policy: Policy, bucket: str) -> str:
    """Give S3's sentence on the first thing in the policy that cannot be, "" where there is none."""
    for statement in policy.statements:
        found = (
            _check_resources(statement, bucket)
            or _check_conditions(statement)
            or _check_actions(statement)
            or _check_principals(statement)
        )
        if found:
            return found
    return ""


def _check_resources(statement: Statement, bucket: str) -> str:
    """A bucket policy speaks of its own bucket and of the objects in it, nothing else."""
    arn = f"arn:aws:s3:::{bucket}"
    patterns = statement.resources.patterns if statement.resources else ()
    return "" if all(item == arn or item.startswith((f"{arn}/", f"{arn}*")) for item in patterns) else _RESOURCE


def _check_actions(statement: Statement) -> str:
    for pattern in statement.actions.patterns:
        actions = _expand(pattern)
        if not actions:
            return _ACTION
        if not statement.actions.negated and not any(_applies(action, statement) for action in actions):
            return _MISMATCH
    return ""


def _check_conditions(statement: Statement) -> str:
    for condition in statement.conditions:
        if condition.operator != "Null" and find_operator(condition.operator) is None:
            return f"Invalid Condition type : {condition.name}"
        if find_condition_key(condition.key) is None:
            return "Policy has an invalid condition key"
        if condition.operator in ("IpAddress", "NotIpAddress") and not _has_addresses(condition):
            return "Invalid IP address in Conditions"
        if not statement.actions.negated and not all(
            any(action.has_condition_key(condition.key) for action in _expand(pattern)) or not _expand(pattern)
            for pattern in statement.actions.patterns
            if condition.key.lower().startswith("s3:")
        ):
            return "Conditions do not apply to combination of actions and resources in statement"
    return ""


def _check_principals(statement: Statement) -> str:
    for pattern in statement.principals.patterns if statement.principals else ():
        if pattern.kind == "CanonicalUser" and find_account(pattern.value) is None:
            return INVALID_PRINCIPAL
        if pattern.kind == "Service" and not pattern.value.endswith((".amazonaws.com", ".aws.internal")):
            return INVALID_PRINCIPAL
    return ""


def _expand(pattern: str) -> tuple[Action, ...]:
    """Give the actions of S3 that the pattern stands for."""
    service = find_service("s3")
    prefix, colon, name = pattern.partition(":")
    if service is None or (pattern != "*" and (not colon or prefix.lower() != "s3")):
        return ()
    return service.expand("*" if pattern == "*" else name)


def _applies(action: Action, statement: Statement) -> bool:
    resources = statement.resources
    if resources is None or resources.negated:
        return True
    return any(
        fits_format(resource, taken.type.arn_format) for resource in resources.patterns for taken in action.resources
    )


def _has_addresses(condition: Condition) -> bool:
    try:
        for value in condition.values:
            if "${" not in value:
                ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True
