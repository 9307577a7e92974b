"""The smallest policy document for what was asked, and whether it really allows all of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keyhole.blueprint.policies import VERSION, account_trust
from keyhole.iam import Policy, PolicyKind, PolicySet, decide, parse_policy
from keyhole.learn.folders import cover_folders
from keyhole.learn.needs import Granted
from keyhole.learn.use import Use

_MANY = 5
_ASSUMING = "sts:AssumeRole"
# The listings that s3:prefix limits.
_LISTINGS = frozenset({"s3:ListBucket", "s3:ListBucketVersions"})
_UNLIMITED = parse_policy(
    {"Version": VERSION, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, PolicyKind.IDENTITY
)


def write_policy(uses: Iterable[Use], granted: Granted) -> dict[str, Any]:
    """Give the policy: actions that were asked, on folders of objects and on other resources by name.

    No prefix needs escaping: folders end where a name has a wildcard or begins a variable.
    """
    statements: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for action, asked in _by_action(uses).items():
        if action in _LISTINGS:
            for bucket, group in _by_bucket(asked).items():
                prefixes = cover_folders({use.folder for use in group}, _of_verb(granted, group[0]))
                limit = () if "" in prefixes else tuple(f"{prefix}*" for prefix in prefixes)
                statements.setdefault(((f"arn:aws:s3:::{bucket}",), limit), []).append(action)
        else:
            statements.setdefault((_patterns(asked, granted), ()), []).append(action)
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Action": _one_or_all(actions),
                "Resource": _one_or_all(list(resources)),
                **({"Condition": {"StringLike": {"s3:prefix": _one_or_all(list(limit))}}} if limit else {}),
            }
            for (resources, limit), actions in sorted(statements.items())
        ],
    }


def find_unallowed(document: dict[str, Any], uses: Iterable[Use]) -> tuple[Use, ...]:
    """Give the questions that the policy would not allow, though one could; none, unless what was learned is wrong."""
    asked = tuple(uses)
    if not document["Statement"]:
        return asked
    policy = parse_policy(document, PolicyKind.IDENTITY, name="learned")
    return tuple(use for use in asked if not allows(policy, use) and allows(_UNLIMITED, use))


def allows(policy: Policy, use: Use) -> bool:
    """Hold iff the policy alone allows what was asked; a role to be assumed is taken to trust the caller's account."""
    return decide(use.request(), _policies(policy, use)).is_allowed


def _policies(policy: Policy, use: Use) -> PolicySet:
    if not use.action.startswith(_ASSUMING):
        return PolicySet(identity=(policy,))
    trust = account_trust("aws", use.account, ())
    trust["Statement"][0]["Action"] = use.action
    return PolicySet(identity=(policy,), trust=parse_policy(trust, PolicyKind.TRUST, name="trust"))


def _patterns(uses: list[Use], granted: Granted) -> tuple[str, ...]:
    """Give the resources of one action: objects by folder, others by name, or as a pattern where they are many."""
    found = [
        f"arn:aws:s3:::{bucket}/{prefix}*"
        for bucket, group in _by_bucket([use for use in uses if use.key]).items()
        for prefix in cover_folders({use.folder for use in group}, _of_verb(granted, group[0]))
    ]
    heads: dict[str, set[str]] = {}
    for use in uses:
        if not use.key:
            heads.setdefault(use.resource[: use.resource.rfind("/") + 1], set()).add(use.resource)
    for head, resources in heads.items():
        is_pattern = head and len(resources) > _MANY
        found += [f"{head}*"] if is_pattern else list(resources)
    return tuple(sorted(found))


def _of_verb(granted: Granted, use: Use) -> tuple[str, ...]:
    return granted.get((use.bucket, use.verb), ()) if use.verb else ()


def _by_action(uses: Iterable[Use]) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for use in sorted(uses, key=lambda use: use.action):
        found.setdefault(use.action, []).append(use)
    return found


def _by_bucket(uses: Iterable[Use]) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for use in sorted(uses, key=lambda use: use.bucket):
        found.setdefault(use.bucket, []).append(use)
    return found


def _one_or_all(items: list[str]) -> str | list[str]:
    return items[0] if len(items) == 1 else items
