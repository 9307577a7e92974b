"""Questions about all requests, in this process, on one core."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from timing import Rows, repeat

from keyhole.iam.access.account import read_details
from keyhole.iam.access.standing import Can, Target
from keyhole.iam.access.who import find_who
from keyhole.iam.model import PolicyKind
from keyhole.iam.parse import parse_policy

ACCOUNT = "123456789012"
ROLES = 5_000
BUCKET = "arn:aws:s3:::shared"
Document = dict[str, Any]


def measure(samples: int) -> Rows:
    """Measure who of 5,000 roles with three policies each can read a bucket, from the text that AWS answers."""
    text = json.dumps(account_details())
    bucket = parse_policy(statement("s3:GetObject", f"{BUCKET}/public/*", Principal="*"), PolicyKind.RESOURCE)
    found = repeat(lambda: ask(text, bucket=None), min(samples, 3), 1)
    with_policy = repeat(lambda: ask(text, bucket=bucket), min(samples, 3), 1)
    reading = repeat(lambda: json.loads(text), min(samples, 3), 1)
    name = f"who of {ROLES:,} roles can get objects of a bucket"
    return [
        (name, found, "json.loads of the account's details", reading, 3.0),
        (f"{name} open to all", with_policy, "json.loads of the account's details", reading, None),
    ]


def ask(text: str, bucket: Any) -> int:
    """Give how many can."""
    account = read_details(json.loads(text))
    target = Target("s3:GetObject", f"{BUCKET}/*", account.number, bucket)
    return sum(standing.verdict is Can.CAN for standing in find_who(account, target))


def account_details(roles: int = ROLES) -> Document:
    """Give an account: each role has an inline policy of its own, one of fifty that are shared, and one that all have.

    One of twenty-five may read the shared bucket; one in ten has a boundary.
    """
    trust = statement("sts:AssumeRole", None, Principal={"Service": "ec2.amazonaws.com"})
    managed = [managed_policy(f"team-{n}", team_policy(n)) for n in range(50)]
    managed.append(managed_policy("all", statement("s3:Get*", "arn:aws:s3:::logs-${aws:PrincipalAccount}/*")))
    managed.append(managed_policy("limits", statement("s3:*", "*")))
    return {
        "UserDetailList": [],
        "GroupDetailList": [],
        "RoleDetailList": [role(n, trust) for n in range(roles)],
        "Policies": managed,
    }


def role(number: int, trust: Document) -> Document:
    """Give one role."""
    name = f"app-{number}"
    own = statement(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{name}/*")
    limits = {"PermissionsBoundary": {"PermissionsBoundaryArn": arn("policy/limits")}} if number % 10 == 0 else {}
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": f"AROA{number:017d}",
        "Arn": arn(f"role/{name}"),
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": own}],
        "AttachedManagedPolicies": [
            {"PolicyName": each, "PolicyArn": arn(f"policy/{each}")} for each in (f"team-{number % 50}", "all")
        ],
        "Tags": [],
        **limits,
    }


def team_policy(number: int) -> Document:
    """Give what a team has: two of fifty may read the shared bucket, from one network."""
    statements = list(_team_statements(number))
    return {"Version": "2012-10-17", "Statement": statements}


def _team_statements(number: int) -> Iterator[Document]:
    yield from statement(["dynamodb:GetItem", "dynamodb:Query"], arn(f"table/team-{number}"))["Statement"]
    yield from statement(["s3:GetObject", "s3:ListBucket"], f"arn:aws:s3:::team-{number}*")["Statement"]
    yield from statement("sqs:*", f"arn:aws:sqs:*:{ACCOUNT}:team-{number}-*")["Statement"]
    if number % 25 == 0:
        where = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
        yield from statement("s3:Get*", f"{BUCKET}/*", Condition=where)["Statement"]


def statement(action: str | list[str], resource: str | None, **more: Any) -> Document:
    """Give a policy of one statement that allows."""
    where = {} if resource is None else {"Resource": resource}
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **where, **more}]}


def managed_policy(name: str, document: Document) -> Document:
    """Give a managed policy as the account's details have it."""
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": document}
    return {"PolicyName": name, "Arn": arn(f"policy/{name}"), "DefaultVersionId": "v1", "PolicyVersionList": [version]}


def arn(what: str) -> str:
    """Give an ARN of the account."""
    service = "iam" if what.startswith(("policy/", "role/")) else "dynamodb"
    return f"arn:aws:{service}::{ACCOUNT}:{what}"
