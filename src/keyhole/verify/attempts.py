"""One harmless attempt per action: a call that shows whether AWS allows it, and that does no damage where it does.

AWS authorizes a call before it looks at its content, so an invalid document or a bucket that is not empty tells
"allowed" from "denied" without changing anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws
from keyhole.blueprint import LOCK_KEY, Claim
from keyhole.errors import AwsError

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled"}
HARMLESS = {
    *("AccessControlListNotSupported", "BucketNotEmpty", "MalformedPolicy", "MalformedPolicyDocument"),
    *("ConditionalCheckFailedException", "NoSuchEntity"),
}
BODY = b"keyhole was here, and cleans up after itself\n"


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an action is tried. `needs_object`: the key must be there before; `call` gets the claim and the key."""

    call: Callable[[Aws, Claim, str], dict[str, Any]]
    needs_object: bool = False


def _put_object(aws: Aws, claim: Claim, key: str) -> dict[str, Any]:
    return aws.call("s3", "PutObject", Bucket=claim.target.bucket, Key=key, Body=BODY, ContentType="text/plain")


def _get_object(aws: Aws, claim: Claim, key: str) -> dict[str, Any]:
    answer = aws.call("s3", "GetObject", Bucket=claim.target.bucket, Key=key)
    answer["Body"].read()
    return answer


def _delete_object(aws: Aws, claim: Claim, key: str) -> dict[str, Any]:
    return aws.call("s3", "DeleteObject", Bucket=claim.target.bucket, Key=key)


def _put_object_acl(aws: Aws, claim: Claim, key: str) -> dict[str, Any]:
    return aws.call("s3", "PutObjectAcl", Bucket=claim.target.bucket, Key=key, ACL="private")


def _list_bucket(aws: Aws, claim: Claim, _key: str) -> dict[str, Any]:
    return aws.call("s3", "ListObjectsV2", Bucket=claim.target.bucket, Prefix=claim.target.prefix, MaxKeys=1)


def _list_buckets(aws: Aws, _claim: Claim, _key: str) -> dict[str, Any]:
    return aws.call("s3", "ListBuckets")


def _delete_bucket(aws: Aws, claim: Claim, _key: str) -> dict[str, Any]:
    return aws.call("s3", "DeleteBucket", Bucket=claim.target.bucket)


def _put_bucket_policy(aws: Aws, claim: Claim, _key: str) -> dict[str, Any]:
    return aws.call("s3", "PutBucketPolicy", Bucket=claim.target.bucket, Policy="{}")


def _put_role_policy(aws: Aws, claim: Claim, _key: str) -> dict[str, Any]:
    role = claim.resource.rpartition("/")[2]
    return aws.call("iam", "PutRolePolicy", RoleName=role, PolicyName="keyhole-probe", PolicyDocument="{}")


def _put_user_policy(aws: Aws, claim: Claim, _key: str) -> dict[str, Any]:
    user = claim.resource.rpartition("/")[2]
    return aws.call("iam", "PutUserPolicy", UserName=user, PolicyName="keyhole-probe", PolicyDocument="{}")


def _put_lock(aws: Aws, claim: Claim, _key: str) -> dict[str, Any]:
    """Write on the condition that it is there already, which it is not."""
    table, item = claim.resource.rpartition("/")[2], {LOCK_KEY: {"S": "keyhole-probe"}}
    exists = f"attribute_exists({LOCK_KEY})"
    return aws.call("dynamodb", "PutItem", TableName=table, Item=item, ConditionExpression=exists)


def _delete_lock(aws: Aws, claim: Claim, _key: str) -> dict[str, Any]:
    table, key = claim.resource.rpartition("/")[2], {LOCK_KEY: {"S": "keyhole-probe"}}
    return aws.call("dynamodb", "DeleteItem", TableName=table, Key=key)


def _get_caller_identity(aws: Aws, _claim: Claim, _key: str) -> dict[str, Any]:
    return aws.call("sts", "GetCallerIdentity")


ATTEMPTS: dict[str, Attempt] = {
    "s3:PutObject": Attempt(_put_object),
    "s3:GetObject": Attempt(_get_object, needs_object=True),
    "s3:DeleteObject": Attempt(_delete_object, needs_object=True),
    "s3:PutObjectAcl": Attempt(_put_object_acl, needs_object=True),
    "s3:ListBucket": Attempt(_list_bucket),
    "s3:ListAllMyBuckets": Attempt(_list_buckets),
    "s3:DeleteBucket": Attempt(_delete_bucket, needs_object=True),
    "s3:PutBucketPolicy": Attempt(_put_bucket_policy),
    "iam:PutRolePolicy": Attempt(_put_role_policy),
    "iam:PutUserPolicy": Attempt(_put_user_policy),
    "dynamodb:PutItem": Attempt(_put_lock),
    "dynamodb:DeleteItem": Attempt(_delete_lock),
    "sts:GetCallerIdentity": Attempt(_get_caller_identity),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What AWS said to an attempt: allowed or not, and its reason, if it gave one."""

    allowed: bool
    reason: str


def make_attempt(aws: Aws, claim: Claim, key: str) -> Answer:
    """Try the claim's action once.

    Raises: AwsError if AWS's answer says neither "allowed" nor "denied": bad credentials, no network.
    """
    try:
        answer = ATTEMPTS[claim.action].call(aws, claim, key)
    except AwsError as error:
        if error.code in DENIED:
            return Answer(False, error.message)
        if error.code in HARMLESS:
            return Answer(True, f"AWS got as far as {error.code}")
        raise
    return Answer(True, str(answer.get("Arn", "")))
