"""Principals in stored policies are the users and roles that they named when they were put."""

from __future__ import annotations

import json
from typing import Any

from gate_errors import refusal

from gate_clients import Aws, allow, document
from keyhole.local.principal_renaming import rename_in
from keyhole.local.root_keys import Credentials

ARN = "arn:aws:iam::123456789012:user/u"


def bucket_policy(bucket: str, principal: str) -> str:
    """A bucket policy that lets somebody read."""
    return document({**allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), "Principal": {"AWS": principal}})


def principal_of(text: str) -> Any:
    return json.loads(text)["Statement"][0]["Principal"]["AWS"]


def new_keys(iam: Any, name: str) -> Credentials:
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def drop_user(iam: Any, name: str) -> None:
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


def test_a_new_user_of_the_name_is_another(aws: Aws) -> None:
    """Once the user is gone, the bucket policy shows its id, and a user made anew is not let in."""
    iam, s3, bucket = aws.client("iam"), aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    user = iam.create_user(UserName="u")["User"]
    s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket, user["Arn"]))
    aws.client("s3", new_keys(iam, "u")).get_object(Bucket=bucket, Key="k")
    drop_user(iam, "u")
    stored = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert principal_of(stored) == user["UserId"]
    again = iam.create_user(UserName="u")["User"]
    assert again["UserId"] != user["UserId"]
    assert refusal(aws.client("s3", new_keys(iam, "u")).get_object, Bucket=bucket, Key="k")[0] == "AccessDenied"
    assert refusal(s3.put_bucket_policy, Bucket=bucket, Policy=stored)[0] == "MalformedPolicy"
    s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket, again["Arn"]))
    aws.client("s3", new_keys(iam, "u")).get_object(Bucket=bucket, Key="k")


def test_a_new_role_of_the_name_is_another(aws: Aws) -> None:
    """A trust policy that named a role which is gone does not trust its successor."""
    iam = aws.client("iam")
    keys = aws.user(allow("sts:AssumeRole", "*"))
    sts = aws.client("sts", keys)
    trust_user = document(
        {"Effect": "Allow", "Principal": {"AWS": sts.get_caller_identity()["Arn"]}, "Action": "sts:AssumeRole"}
    )

    def make_first() -> tuple[str, str]:
        role = iam.create_role(RoleName="first", Path="/app/", AssumeRolePolicyDocument=trust_user)["Role"]
        iam.put_role_policy(RoleName="first", PolicyName="p", PolicyDocument=document(allow("sts:AssumeRole", "*")))
        return role["Arn"], role["RoleId"]

    def as_first() -> Any:
        given = sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
        return aws.client("sts", Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]))

    arn, role_id = make_first()
    trust_first = document({"Effect": "Allow", "Principal": {"AWS": [arn]}, "Action": "sts:AssumeRole"})
    second = iam.create_role(RoleName="second", AssumeRolePolicyDocument=trust_first)["Role"]["Arn"]
    as_first().assume_role(RoleArn=second, RoleSessionName="chained")
    iam.delete_role_policy(RoleName="first", PolicyName="p")
    iam.delete_role(RoleName="first")
    trusted = iam.get_role(RoleName="second")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]
    assert trusted == [role_id]
    make_first()
    assert refusal(as_first().assume_role, RoleArn=second, RoleSessionName="chained")[0] == "AccessDenied"


def test_a_renamed_user_stays_who_it_is(aws: Aws) -> None:
    """A policy that names a user shows its new ARN once it is renamed, and still lets it in."""
    iam, s3, bucket = aws.client("iam"), aws.client("s3"), aws.bucket()
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    arn = iam.create_user(UserName="u", Tags=[{"Key": "team", "Value": "a"}])["User"]["Arn"]
    keys = new_keys(iam, "u")
    s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket, arn))
    iam.update_user(UserName="u", NewUserName="v", NewPath="/moved/")
    moved = "arn:aws:iam::123456789012:user/moved/v"
    assert principal_of(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == moved
    aws.client("s3", keys).get_object(Bucket=bucket, Key="k")
    assert iam.list_user_tags(UserName="v")["Tags"] == [{"Key": "team", "Value": "a"}]
    assert iam.list_access_keys(UserName="v")["AccessKeyMetadata"][0]["UserName"] == "v"


def test_topics_forget_names_too(aws: Aws) -> None:
    """What holds of buckets and roles holds of a topic's policy."""
    iam, sns = aws.client("iam"), aws.client("sns")
    user = iam.create_user(UserName="u")["User"]
    topic = sns.create_topic(Name="t")["TopicArn"]
    statement = {**allow("sns:Publish", topic), "Principal": {"AWS": user["Arn"]}}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document(statement))
    iam.delete_user(UserName="u")
    assert principal_of(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]) == user["UserId"]


def test_only_principals_are_renamed() -> None:
    """The same ARN as a resource or in a condition is left alone, and so is a text that names it nowhere."""
    statement = {"Principal": {"AWS": ["*", ARN]}, "Resource": ARN, "Condition": {"ArnLike": {"aws:PrincipalArn": ARN}}}
    text = document(statement, {"NotPrincipal": {"AWS": ARN}, "Effect": "Deny"})
    renamed = json.loads(rename_in(text, ARN, "AIDA"))["Statement"]
    assert renamed[0] == {**statement, "Principal": {"AWS": ["*", "AIDA"]}}
    assert renamed[1]["NotPrincipal"] == {"AWS": "AIDA"}
    for untouched in ('{"Statement": 1}  ', f'"{ARN}"', f"{ARN} {{", document({"Resource": ARN})):
        assert rename_in(untouched, ARN, "AIDA") == untouched
