"""Policies as AWS's guides show them, none of which deserves a warning: name, kind, document."""

from typing import Any

from good_resource_policies import RESOURCE, TRUST
from policy_builders import ACCOUNT, BUCKET, ROLE, allow, deny, document

from keyhole.iam import PolicyKind

IDENTITY: dict[str, dict[str, Any]] = {
    "s3 read and write of one bucket": document(
        allow(["s3:ListBucket", "s3:GetBucketLocation"], BUCKET),
        allow(["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], f"{BUCKET}/*"),
    ),
    "s3 both in one statement": document(allow(["s3:ListBucket", "s3:GetObject*"], [BUCKET, f"{BUCKET}/*"])),
    "s3 home directories": document(
        allow(["s3:ListAllMyBuckets", "s3:GetBucketLocation"], "arn:aws:s3:::*"),
        allow(
            "s3:ListBucket",
            BUCKET,
            Condition={"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}},
        ),
        allow("s3:*", [f"{BUCKET}/home/${{aws:username}}", f"{BUCKET}/home/${{aws:username}}/*"]),
    ),
    "s3 console list with delimiter": document(
        allow("s3:ListBucket", BUCKET, Condition={"StringEquals": {"s3:prefix": ["", "home/"], "s3:delimiter": ["/"]}}),
    ),
    "s3 access point": document(
        allow("s3:GetObject", f"arn:aws:s3:us-west-2:{ACCOUNT}:accesspoint/app/object/*"),
        allow("s3:ListBucket", f"arn:aws:s3:us-west-2:{ACCOUNT}:accesspoint/app"),
    ),
    "s3 object tags": document(
        allow("s3:GetObject", f"{BUCKET}/*", Condition={"StringEquals": {"s3:ExistingObjectTag/class": "public"}}),
        allow(
            "s3:PutObject",
            f"{BUCKET}/*",
            Condition={
                "ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["class"]},
                "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"},
            },
        ),
    ),
    "iam users manage their own keys": document(
        allow(["iam:ListUsers", "iam:GetAccountPasswordPolicy", "iam:ListVirtualMFADevices"]),
        allow(
            ["iam:ChangePassword", "iam:GetUser", "iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys"],
            "arn:aws:iam::*:user/${aws:username}",
        ),
        allow(["iam:CreateVirtualMFADevice"], "arn:aws:iam::*:mfa/*"),
        {
            "Effect": "Deny",
            "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "sts:GetSessionToken"],
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
    ),
    "iam boundaries for delegated administration": document(
        allow(
            ["iam:CreateUser", "iam:DeleteUserPolicy", "iam:AttachUserPolicy", "iam:PutUserPermissionsBoundary"],
            Condition={"StringEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/Boundary"}},
        ),
        allow(
            "iam:AttachRolePolicy",
            f"{ROLE}/*",
            Condition={"ArnLike": {"iam:PolicyARN": f"arn:aws:iam::{ACCOUNT}:policy/app/*"}},
        ),
    ),
    "iam pass one role to ecs": document(
        allow(
            "iam:PassRole",
            f"{ROLE}/task",
            Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        allow("iam:CreateServiceLinkedRole", Condition={"StringLike": {"iam:AWSServiceName": "ecs.amazonaws.com"}}),
    ),
    "ec2 start and stop by tag": document(
        allow(
            ["ec2:StartInstances", "ec2:StopInstances"],
            "arn:aws:ec2:*:*:instance/*",
            Condition={"StringEquals": {"aws:ResourceTag/Owner": "${aws:username}", "ec2:ResourceTag/stage": "dev"}},
        ),
        allow("ec2:DescribeInstances"),
    ),
    "ec2 launch of one type in one subnet": document(
        allow(
            "ec2:RunInstances",
            f"arn:aws:ec2:*:{ACCOUNT}:instance/*",
            Condition={"StringEquals": {"ec2:InstanceType": ["t3.micro"]}},
        ),
        allow(
            "ec2:RunInstances",
            [
                "arn:aws:ec2:*::image/ami-*",
                f"arn:aws:ec2:*:{ACCOUNT}:subnet/subnet-0123456789abcdef0",
                f"arn:aws:ec2:*:{ACCOUNT}:network-interface/*",
                f"arn:aws:ec2:*:{ACCOUNT}:volume/*",
                f"arn:aws:ec2:*:{ACCOUNT}:key-pair/*",
                f"arn:aws:ec2:*:{ACCOUNT}:security-group/*",
            ],
        ),
        allow(
            "ec2:CreateTags", "arn:aws:ec2:*:*:*/*", Condition={"StringEquals": {"ec2:CreateAction": "RunInstances"}}
        ),
    ),
    "regions with exceptions": document(
        {
            "Effect": "Deny",
            "NotAction": ["cloudfront:*", "iam:*", "route53:*", "support:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
        }
    ),
    "source address": document(
        deny(
            "*",
            Condition={
                "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]},
                "Bool": {"aws:ViaAWSService": "false"},
            },
        )
    ),
    "dates": document(
        allow(
            "s3:GetObject",
            f"{BUCKET}/*",
            Condition={
                "DateGreaterThan": {"aws:CurrentTime": "2020-04-01T00:00:00Z"},
                "DateLessThan": {"aws:CurrentTime": "2020-06-30T23:59:59Z"},
            },
        )
    ),
    "dynamodb fine-grained access": document(
        allow(
            ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"],
            [
                f"arn:aws:dynamodb:us-west-2:{ACCOUNT}:table/Games",
                f"arn:aws:dynamodb:us-west-2:{ACCOUNT}:table/Games/index/*",
            ],
            Condition={
                "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${www.amazon.com:user_id}"]},
                "Null": {"dynamodb:LeadingKeys": "false"},
            },
        )
    ),
    "kms by service and encryption context": document(
        allow(
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            Condition={
                "StringEquals": {
                    "kms:ViaService": "s3.us-west-2.amazonaws.com",
                    "kms:EncryptionContext:aws:s3:arn": BUCKET,
                }
            },
        ),
        allow(
            ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
            "arn:aws:kms:*:*:key/*",
            Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/app"}},
        ),
        allow("kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    ),
    "lambda logs": document(
        allow("logs:CreateLogGroup", f"arn:aws:logs:us-east-1:{ACCOUNT}:*"),
        allow(
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/lambda/fn:*"],
        ),
    ),
    "ecs tasks of one cluster": document(
        allow("ecs:RunTask", f"arn:aws:ecs:*:{ACCOUNT}:task-definition/web:*"),
        allow(
            ["ecs:ListTasks", "ecs:StopTask"],
            Condition={"ArnEquals": {"ecs:cluster": f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/default"}},
        ),
        allow("ecs:UpdateService", f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/default/web"),
    ),
    "cloudwatch metrics of one namespace": document(
        allow("cloudwatch:PutMetricData", Condition={"StringEquals": {"cloudwatch:namespace": "App"}}),
        allow("cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:app-*"),
    ),
    "secrets of one app": document(
        allow(
            ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:app/db-??????",
        ),
        allow("secretsmanager:ListSecrets"),
    ),
    "queues, topics and trails": document(
        allow(["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"], f"arn:aws:sqs:*:{ACCOUNT}:app-*"),
        allow("sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:app"),
        allow(["cloudtrail:GetTrailStatus"], f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/main"),
        allow(["cloudtrail:LookupEvents", "cloudtrail:DescribeTrails"]),
    ),
    "assume roles": document(allow("sts:AssumeRole", ["arn:aws:iam::444455556666:role/Deploy", f"{ROLE}/app/*"])),
    "tags on creation": document(
        allow(
            "secretsmanager:CreateSecret",
            Condition={
                "StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"},
                "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
            },
        )
    ),
    "administrator": document(allow("*")),
}

OTHERS: tuple[tuple[str, PolicyKind, dict[str, Any]], ...] = (
    ("scp: full access", PolicyKind.SCP, document(allow("*"))),
    (
        "scp: root does nothing",
        PolicyKind.SCP,
        document(deny("*", Condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}})),
    ),
    (
        "rcp: of the organization",
        PolicyKind.RCP,
        document(
            deny(
                "s3:*",
                Principal="*",
                Condition={
                    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1a2b3c"},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            )
        ),
    ),
    ("endpoint: full access", PolicyKind.ENDPOINT, document(allow("*", Principal="*"))),
    ("session: one prefix", PolicyKind.SESSION, document(allow("s3:GetObject", f"{BUCKET}/in/*"))),
    ("boundary: some services", PolicyKind.BOUNDARY, document(allow(["s3:*", "cloudwatch:*", "ec2:*", "iam:*"]))),
)

GOOD_POLICIES: list[tuple[str, PolicyKind, dict[str, Any]]] = [
    *((name, PolicyKind.IDENTITY, policy) for name, policy in IDENTITY.items()),
    *((name, PolicyKind.TRUST, policy) for name, policy in TRUST.items()),
    *((name, PolicyKind.RESOURCE, policy) for name, policy in RESOURCE.items()),
    *OTHERS,
]
