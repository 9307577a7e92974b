"""When AWS calls a bucket policy public: an Allow for everyone that no fixed value narrows.

AWS: S3 User Guide, "Blocking public access to your Amazon S3 storage", section "The meaning of "public"".
"""

from __future__ import annotations

import ipaddress

from keyhole.iam.model import Condition, Effect, Policy, Statement

# A fixed value (no wildcard, no variable) of one of these keys makes a statement non-public.
_NARROWING_KEYS = frozenset(
    {
        "aws:sourceip",
        "aws:sourcearn",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:sourceaccount",
        "aws:userid",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
    }
)
_POSITIVE = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"})


def is_public(policy: Policy) -> bool:
    """Hold iff some statement of the policy lets everyone in."""
    return any(_is_public(statement) for statement in policy.statements)


def _is_public(statement: Statement) -> bool:
    if statement.effect is not Effect.ALLOW or statement.principals is None:
        return False
    # NotPrincipal with Allow lets in everyone else.
    is_wide = statement.principals.negated or any(
        pattern.value == "*" and pattern.kind in ("*", "AWS") for pattern in statement.principals.patterns
    )
    return is_wide and not any(_narrows(condition) for condition in statement.conditions)


def _narrows(condition: Condition) -> bool:
    if condition.key.lower() not in _NARROWING_KEYS or condition.operator not in _POSITIVE:
        return False
    if condition.if_exists or condition.qualifier == "ForAllValues":
        return False
    if condition.operator == "IpAddress":
        return all(_is_narrow_range(value) for value in condition.values)
    return all(not set("*?") & set(value) and "${" not in value for value in condition.values)


def _is_narrow_range(value: str) -> bool:
    """AWS: ranges as broad as 0.0.0.0/1 are public; a fixed range is at least /8 (IPv4) or /32 (IPv6) long."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= (8 if network.version == 4 else 32)
