"""The three workloads of the policy engine: one statement; ten policies and their limits; a thousand requests."""

from __future__ import annotations

import json

from keyhole.iam import Context, PolicyKind, PolicySet, Principal, PrincipalKind, Request, parse_policy

ACCOUNT = "123456789012"
CALLER = Principal(
    PrincipalKind.ROLE_SESSION,
    f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-0123456789abcdef0",
    ACCOUNT,
    f"arn:aws:iam::{ACCOUNT}:role/app",
)
SERVICES = ("s3", "ec2", "dynamodb", "sqs", "sns", "logs", "cloudwatch", "secretsmanager", "kms", "ecs")


def one_statement() -> tuple[PolicySet, Request]:
    """W1: one policy of one statement, and a request that it allows."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::masks/mask/*"}
    policies = PolicySet(identity=(_parse([statement], PolicyKind.IDENTITY, "one"),))
    return policies, Request(CALLER, "s3:GetObject", "arn:aws:s3:::masks/mask/1.png", Context(), ACCOUNT)


def documents() -> tuple[list[str], str, str]:
    """The texts of W2: ten managed policies of five statements, a boundary, a bucket policy."""
    managed = [_document(_managed(number, service)) for number, service in enumerate(SERVICES)]
    boundary = _document(
        [
            {"Effect": "Allow", "Action": [f"{service}:*" for service in SERVICES], "Resource": "*"},
            {"Effect": "Deny", "Action": ["iam:*", "organizations:*"], "Resource": "*"},
        ]
    )
    bucket = _document(
        [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::app-0", "arn:aws:s3:::app-0/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"},
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::app-0/shared/*",
            },
        ]
    )
    return managed, boundary, bucket


def ten_policies() -> tuple[PolicySet, Request]:
    """W2: ten managed policies with wildcards and conditions, a boundary and a bucket policy, and one request."""
    managed, boundary, bucket = documents()
    policies = PolicySet(
        identity=tuple(parse_policy(text, PolicyKind.IDENTITY, name=f"managed-{n}") for n, text in enumerate(managed)),
        boundary=parse_policy(boundary, PolicyKind.BOUNDARY, name="boundary"),
        resource=parse_policy(bucket, PolicyKind.RESOURCE, name="bucket"),
    )
    return policies, _request(3)


def thousand_requests() -> tuple[PolicySet, list[Request]]:
    """W3: a thousand different requests against the policies of W2, a good part of them denied."""
    policies, _ = ten_policies()
    return policies, [_request(number) for number in range(1000)]


def _request(number: int) -> Request:
    actions = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:GetObjectTagging")
    action = actions[number % 5]
    bucket = f"arn:aws:s3:::app-{number % 3}"
    folder = ("data", "shared", "tmp", "private")[number % 4]
    resource = bucket if action == "s3:ListBucket" else f"{bucket}/{folder}/{number}.png"
    context = Context(
        {
            "aws:SecureTransport": "false" if number % 11 == 0 else "true",
            "aws:SourceIp": f"10.0.{number % 256}.{number % 199}",
            "aws:PrincipalArn": CALLER.role_arn,
            "aws:PrincipalTag/team": ("web", "ops")[number % 2],
            "s3:prefix": f"{folder}/",
            "aws:RequestedRegion": "eu-west-1",
        }
    )
    return Request(CALLER, action, resource, context, ACCOUNT)


def _managed(number: int, service: str) -> list[dict[str, object]]:
    """Five statements with wildcards and conditions; the first policy of the ten is the one about S3."""
    if service == "s3":
        return [
            {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": ["arn:aws:s3:::app-*"]},
            {
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::app-?/data/*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/team": ["web", "ops"]}},
            },
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": "arn:aws:s3:::app-*",
                "Condition": {"StringLike": {"s3:prefix": ["data/*", "shared/*"]}},
            },
            {
                "Effect": "Deny",
                "Action": "s3:Delete*",
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "ops"}},
            },
            {
                "Effect": "Allow",
                "Action": "s3:DeleteObject",
                "Resource": "arn:aws:s3:::app-*/tmp/*",
                "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.168.0.0/16"]}},
            },
        ]
    return [
        {"Effect": "Allow", "Action": [f"{service}:Describe*", f"{service}:List*"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": f"{service}:Get*",
            "Resource": f"arn:aws:{service}:*:{ACCOUNT}:app-*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
        },
        {"Effect": "Allow", "Action": f"{service}:Put*", "Resource": f"arn:aws:{service}:*:*:app-{number}/*"},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::{service}-*/*",
            "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}},
        },
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": f"arn:aws:{service}:*:*:secret-*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]


def _document(statements: list[dict[str, object]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _parse(statements: list[dict[str, object]], kind: PolicyKind, name: str):  # type: ignore[no-untyped-def]
    return parse_policy(_document(statements), kind, name=name)
