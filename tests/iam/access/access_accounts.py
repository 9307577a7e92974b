"""Accounts for tests, as GetAccountAuthorizationDetails describes them."""

from __future__ import annotations

from typing import Any

from keyhole.iam.access.account import Account, read_details

ACCOUNT = "123456789012"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BUCKET = "arn:aws:s3:::masks"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def user_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def user(name: str, *statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A user with one inline policy."""
    return {
        "UserName": name,
        "UserId": f"AIDA{name.upper():0>16}",
        "Arn": user_arn(name),
        "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": policy(*statements)}] if statements else [],
        "GroupList": [],
        "AttachedManagedPolicies": [],
        **more,
    }


def role(name: str, trusted: Any, *statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A role with one inline policy, that these may assume."""
    trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    return {
        "RoleName": name,
        "RoleId": f"AROA{name.upper():0>16}",
        "Arn": role_arn(name),
        "AssumeRolePolicyDocument": policy(trust),
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": policy(*statements)}] if statements else [],
        "AttachedManagedPolicies": [],
        **more,
    }


def group(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    """A group with one inline policy."""
    return {
        "GroupName": name,
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/{name}",
        "GroupPolicyList": [{"PolicyName": "own", "PolicyDocument": policy(*statements)}],
        "AttachedManagedPolicies": [],
    }


def managed(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    """A managed policy."""
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": policy(*statements)}
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    return {"PolicyName": name, "Arn": arn, "DefaultVersionId": "v1", "PolicyVersionList": [version]}


def attached(*names: str) -> list[dict[str, str]]:
    return [{"PolicyName": name, "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/{name}"} for name in names]


def boundary(name: str) -> dict[str, str]:
    return {"PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/{name}"}


def details(
    *holders: dict[str, Any], groups: list[dict[str, Any]] | None = None, policies: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The answer of AWS for these users, roles, groups and managed policies."""
    return {
        "UserDetailList": [holder for holder in holders if "UserName" in holder],
        "RoleDetailList": [holder for holder in holders if "RoleName" in holder],
        "GroupDetailList": groups or [],
        "Policies": policies or [],
    }


def account(*holders: dict[str, Any], **more: Any) -> Account:
    return read_details(details(*holders, **more))
