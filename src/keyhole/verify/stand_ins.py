"""What stands in for a workload where it does not run itself: made for the occasion in a local AWS, and taken away.

Not for AWS itself: an interrupted run would leave things behind there.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from keyhole.aws.client import Credentials
from keyhole.aws.port import Aws
from keyhole.blueprint import Blueprint
from keyhole.blueprint.workloads import workload_names
from keyhole.errors import AwsError, KeyholeError

# Under a path of their own: they are no app's.
_PATH = "/keyhole-run/"


@contextmanager
def run_instance(aws: Aws, blueprint: Blueprint, key: str) -> Iterator[str]:
    """Run an instance for an ec2 workload that names none, with its profile, and give its id. Raises: AwsError.

    It is as `keyhole up` makes those that are named: IMDSv2 only, and with room for a container.
    """
    scope = blueprint.scope
    profile = workload_names(blueprint.app, key, scope.account).profile
    path = scope.path_of("instance-profile", profile)
    profile_arn = f"arn:{scope.partition}:iam::{scope.account}:instance-profile{path}{profile}"
    # One of Amazon Linux: without a filter there are more than a thousand.
    linux = [{"Name": "name", "Values": ["al2023-ami-2023.*-kernel-6.1-x86_64"]}]
    images = aws.call("ec2", "DescribeImages", Owners=["amazon"], Filters=linux)["Images"]
    answer = aws.call(
        "ec2",
        "RunInstances",
        ImageId=images[0]["ImageId"],
        MinCount=1,
        MaxCount=1,
        IamInstanceProfile={"Arn": profile_arn},
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": f"keyhole-run-{key}"}]}],
    )
    instance_id = str(answer["Instances"][0]["InstanceId"])
    try:
        yield instance_id
    finally:
        with suppress(AwsError):
            aws.call("ec2", "TerminateInstances", InstanceIds=[instance_id])


@contextmanager
def make_access_key(aws: Aws, user_name: str) -> Iterator[Credentials]:
    """Make an access key of a user, and delete it in the end. Raises: AwsError where the user has two already."""
    key = aws.call("iam", "CreateAccessKey", UserName=user_name)["AccessKey"]
    try:
        yield Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    finally:
        with suppress(AwsError):
            aws.call("iam", "DeleteAccessKey", UserName=user_name, AccessKeyId=key["AccessKeyId"])


@contextmanager
def make_trusted_caller(aws: Aws, account: str, role_arn: str, trusted: list[str]) -> Iterator[Credentials]:
    """Give the credentials of someone who may assume the role: root may not, on AWS as here.

    Where the role trusts the whole account that is a user made for the occasion, who may do just that; else the first
    user of this account that it names.

    Raises: KeyholeError where the role trusts nobody whose key could be made, AwsError.
    """
    everyone = {account, f"arn:aws:iam::{account}:root"}
    if not trusted or everyone & set(trusted):
        with _make_user(aws, role_arn) as user_name, make_access_key(aws, user_name) as credentials:
            yield credentials
        return
    users = [arn for arn in trusted if arn.startswith(f"arn:aws:iam::{account}:user/")]
    if not users:
        raise KeyholeError(
            f"role `{role_arn.rpartition('/')[2]}` trusts {', '.join(trusted)}: there is no key to be made of any",
            hint="only as a user of the same account can it be assumed from here",
        )
    with make_access_key(aws, users[0].rpartition("/")[2]) as credentials:
        yield credentials


@contextmanager
def _make_user(aws: Aws, role_arn: str) -> Iterator[str]:
    name = f"keyhole-run-{secrets.token_hex(6)}"
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role_arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.call("iam", "CreateUser", UserName=name, Path=_PATH)
    try:
        aws.call("iam", "PutUserPolicy", UserName=name, PolicyName="assume", PolicyDocument=policy)
        yield name
    finally:
        with suppress(AwsError):
            aws.call("iam", "DeleteUserPolicy", UserName=name, PolicyName="assume")
        with suppress(AwsError):
            aws.call("iam", "DeleteUser", UserName=name)
