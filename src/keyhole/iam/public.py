"""When AWS calls a bucket policy public: an Allow for everyone that no fixed value narrows.

AWS: S3 User Guide, "Blocking public access to your Amazon S3 storage", section "The meaning of "public"".
"""

from __future__ import annotations

import ipaddress
import re

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
        "s3:dataaccesspointaccount",
    }
)
# Its access point may be any, as long as the account is fixed.
_ACCESS_POINT_KEY = "s3:dataaccesspointarn"
_ACCESS_POINT = re.compile(r"^arn:aws:s3:[a-z0-9-]+:\d{12}:accesspoint/[^$]+$")
_POSITIVE = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress"})


def is_public(policy: Policy) -> bool:
    """Hold iff some statement of the policy lets everyone in."""
    return any(is_public_statement(statement) for statement in policy.statements)


def is_public_statement(statement: Statement) -> bool:
    """Hold iff the statement lets everyone in, and nothing fixed narrows it."""
    if statement.effect is not Effect.ALLOW or statement.principals is None:
        return False
    # NotPrincipal with Allow lets in everyone else.
    is_wide = statement.principals.negated or any(
        pattern.value == "*" and pattern.kind in ("*", "AWS") for pattern in statement.principals.patterns
    )
    return is_wide and not any(_narrows(condition) for condition in statement.conditions)


def _narrows(condition: Condition) -> bool:
    key = condition.key.lower()
    if condition.operator not in _POSITIVE or condition.if_exists or condition.qualifier == "ForAllValues":
        return False
    if not condition.values:
        # AWS: "IAM Access Analyzer policy check reference", Empty array condition: it may well "return true".
        return False
    if key == _ACCESS_POINT_KEY:
        return all(_ACCESS_POINT.match(value) for value in condition.values)
    if key not in _NARROWING_KEYS:
        return False
    if key == "aws:sourceip":
        return all(_is_narrow_range(value) for value in condition.values)
    return condition.operator != "IpAddress" and all(_is_fixed(value) for value in condition.values)


def _is_fixed(value: str) -> bool:
    return bool(value) and not set("*?") & set(value) and "${" not in value


def _is_narrow_range(value: str) -> bool:
    """AWS: ranges as broad as 0.0.0.0/1 are public; a fixed range is at least /8 (IPv4) or /32 (IPv6) long."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= (8 if network.version == 4 else 32)
