"""AWS's own managed policies: in every account, by their ARNs, and nobody's to change."""

from __future__ import annotations

import pytest
from gate_errors import refusal

from gate_clients import Aws, allow, document
from keyhole.iam import parse_policy
from keyhole.iam.model import PolicyKind
from keyhole.local.moto_managed_policies import find_aws_policy
from keyhole.local.root_keys import Credentials

PREFIX = "arn:aws:iam::aws:policy/"
S3_READ = f"{PREFIX}AmazonS3ReadOnlyAccess"
ECS = f"{PREFIX}service-role/AmazonECSTaskExecutionRolePolicy"
TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


@pytest.mark.parametrize(
    "name",
    [
        *("service-role/AmazonECSTaskExecutionRolePolicy", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess"),
        *("AdministratorAccess", "ReadOnlyAccess", "PowerUserAccess", "IAMFullAccess", "IAMReadOnlyAccess"),
        *("AmazonEC2ReadOnlyAccess", "AmazonEC2FullAccess", "CloudWatchFullAccess", "AmazonSSMManagedInstanceCore"),
        *("AWSCloudTrail_FullAccess", "SecretsManagerReadWrite", "AmazonDynamoDBFullAccess", "SecurityAudit"),
        *("job-function/ViewOnlyAccess", "AmazonSNSFullAccess", "AmazonECS_FullAccess"),
    ],
)
def test_policies_that_people_use_are_there(name: str) -> None:
    """Each is found by its ARN with its path, and is a policy."""
    found = find_aws_policy(f"{PREFIX}{name}")
    assert found is not None
    assert parse_policy(found.text, PolicyKind.IDENTITY).statements


@pytest.mark.parametrize(
    "arn",
    [
        *(f"{PREFIX}None", f"{PREFIX}AmazonECSTaskExecutionRolePolicy", f"{PREFIX}x/AmazonS3FullAccess", PREFIX),
        *("arn:aws:iam::123456789012:policy/AmazonS3FullAccess", "Action", f'{PREFIX}Document":'),
    ],
)
def test_others_are_not(arn: str) -> None:
    """Neither a wrong path nor another account leads to a policy of AWS's."""
    assert find_aws_policy(arn) is None


def test_they_are_read_and_attached(aws: Aws) -> None:
    """GetPolicy and GetPolicyVersion tell them; attached to a role or user they count."""
    iam, bucket = aws.client("iam"), aws.bucket()
    policy = iam.get_policy(PolicyArn=ECS)["Policy"]
    assert (policy["Path"], policy["PolicyName"]) == ("/service-role/", "AmazonECSTaskExecutionRolePolicy")
    version = iam.get_policy_version(PolicyArn=ECS, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    assert "logs:PutLogEvents" in version["Document"]["Statement"][0]["Action"]
    assert refusal(iam.get_policy_version, PolicyArn=ECS, VersionId="v99")[0] == "NoSuchEntity"
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="r", PolicyArn=ECS)
    attached = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AmazonECSTaskExecutionRolePolicy", "PolicyArn": ECS}]
    keys = aws.user()
    s3, name = aws.client("s3", keys), aws.client("sts", keys).get_caller_identity()["Arn"].rsplit("/", 1)[-1]
    assert refusal(s3.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"
    iam.attach_user_policy(UserName=name, PolicyArn=S3_READ)
    s3.list_objects_v2(Bucket=bucket)
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"")[0] == "AccessDenied"
    iam.detach_user_policy(UserName=name, PolicyArn=S3_READ)
    assert refusal(s3.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"


def test_they_are_boundaries_and_session_policies(aws: Aws) -> None:
    """A boundary of AWS's limits a user, a session policy of AWS's a session."""
    iam, bucket = aws.client("iam"), aws.bucket()
    keys = aws.user(allow(["s3:*", "sts:AssumeRole"], "*"))
    arn = aws.client("sts", keys).get_caller_identity()["Arn"]
    trust = document({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"})
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=f"{PREFIX}AmazonS3FullAccess")
    session = aws.client("sts", keys).assume_role(
        RoleArn=role, RoleSessionName="session", PolicyArns=[{"arn": S3_READ}]
    )["Credentials"]
    given = Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    aws.client("s3", given).list_objects_v2(Bucket=bucket)
    assert "session policy" in refusal(aws.client("s3", given).put_object, Bucket=bucket, Key="k", Body=b"")[1]
    iam.put_user_permissions_boundary(UserName=arn.rsplit("/", 1)[-1], PermissionsBoundary=S3_READ)
    s3 = aws.client("s3", keys)
    s3.list_objects_v2(Bucket=bucket)
    assert "permissions boundary" in refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"")[1]


def test_a_boundary_is_the_accounts_own_or_awss(aws: Aws) -> None:
    """A policy of another account is no boundary, nor is one that does not exist."""
    stranger = aws.client("iam", aws.server.root_credentials("210987654321"))
    theirs = stranger.create_policy(PolicyName="p", PolicyDocument=document(allow("*", "*")))["Policy"]["Arn"]
    iam = aws.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    for arn in (theirs, "arn:aws:iam::123456789012:policy/none"):
        sentence = f"Scope ARN: {arn} does not exist or is not attachable."
        for call, params in (
            (iam.create_user, {"UserName": "u"}),
            (iam.create_role, {"RoleName": "s", "AssumeRolePolicyDocument": TRUST}),
            (iam.put_role_permissions_boundary, {"RoleName": "r"}),
        ):
            assert refusal(call, **params, PermissionsBoundary=arn) == ("NoSuchEntity", sentence, 404)


def test_nobody_changes_them(aws: Aws) -> None:
    """Not even the root user deletes one, or gives it a version or a tag."""
    iam = aws.client("iam")
    for call, params in (
        (iam.delete_policy, {}),
        (iam.create_policy_version, {"PolicyDocument": document(allow("*", "*"))}),
        (iam.set_default_policy_version, {"VersionId": "v1"}),
        (iam.delete_policy_version, {"VersionId": "v1"}),
        (iam.tag_policy, {"Tags": [{"Key": "a", "Value": "b"}]}),
    ):
        assert refusal(call, PolicyArn=S3_READ, **params)[0::2] == ("AccessDenied", 403)


def test_lists_tell_them_apart(aws: Aws) -> None:
    """Scope tells AWS's from the account's own, OnlyAttached those in use; details name those in use."""
    iam = aws.client("iam")
    own = iam.create_policy(PolicyName="own", PolicyDocument=document(allow("*", "*")))["Policy"]["Arn"]
    iam.create_user(UserName="u", PermissionsBoundary=f"{PREFIX}ReadOnlyAccess")
    iam.attach_user_policy(UserName="u", PolicyArn=S3_READ)

    def arns(**params: object) -> set[str]:
        pages = iam.get_paginator("list_policies").paginate(**params, PaginationConfig={"PageSize": 1000})
        return {policy["Arn"] for page in pages for policy in page["Policies"]}

    assert arns(Scope="Local") == {own}
    assert arns(Scope="AWS", OnlyAttached=True) == {S3_READ}
    every = arns()
    assert {own, ECS, S3_READ} <= every
    assert len(every) > 1000
    details = iam.get_account_authorization_details()["Policies"]
    assert {policy["Arn"] for policy in details} == {own, S3_READ, f"{PREFIX}ReadOnlyAccess"}
    assert iam.get_policy(PolicyArn=f"{PREFIX}ReadOnlyAccess")["Policy"]["PermissionsBoundaryUsageCount"] == 1
