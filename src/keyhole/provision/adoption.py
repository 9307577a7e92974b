"""Taking over what someone made by hand: where it stands in IAM, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.blueprint import Blueprint
from keyhole.errors import AwsError
from keyhole.iam.text import same_document
from keyhole.resources import Existing, Wanted
from keyhole.resources.bucket import ExistingBucket

_LISTS = {
    "role": ("ListRoles", "Roles", "RoleName"),
    "user": ("ListUsers", "Users", "UserName"),
    "policy": ("ListPolicies", "Policies", "PolicyName"),
    "instance-profile": ("ListInstanceProfiles", "InstanceProfiles", "InstanceProfileName"),
}
_REPLACES = frozenset(
    {
        *("UpdateAssumeRolePolicy", "CreatePolicyVersion", "DeletePolicyVersion"),
        *("PutRolePermissionsBoundary", "PutUserPermissionsBoundary", "PutRolePolicy", "PutUserPolicy"),
        *("PutMetricAlarm", "UpdateTrail"),
    }
)


# Calls that replace a setting of a bucket, if it has one.
_SETTINGS = {
    "PutBucketLifecycleConfiguration": "lifecycle",
    "PutBucketCors": "cors",
    "PutBucketLogging": "access_logs",
}


def find_elsewhere(aws: Aws, blueprint: Blueprint) -> tuple[tuple[str, str, str], ...]:
    """Give kind, name and path of what the file names in IAM and stands at another path than the scope's.

    A name is taken in the whole account, whatever the path, and a path never changes (IAM User Guide, "IAM
    identifiers"). Kinds that these credentials may not list are passed over: where it matters, reading them fails.
    """
    names: dict[str, set[str]] = {}
    for want in blueprint.resources:
        if (kind := want.address.partition(".")[0]) in _LISTS:
            names.setdefault(kind, set()).add(want.name.rpartition("/")[2])
    found = (place for kind, wanted in names.items() for place in _places(aws, kind, wanted))
    return tuple(sorted(place for place in found if place[2] != blueprint.scope.iam_path))


def _places(aws: Aws, kind: str, names: set[str]) -> list[tuple[str, str, str]]:
    operation, result, key = _LISTS[kind]
    scope = {"Scope": "Local"} if kind == "policy" else {}
    try:
        listed = list(aws.pages("iam", operation, result, **scope))
    except AwsError:
        return []
    return [(kind, str(item[key]), str(item["Path"])) for item in listed if item[key] in names]


def mark_replacements(calls: tuple[Call, ...], have: Existing | None) -> tuple[Call, ...]:
    """Give the calls, those marked as destructive by which something of what was there before is gone."""
    return tuple(replace(call, destructive=True) if _replaces(call.operation, have) else call for call in calls)


def _replaces(operation: str, have: Existing | None) -> bool:
    if operation.endswith("Boundary") and not getattr(have, "boundary_arn", ""):
        return False
    if isinstance(have, ExistingBucket) and operation == "PutBucketEncryption":
        # Every bucket has an encryption; AWS's own is nobody's choice.
        return bool((have.settings.encryption or {}).get("SSEAlgorithm", "AES256") != "AES256")
    if isinstance(have, ExistingBucket) and operation in _SETTINGS:
        return bool(getattr(have.settings, _SETTINGS[operation]))
    return operation in _REPLACES


def describe_adoption(want: Wanted, have: Existing) -> str:
    """Give what becomes of it, one line for each field before and one after. Pure."""
    head = "adopted: someone made it; it gets this app's tags, and `keyhole down` deletes it then"
    return "\n".join((head, *_differences(want, have)))


def _differences(want: Any, have: Any) -> Iterator[str]:
    for field in fields(have):
        if field.name in {"name", "arn", "path", "tags", "account"} or not hasattr(want, field.name):
            continue
        is_now, meant = _said(field.name, getattr(have, field.name), getattr(want, field.name))
        if is_dataclass(is_now):
            yield from _differences(meant, is_now)
        elif not _agree(is_now, meant):
            label = field.name.replace("_", " ")
            yield f"{label} is now:  {_plain(is_now)}"
            yield f"{label} becomes: {_plain(meant)}"


def _said(name: str, is_now: Any, meant: Any) -> tuple[Any, Any]:
    """Give what is there and what is meant, as far as the file has a say in it: AWS tells more of some things."""
    if name == "rule":
        differing = [member for member in meant if is_now.get(member) != meant[member]]
        return {member: is_now.get(member) for member in differing}, {member: meant[member] for member in differing}
    if name == "mails":
        return tuple(address for address, _ in is_now), meant
    return is_now, meant


def _agree(is_now: Any, meant: Any) -> bool:
    if isinstance(is_now, dict) and isinstance(meant, dict) and "Statement" in is_now:
        return same_document(meant, is_now)
    return bool(is_now == meant)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None or value in ((), [], {}, ""):
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, default=str)
