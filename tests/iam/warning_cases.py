"""One policy that earns a warning and a near miss that does not, per row: code, path, and the elements of each."""

from typing import Any

from keyhole.iam import PolicyKind
from keyhole.iam.lint import WarningCode

PHOTOS = "arn:aws:s3:::photos"
ANY_PHOTO = "arn:aws:s3:::photos/*"
C = WarningCode
TAG_KEYS = {"aws:TagKeys": ["team"]}
CASES: list[tuple[WarningCode, str, dict[str, Any], dict[str, Any]]] = [
    (
        C.ACTION_UNKNOWN,
        "Statement[0].Action[1]",
        {"Action": ["s3:PutObject", "s3:GetObjet"]},
        {"Action": ["s3:PutObject", "S3:getobject"]},
    ),
    (C.ACTION_UNKNOWN, "Statement[0].Action[0]", {"Action": "s3:HeadObject"}, {"Action": "s3:GetObject"}),
    (C.WILDCARD_UNMATCHED, "Statement[0].Action[0]", {"Action": "s3:Fetch*"}, {"Action": "s3:Get*"}),
    (
        C.ACTION_UNKNOWN,
        "Statement[0].NotAction[0]",
        {"Effect": "Deny", "Action": None, "NotAction": "iam:ListUser"},
        {"Effect": "Deny", "Action": None, "NotAction": "iam:ListUsers"},
    ),
    (C.SERVICE_UNKNOWN, "Statement[0].Action[0]", {"Action": "s33:GetObject"}, {"Action": "s3:GetObject"}),
    (
        C.RESOURCE_NOT_TAKEN,
        "Statement[0].Action[0]",
        {"Action": "s3:ListBucket", "Resource": ANY_PHOTO},
        {"Action": "s3:ListBucket", "Resource": PHOTOS},
    ),
    (C.RESOURCE_NOT_TAKEN, "Statement[0].Action[0]", {"Resource": PHOTOS}, {"Resource": f"{PHOTOS}*"}),
    (
        C.RESOURCE_NOT_TAKEN,
        "Statement[0].Action[1]",
        {"Action": ["s3:GetObject", "s3:ListBucket"]},
        {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [PHOTOS, ANY_PHOTO]},
    ),
    (
        C.RESOURCE_NOT_TAKEN,
        "Statement[0].Action[0]",
        {"Action": "kms:Decrypt", "Resource": "arn:aws:kms:us-east-1:111122223333:alias/app"},
        {"Action": "kms:Decrypt", "Resource": "arn:aws:kms:us-east-1:111122223333:key/*"},
    ),
    (
        C.RESOURCE_NOT_TAKEN,
        "Statement[0].Action[0]",
        {"Action": "logs:PutLogEvents", "Resource": "arn:aws:logs:*:*:log-group:/app"},
        {"Action": "logs:PutLogEvents", "Resource": "arn:aws:logs:*:*:log-group:/app:*"},
    ),
    (C.RESOURCE_UNUSED, "Statement[0].Resource[0]", {"Resource": [PHOTOS, ANY_PHOTO]}, {"Resource": [ANY_PHOTO]}),
    (
        C.RESOURCE_UNUSED,
        "Statement[0].Resource[0]",
        {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": [PHOTOS, ANY_PHOTO]},
        {"Action": ["s3:GetObject", "*"], "Resource": [PHOTOS, ANY_PHOTO]},
    ),
    (
        C.ACTION_WITHOUT_RESOURCE,
        "Statement[0].Action[0]",
        {"Action": "s3:ListAllMyBuckets", "Resource": PHOTOS},
        {"Action": "s3:ListAllMyBuckets", "Resource": "arn:aws:s3:::*"},
    ),
    (
        C.ACTION_WITHOUT_RESOURCE,
        "Statement[0].Action[0]",
        {"Action": "ec2:DescribeInstances", "Resource": "arn:aws:ec2:*:*:instance/*"},
        {"Action": "iam:ListRoles", "Resource": "arn:aws:iam::111122223333:role/*"},
    ),
    (
        C.KEY_UNKNOWN,
        "Statement[0].Condition.StringEquals.s3:autType",
        {"Condition": {"StringEquals": {"s3:autType": "x"}}},
        {"Condition": {"StringEquals": {"s3:authtype": "REST-HEADER"}}},
    ),
    (
        C.KEY_UNKNOWN,
        "Statement[0].Condition.StringEquals.aws:PrincipleArn",
        {"Condition": {"StringEquals": {"aws:PrincipleArn": "x"}}},
        {"Condition": {"StringEquals": {"vault.example.com:department": "x"}}},
    ),
    (
        C.KEY_NOT_OF_ACTION,
        "Statement[0].Condition.StringLike.s3:prefix",
        {"Condition": {"StringLike": {"s3:prefix": "a/*"}}},
        {"Action": "s3:ListBucket", "Resource": PHOTOS, "Condition": {"StringLike": {"s3:prefix": "a/*"}}},
    ),
    (
        C.KEY_NOT_OF_ACTION,
        "Statement[0].Condition.StringLike.s3:prefix",
        {
            "Action": ["s3:ListBucket", "s3:GetObject"],
            "Resource": [PHOTOS, ANY_PHOTO],
            "Condition": {"StringLike": {"s3:prefix": "a/*"}},
        },
        {
            "Action": ["s3:ListBucket", "s3:GetObject"],
            "Resource": [PHOTOS, ANY_PHOTO],
            "Condition": {"StringLikeIfExists": {"s3:prefix": "a/*"}},
        },
    ),
    (
        C.KEY_NOT_OF_ACTION,
        "Statement[0].Condition.StringNotEquals.s3:prefix",
        {"Effect": "Deny", "Condition": {"StringNotEquals": {"s3:prefix": "a/"}}},
        {"Effect": "Deny", "Action": "s3:*", "Condition": {"StringNotEquals": {"s3:prefix": "a/"}}},
    ),
    (
        C.KEY_NOT_OF_ACTION,
        "Statement[0].Condition.StringEquals.kms:ViaService",
        {"Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}},
        {"Condition": {"ArnLike": {"lambda:SourceFunctionArn": "arn:aws:lambda:*:*:function:f"}}},
    ),
    (
        C.KEY_NOT_OF_ACTION,
        "Statement[0].Condition.StringEquals.s3:ResourceAccount",
        {
            "Action": "sqs:SendMessage",
            "Resource": "*",
            "Condition": {"StringEquals": {"s3:ResourceAccount": "111122223333"}},
        },
        {
            "Action": "s3-object-lambda:GetObject",
            "Resource": "*",
            "Condition": {"StringEquals": {"s3:ResourceAccount": "111122223333"}},
        },
    ),
    (
        C.OPERATOR_OF_OTHER_TYPE,
        "Statement[0].Condition.NumericEquals.aws:PrincipalArn",
        {"Condition": {"NumericEquals": {"aws:PrincipalArn": "1"}}},
        {"Condition": {"NumericEquals": {"aws:PrincipalAccount": "111122223333"}}},
    ),
    (
        C.OPERATOR_OF_OTHER_TYPE,
        "Statement[0].Condition.DateLessThan.aws:SecureTransport",
        {"Condition": {"DateLessThan": {"aws:SecureTransport": "2030-01-01T00:00:00Z"}}},
        {"Condition": {"NumericLessThan": {"aws:EpochTime": "1893456000"}}},
    ),
    (
        C.OPERATOR_OF_OTHER_TYPE,
        "Statement[0].Condition.NotIpAddress.aws:SourceArn",
        {"Condition": {"NotIpAddress": {"aws:SourceArn": "203.0.113.0/24"}}},
        {"Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
    ),
    (
        C.VALUE_IMPOSSIBLE,
        "Statement[0].Condition.NumericLessThan.s3:signatureAge[1]",
        {"Condition": {"NumericLessThan": {"s3:signatureAge": ["600000", "ten minutes"]}}},
        {"Condition": {"NumericLessThan": {"s3:signatureAge": [600000, "-1.5e3"]}}},
    ),
    (
        C.VALUE_IMPOSSIBLE,
        "Statement[0].Condition.Bool.aws:SecureTransport[0]",
        {"Condition": {"Bool": {"aws:SecureTransport": "yes"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "TRUE"}}},
    ),
    (
        C.VALUE_IMPOSSIBLE,
        "Statement[0].Condition.DateGreaterThan.aws:CurrentTime[0]",
        {"Condition": {"DateGreaterThan": {"aws:CurrentTime": "tomorrow"}}},
        {"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}},
    ),
    (
        C.VALUE_IMPOSSIBLE,
        "Statement[0].Condition.IpAddress.aws:SourceIp[0]",
        {"Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/40"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.7/24", "2001:DB8::/32"]}}},
    ),
    (
        C.VALUE_IMPOSSIBLE,
        "Statement[0].Condition.StringEquals.aws:SourceIp[0]",
        {"Condition": {"StringEquals": {"aws:SourceIp": "203.0.113.0/24"}}},
        {"Condition": {"StringEquals": {"aws:SourceIp": "203.0.113.7"}}},
    ),
    (
        C.VALUE_IMPOSSIBLE,
        "Statement[0].Condition.StringEquals.aws:PrincipalArn[0]",
        {"Condition": {"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/web"}}},
        {"Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/web"}}},
    ),
    (
        C.VALUE_IMPOSSIBLE,
        "Statement[0].Condition.ArnLike.aws:SourceArn[0]",
        {"Condition": {"ArnLike": {"aws:SourceArn": "111122223333"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::photos"}}},
    ),
    (
        C.SET_OPERATOR_MISSING,
        "Statement[0].Condition.StringEquals.aws:CalledVia",
        {"Condition": {"StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}},
        {"Condition": {"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}},
    ),
    (
        C.SET_OPERATOR_MISSING,
        "Statement[0].Condition.StringEquals.aws:CalledVia",
        {"Condition": {"StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}},
        {"Condition": {"Null": {"aws:CalledVia": "true"}}},
    ),
    (
        C.SET_OPERATOR_NEEDLESS,
        "Statement[0].Condition.ForAnyValue:StringEquals.aws:SourceVpce",
        {"Condition": {"ForAnyValue:StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}}},
    ),
    (
        C.ALLOW_WHEN_ABSENT,
        "Statement[0].Condition.ForAllValues:StringEquals.aws:TagKeys",
        {"Condition": {"ForAllValues:StringEquals": TAG_KEYS}},
        {"Condition": {"ForAllValues:StringEquals": TAG_KEYS, "Null": {"AWS:tagkeys": "false"}}},
    ),
    (
        C.ALLOW_WHEN_ABSENT,
        "Statement[0].Condition.ForAllValues:StringEquals.aws:TagKeys",
        {"Condition": {"ForAllValues:StringEquals": TAG_KEYS, "Null": {"aws:TagKeys": "true"}}},
        {"Condition": {"ForAllValues:StringEquals": TAG_KEYS, "StringEquals": {"aws:RequestTag/team": "a"}}},
    ),
    (
        C.ALLOW_WHEN_ABSENT,
        "Statement[0].Condition.ForAllValues:StringEquals.aws:TagKeys",
        {"Condition": {"ForAllValues:StringEquals": TAG_KEYS, "StringNotEquals": {"aws:RequestTag/team": "a"}}},
        {"Effect": "Deny", "Condition": {"ForAllValues:StringEquals": TAG_KEYS}},
    ),
    (
        C.VARIABLE_IN_OLD_VERSION,
        "Statement[0].Resource[0]",
        {"version": "2008-10-17", "Resource": f"{PHOTOS}/${{aws:username}}/*"},
        {"Resource": f"{PHOTOS}/${{aws:username}}/*"},
    ),
    (
        C.VARIABLE_IN_OLD_VERSION,
        "Statement[0].Condition.StringEquals.s3:ExistingObjectTag/owner[0]",
        {"version": "2008-10-17", "Condition": {"StringEquals": {"s3:ExistingObjectTag/owner": "${aws:userid}"}}},
        {"version": "2008-10-17", "Condition": {"StringEquals": {"s3:ExistingObjectTag/owner": "$aws:userid"}}},
    ),
    (
        C.VARIABLE_UNKNOWN,
        "Statement[0].Resource[0]",
        {"Resource": f"{PHOTOS}/${{aws:usrname}}/*"},
        {"Resource": f"{PHOTOS}/${{aws:PrincipalTag/team, 'none'}}/*"},
    ),
    (
        C.VARIABLE_UNKNOWN,
        "Statement[0].Resource[0]",
        {"Resource": f"{PHOTOS}/${{AccountId}}/*"},
        {"Resource": f"{PHOTOS}/${{*}}${{$}}/*"},
    ),
    (
        C.VARIABLE_UNKNOWN,
        "Statement[0].Resource[0]",
        {"Resource": f"{PHOTOS}/${{aws:PrincipalOrgPaths}}/*"},
        {"Resource": f"{PHOTOS}/${{graph.facebook.com:id}}/*"},
    ),
    (
        C.ALLOW_EXCEPT_ACTIONS,
        "Statement[0].NotAction",
        {"Action": None, "NotAction": "iam:*"},
        {"Effect": "Deny", "Action": None, "NotAction": "iam:*"},
    ),
    (
        C.ALLOW_EXCEPT_RESOURCES,
        "Statement[0].NotResource",
        {"Resource": None, "NotResource": ANY_PHOTO},
        {"Effect": "Deny", "Resource": None, "NotResource": ANY_PHOTO},
    ),
    (
        C.ALLOW_EXCEPT_PRINCIPALS,
        "Statement[0].NotPrincipal",
        {"kind": PolicyKind.RESOURCE, "NotPrincipal": {"AWS": "111122223333"}},
        {"kind": PolicyKind.RESOURCE, "Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}},
    ),
    (
        C.PRINCIPAL_ANYONE,
        "Statement[0].Principal",
        {"kind": PolicyKind.RESOURCE, "Principal": "*"},
        {"kind": PolicyKind.ENDPOINT, "Principal": "*"},
    ),
    (
        C.PRINCIPAL_ANYONE,
        "Statement[0].Principal",
        {"kind": PolicyKind.TRUST, "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Resource": None},
        {
            "kind": PolicyKind.TRUST,
            "Principal": {"AWS": "*"},
            "Action": "sts:AssumeRole",
            "Resource": None,
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        },
    ),
    (
        C.VALUE_IMPOSSIBLE,
        "Statement[0].Condition.StringEquals.token.actions.githubusercontent.com:sub[0]",
        {
            "kind": PolicyKind.TRUST,
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Resource": None,
            "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/infra:*"}},
        },
        {
            "kind": PolicyKind.TRUST,
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Resource": None,
            "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/infra:*"}},
        },
    ),
    (
        C.PASS_ANY_ROLE,
        "Statement[0].Action[1]",
        {"Action": ["ecs:RunTask", "iam:PassRole"], "Resource": "*"},
        {"Action": ["ecs:RunTask", "iam:PassRole"], "Resource": ["arn:aws:iam::*:role/app", "arn:aws:ecs:*:*:*"]},
    ),
    (
        C.PASS_ANY_ROLE,
        "Statement[0].Action[0]",
        {"Action": "iam:*", "Resource": "*"},
        {
            "Action": "iam:Pass*",
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
    ),
]
