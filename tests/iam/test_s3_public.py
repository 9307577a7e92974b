"""When a bucket policy is public."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyhole.iam import parse_policy
from keyhole.iam.model import PolicyKind
from keyhole.iam.public import is_public


def _statement(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **elements}


def _is_public(*statements: dict[str, Any]) -> bool:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return is_public(parse_policy(text, PolicyKind.RESOURCE))


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "arn:aws:iam::123456789012:root"},
        {"AWS": ["123456789012", "arn:aws:iam::999988887777:role/r"]},
        {"Service": "cloudtrail.amazonaws.com"},
        {"Federated": "cognito-identity.amazonaws.com"},
    ],
)
def test_fixed_principals_are_not_public(principal: dict[str, Any]) -> None:
    """Accounts, users, roles and services, the own ones or others'."""
    assert not _is_public(_statement(Principal=principal))


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["123456789012", "*"]}])
def test_everyone_is_public(principal: Any) -> None:
    """A star in either form, alone or among others; one statement makes the policy public."""
    fixed = _statement(Principal={"AWS": "123456789012"})
    assert _is_public(_statement(Principal=principal))
    assert _is_public(fixed, _statement(Principal=principal))


def test_denials_and_exceptions() -> None:
    """A Deny for everyone is not public; an Allow for all but someone is."""
    assert not _is_public(_statement(Effect="Deny"))
    everyone_else = _statement(NotPrincipal={"AWS": "arn:aws:iam::123456789012:root"})
    del everyone_else["Principal"]
    assert _is_public(everyone_else)


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24"),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "2001:db8::/32"]),
        ("StringEquals", "aws:SourceVpc", "vpc-91237329"),
        ("StringEquals", "aws:sourcevpce", "vpce-1"),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:us-east-1:123456789012:t"),
        ("StringEquals", "aws:SourceAccount", "123456789012"),
        ("StringLike", "aws:SourceOwner", "123456789012"),
        ("StringEquals", "aws:userid", "AIDAEXAMPLE"),
        ("StringEquals", "aws:PrincipalOrgID", "o-1"),
        ("StringEquals", "aws:PrincipalAccount", ["123456789012", "999988887777"]),
        ("ForAnyValue:StringEquals", "aws:PrincipalOrgPaths", "o-1/r-1/"),
        ("StringEquals", "s3:DataAccessPointAccount", "123456789012"),
        ("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:123456789012:accesspoint/*"),
        ("StringEquals", "s3:x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:us-east-1:1:key/k"),
    ],
)
def test_fixed_values_narrow_everyone(operator: str, key: str, value: Any) -> None:
    """A fixed value of one of the keys that AWS lists makes the statement non-public."""
    assert not _is_public(_statement(Condition={operator: {key: value}}))


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/1"),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "128.0.0.0/7"]),
        ("IpAddress", "aws:SourceIp", "::/0"),
        ("IpAddress", "aws:SourceIp", "office"),
        ("StringEquals", "aws:SourceIp", "203.0.113.0/240"),
        ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"),
        ("IpAddress", "aws:SourceIp", []),
        ("StringEquals", "aws:SourceVpc", []),
        ("ArnLike", "s3:DataAccessPointArn", []),
        ("StringLike", "aws:SourceVpc", "vpc-*"),
        ("StringEquals", "aws:SourceVpc", "${aws:PrincipalTag/vpc}"),
        ("StringNotEquals", "aws:SourceVpce", "vpce-1"),
        ("StringEqualsIfExists", "aws:SourceVpce", "vpce-1"),
        ("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", "o-1/r-1/"),
        ("StringLike", "aws:userid", "AROAEXAMPLE:*"),
        ("StringEquals", "aws:Referer", "https://example.com/"),
        ("StringEquals", "aws:UserAgent", "secret"),
        ("Bool", "aws:SecureTransport", "true"),
        ("StringEquals", "s3:ExistingObjectTag/public", "yes"),
        ("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:*:accesspoint/a"),
    ],
)
def test_what_does_not_narrow_everyone(operator: str, key: str, value: Any) -> None:
    """Wildcards, variables, negations, broad ranges, and keys that a client may fill as it likes."""
    assert _is_public(_statement(Condition={operator: {key: value}}))
