"""Trust policies and resource policies as AWS's guides show them, none of which deserves a warning."""

from typing import Any

from policy_builders import ACCOUNT, BUCKET, allow, deny, document, trust

_OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
_COGNITO = "cognito-identity.amazonaws.com"
TRUST: dict[str, dict[str, Any]] = {
    "ec2 service role": document(trust("sts:AssumeRole", {"Service": "ec2.amazonaws.com"})),
    "third party with an external id": document(
        trust(
            "sts:AssumeRole",
            {"AWS": "arn:aws:iam::444455556666:root"},
            Condition={"StringEquals": {"sts:ExternalId": "12345"}},
        )
    ),
    "ecs tasks of this account": document(
        trust(
            "sts:AssumeRole",
            {"Service": "ecs-tasks.amazonaws.com"},
            Condition={
                "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-west-2:{ACCOUNT}:*"},
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
            },
        )
    ),
    "github actions": document(
        trust(
            "sts:AssumeRoleWithWebIdentity",
            {"Federated": _OIDC},
            Condition={
                "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                "StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/infra:*"},
            },
        )
    ),
    "cognito": document(
        trust(
            "sts:AssumeRoleWithWebIdentity",
            {"Federated": _COGNITO},
            Condition={
                "StringEquals": {f"{_COGNITO}:aud": "us-east-1:12345678-abcd-abcd-abcd-123456"},
                "ForAnyValue:StringLike": {f"{_COGNITO}:amr": "unauthenticated"},
            },
        )
    ),
    "session tags": document(
        trust(
            ["sts:AssumeRole", "sts:TagSession"],
            {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ci"},
            Condition={
                "StringLike": {"aws:RequestTag/project": "*"},
                "ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["project"]},
                "Null": {"sts:TransitiveTagKeys": "false"},
            },
        )
    ),
}

RESOURCE: dict[str, dict[str, Any]] = {
    "bucket: transport must be secure": document(
        deny("s3:*", [BUCKET, f"{BUCKET}/*"], Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    ),
    "bucket: members of the organization": document(
        allow(
            "s3:GetObject", f"{BUCKET}/*", Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1a2b3c"}}
        ),
        allow(
            "s3:GetObject",
            f"{BUCKET}/*",
            Principal="*",
            Condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-1a2b3c/r-ab12/ou-ab12-11111111/*"]}},
        ),
    ),
    "bucket: encrypted uploads only": document(
        deny(
            "s3:PutObject",
            f"{BUCKET}/*",
            Principal="*",
            Condition={"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
        ),
        deny(
            "s3:PutObject",
            f"{BUCKET}/*",
            Principal="*",
            Condition={"Null": {"s3:x-amz-server-side-encryption": "true"}},
        ),
    ),
    "bucket: trail delivery": document(
        allow("s3:GetBucketAcl", BUCKET, Principal={"Service": "cloudtrail.amazonaws.com"}),
        allow(
            "s3:PutObject",
            f"{BUCKET}/AWSLogs/{ACCOUNT}/*",
            Principal={"Service": "cloudtrail.amazonaws.com"},
            Condition={
                "StringEquals": {
                    "s3:x-amz-acl": "bucket-owner-full-control",
                    "aws:SourceArn": f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main",
                }
            },
        ),
    ),
    "bucket: one endpoint": document(
        deny(
            "s3:*",
            [BUCKET, f"{BUCKET}/*"],
            Principal="*",
            Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b"}},
        )
    ),
    "bucket: access points of this account": document(
        allow(
            "*",
            [BUCKET, f"{BUCKET}/*"],
            Principal="*",
            Condition={"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}},
        )
    ),
    "key: the account's administrators": document(
        allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        allow(
            [
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncrypt*",
                "kms:GenerateDataKey*",
                "kms:CreateGrant",
                "kms:DescribeKey",
            ],
            Principal={"AWS": "*"},
            Condition={"StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": "ebs.us-west-2.amazonaws.com"}},
        ),
    ),
    "queue: messages of one topic": document(
        allow(
            "sqs:SendMessage",
            f"arn:aws:sqs:us-east-1:{ACCOUNT}:app",
            Principal={"Service": "sns.amazonaws.com"},
            Condition={"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:app"}},
        )
    ),
    "topic: subscriptions over https": document(
        allow(
            "sns:Subscribe",
            f"arn:aws:sns:us-east-1:{ACCOUNT}:app",
            Principal={"AWS": "444455556666"},
            Condition={"StringEquals": {"sns:Protocol": "https"}},
        )
    ),
}
