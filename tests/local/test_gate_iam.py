"""IAM, EC2, STS and tags through the gate, with real clients."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from gate_errors import fetch, refusal

from gate_clients import Aws, allow, document
from keyhole.local.root_keys import Credentials

EC2_TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


def make_role(aws: Aws, name: str, *statements: dict[str, Any], trust: str = EC2_TRUST) -> str:
    """A role with an inline policy, and its ARN."""
    iam = aws.client("iam")
    role = iam.create_role(RoleName=name, Path="/app/", AssumeRolePolicyDocument=trust)["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
    return str(role["Arn"])


def test_denials_are_written_as_each_service_writes_them(aws: Aws) -> None:
    """Query services answer AccessDenied, EC2 UnauthorizedOperation, JSON services AccessDeniedException."""
    keys = aws.user()
    assert refusal(aws.client("iam", keys).list_users)[::2] == ("AccessDenied", 403)
    assert refusal(aws.client("ec2", keys).describe_instances)[::2] == ("UnauthorizedOperation", 403)
    tagging = aws.client("resourcegroupstaggingapi", keys)
    assert refusal(tagging.get_resources)[::2] == ("AccessDeniedException", 400)
    assert aws.client("sts", keys).get_caller_identity()["Account"] == "123456789012"


def test_a_call_without_a_row_is_for_the_root_user_only(aws: Aws) -> None:
    """What nobody has said the permissions of is denied, however much is allowed, and the message says so."""
    code, message, _ = refusal(aws.client("ec2", aws.user(allow("*", "*"))).describe_vpn_gateways)
    assert code == "UnauthorizedOperation"
    assert "does not know which permissions this call needs" in message
    assert aws.client("ec2").describe_vpn_gateways()["VpnGateways"] == []


@pytest.mark.parametrize("text", ["{", document(allow("s3:GetObject", "*", Effect="Alow")), '{"Statement": []'])
def test_policy_documents_are_checked_when_put(aws: Aws, text: str) -> None:
    """A document that AWS would refuse is not stored anywhere in IAM."""
    iam = aws.client("iam")
    name = f"bad-{abs(hash(text))}"
    calls = (
        (iam.create_policy, {"PolicyName": name, "PolicyDocument": text}),
        (iam.create_role, {"RoleName": name, "AssumeRolePolicyDocument": text}),
    )
    for call, params in calls:
        assert refusal(call, **params)[0] == "MalformedPolicyDocument"
    assert refusal(iam.get_role, RoleName=name)[0] == "NoSuchEntity"


def test_boundaries_limit_users(aws: Aws) -> None:
    """What the boundary does not allow is denied, whatever the user's policies say; it can be put and removed."""
    iam, bucket = aws.client("iam"), aws.bucket()
    keys = aws.user(allow("s3:*", "*"))
    name = aws.client("sts", keys).get_caller_identity()["Arn"].rsplit("/", 1)[-1]
    boundary = iam.create_policy(PolicyName=f"{name}-b", PolicyDocument=document(allow("iam:*", "*")))["Policy"]["Arn"]
    s3 = aws.client("s3", keys)
    s3.list_objects_v2(Bucket=bucket)
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=boundary)
    assert "permissions boundary" in refusal(s3.list_objects_v2, Bucket=bucket)[1]
    iam.delete_user_permissions_boundary(UserName=name)
    s3.list_objects_v2(Bucket=bucket)


def test_groups_give_their_policies_to_their_users(aws: Aws) -> None:
    """A user has the policies of the groups that it is in, as long as it is in them."""
    iam, keys = aws.client("iam"), aws.user()
    name = aws.client("sts", keys).get_caller_identity()["Arn"].rsplit("/", 1)[-1]
    iam.create_group(GroupName=f"g-{name}")
    iam.put_group_policy(
        GroupName=f"g-{name}", PolicyName="p", PolicyDocument=document(allow("s3:ListAllMyBuckets", "*"))
    )
    s3 = aws.client("s3", keys)
    assert refusal(s3.list_buckets)[0] == "AccessDenied"
    iam.add_user_to_group(GroupName=f"g-{name}", UserName=name)
    s3.list_buckets()
    iam.remove_user_from_group(GroupName=f"g-{name}", UserName=name)
    assert refusal(s3.list_buckets)[0] == "AccessDenied"


def test_roles_are_assumed_by_those_they_trust(aws: Aws) -> None:
    """The trust policy and its conditions decide; the session has the role's rights and ends with the role."""
    keys = aws.user(allow("sts:AssumeRole", "*"))
    sts = aws.client("sts", keys)
    user_arn = sts.get_caller_identity()["Arn"]
    condition = {"StringEquals": {"sts:ExternalId": "42"}}
    statement = {"Effect": "Allow", "Principal": {"AWS": user_arn}, "Action": "sts:AssumeRole", "Condition": condition}
    arn = make_role(aws, "trusting", allow("s3:ListAllMyBuckets", "*"), trust=document(statement))
    assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="session")[0] == "AccessDenied"
    assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="session", ExternalId="41")[0] == "AccessDenied"
    given = sts.assume_role(RoleArn=arn, RoleSessionName="session", ExternalId="42")["Credentials"]
    session = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    aws.client("s3", session).list_buckets()
    identity = aws.client("sts", session).get_caller_identity()["Arn"]
    assert identity == "arn:aws:sts::123456789012:assumed-role/trusting/session"
    assert refusal(aws.client("iam", session).list_users)[0] == "AccessDenied"
    iam = aws.client("iam")
    iam.delete_role_policy(RoleName="trusting", PolicyName="p")
    assert refusal(aws.client("s3", session).list_buckets)[0] == "AccessDenied"
    iam.delete_role(RoleName="trusting")
    assert refusal(aws.client("s3", session).list_buckets)[0] == "InvalidAccessKeyId"
    other = make_role(aws, "untrusting", trust=EC2_TRUST)
    assert refusal(sts.assume_role, RoleArn=other, RoleSessionName="session")[0] == "AccessDenied"


def test_an_instance_gets_the_credentials_of_its_profile(aws: Aws) -> None:
    """Association needs iam:PassRole; then the instance's metadata gives credentials that work as the role."""
    iam, ec2, bucket = aws.client("iam"), aws.client("ec2"), aws.bucket()
    role = make_role(aws, "web", allow("s3:PutObject", f"arn:aws:s3:::{bucket}/up/*"))
    iam.create_instance_profile(InstanceProfileName="web", Path="/app/")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    run = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "MetadataOptions": {"HttpTokens": "required"}}
    instance = ec2.run_instances(**run)["Instances"][0]["InstanceId"]
    associate = {"InstanceId": instance, "IamInstanceProfile": {"Name": "web"}}
    actions = ["ec2:AssociateIamInstanceProfile", "ec2:RunInstances"]
    without = aws.client("ec2", aws.user(allow(actions, "*")))
    code, message, _ = refusal(without.associate_iam_instance_profile, **associate)
    assert code == "UnauthorizedOperation"
    assert "iam:PassRole" in message
    assert "iam:PassRole" in refusal(without.run_instances, **run, IamInstanceProfile={"Name": "web"})[1]
    passing = allow("iam:PassRole", role, Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})
    aws.client("ec2", aws.user(allow(actions, "*"), passing)).associate_iam_instance_profile(**associate)

    status, body, _ = fetch(f"{aws.url}/_keyhole/instances/{instance}")
    assert status == 200
    endpoint = json.loads(body)["imds_endpoint"]
    token = fetch(f"{endpoint}/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")[1].decode()
    url = f"{endpoint}/latest/meta-data/iam/security-credentials/web"
    request = urllib.request.Request(url, headers={"X-aws-ec2-metadata-token": token})
    with urllib.request.urlopen(request, timeout=10) as answer:
        given = json.load(answer)
    s3 = aws.client("s3", Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["Token"]))
    s3.put_object(Bucket=bucket, Key="up/x", Body=b"1")
    assert refusal(s3.put_object, Bucket=bucket, Key="other/x", Body=b"1")[0] == "AccessDenied"


def test_tags_in_the_request_are_conditions(aws: Aws) -> None:
    """A role may be created only with the tag that the policy asks for."""
    keys = aws.user(
        allow("iam:CreateRole", "*", Condition={"StringEquals": {"aws:RequestTag/team": "a"}}),
        allow("iam:TagRole", "*"),
    )
    iam = aws.client("iam", keys)
    params = {"RoleName": "tagged", "AssumeRolePolicyDocument": EC2_TRUST}
    assert refusal(iam.create_role, **params)[0] == "AccessDenied"
    assert refusal(iam.create_role, **params, Tags=[{"Key": "team", "Value": "b"}])[0] == "AccessDenied"
    iam.create_role(**params, Tags=[{"Key": "team", "Value": "a"}])
