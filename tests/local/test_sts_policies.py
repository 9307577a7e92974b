"""STS and the policies, through the gate: who may set what in a session, and what a federated user may do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gate_errors import fetch, refusal

from gate_clients import Aws, allow, document
from keyhole.local.root_keys import DEFAULT_ACCOUNT, Credentials


def keys_of(answer: dict[str, Any]) -> Credentials:
    given = answer["Credentials"]
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def user_of(aws: Aws, keys: Credentials) -> str:
    return str(aws.client("sts", keys).get_caller_identity()["Arn"])


def make_role(aws: Aws, name: str, trusted: str, *actions: str, condition: dict[str, Any] | None = None) -> str:
    """A role that lets somebody do these actions of STS, and that may list buckets and assume roles itself."""
    statement = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": list(actions)}
    trust = document({**statement, **({"Condition": condition} if condition else {})})
    iam = aws.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    may = document(allow("s3:ListAllMyBuckets", "*"), allow(["sts:AssumeRole", "sts:TagSession"], "*"))
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=may)
    return str(role)


def assume(aws: Aws, keys: Credentials, role: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = aws.client("sts", keys).assume_role(RoleArn=role, RoleSessionName="job", **params)
    return answer


def refuse(aws: Aws, keys: Credentials, role: str, **params: Any) -> tuple[str, str, int]:
    return refusal(aws.client("sts", keys).assume_role, RoleArn=role, RoleSessionName="job", **params)


def test_a_source_identity_needs_its_own_permission_all_the_way(aws: Aws) -> None:
    """The trust policy must allow sts:SetSourceIdentity where it is set, and in every role down the chain."""
    keys = aws.user()
    user = user_of(aws, keys)
    without = make_role(aws, "without", user, "sts:AssumeRole")
    assume(aws, keys, without)
    code, message, _ = refuse(aws, keys, without, SourceIdentity="ann")
    assert code == "AccessDenied"
    assert "sts:SetSourceIdentity" in message
    condition = {"StringEquals": {"sts:SourceIdentity": "ann"}}
    first = make_role(aws, "first", user, "sts:AssumeRole", "sts:SetSourceIdentity", condition=condition)
    assert refuse(aws, keys, first)[0] == "AccessDenied"
    assert refuse(aws, keys, first, SourceIdentity="bob")[0] == "AccessDenied"
    session = keys_of(assume(aws, keys, first, SourceIdentity="ann"))
    plain = make_role(aws, "plain", first, "sts:AssumeRole")
    assert "sts:SetSourceIdentity" in refuse(aws, session, plain)[1]
    last = make_role(aws, "last", first, "sts:AssumeRole", "sts:SetSourceIdentity")
    assert "sts:SetSourceIdentity" in refuse(aws, session, last, SourceIdentity="bob")[1]
    chained = assume(aws, session, last)
    assert chained["SourceIdentity"] == "ann"
    seen = document(allow("s3:ListAllMyBuckets", "*", Condition={"StringEquals": {"aws:SourceIdentity": "ann"}}))
    aws.client("iam").put_role_policy(RoleName="last", PolicyName="p", PolicyDocument=seen)
    aws.client("s3", keys_of(chained)).list_buckets()


def test_tags_need_their_own_permission_also_where_they_are_inherited(aws: Aws) -> None:
    """sts:TagSession is asked with the tags as conditions, and again where transitive tags come along."""
    keys = aws.user()
    user = user_of(aws, keys)
    condition = {"StringEquals": {"aws:RequestTag/team": "blue"}, "ForAllValues:StringEquals": {"aws:TagKeys": "team"}}
    first = make_role(aws, "first", user, "sts:AssumeRole", "sts:TagSession", condition=condition)
    blue: dict[str, Any] = {"Tags": [{"Key": "team", "Value": "blue"}], "TransitiveTagKeys": ["team"]}
    assert refuse(aws, keys, first)[0] == "AccessDenied"
    assert refuse(aws, keys, first, Tags=[{"Key": "team", "Value": "red"}])[0] == "AccessDenied"
    more = [*blue["Tags"], {"Key": "cost", "Value": "1"}]
    assert refuse(aws, keys, first, Tags=more)[0] == "AccessDenied"
    session = keys_of(assume(aws, keys, first, **blue))
    plain = make_role(aws, "plain", first, "sts:AssumeRole")
    assert "sts:TagSession" in refuse(aws, session, plain)[1]
    last = make_role(aws, "last", first, "sts:AssumeRole", "sts:TagSession")
    chained = keys_of(assume(aws, session, last))
    seen = document(allow("s3:ListAllMyBuckets", "*", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}}))
    aws.client("iam").put_role_policy(RoleName="last", PolicyName="p", PolicyDocument=seen)
    aws.client("s3", chained).list_buckets()


def test_tags_with_one_key_twice_are_refused_by_sts(aws: Aws) -> None:
    """Keys that differ in case only are one key."""
    keys = aws.user()
    role = make_role(aws, "first", user_of(aws, keys), "sts:AssumeRole", "sts:TagSession")
    twice = [{"Key": "team", "Value": "a"}, {"Key": "Team", "Value": "b"}]
    code, message, status = refuse(aws, keys, role, Tags=twice)
    assert (code, status) == ("ValidationError", 400)
    assert message.startswith("Duplicate tag keys found.")


class Federator:
    """A user who may federate, and read one bucket."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.bucket = aws.bucket()
        self.here = f"arn:aws:s3:::{self.bucket}"
        everyone = f"arn:aws:sts::{DEFAULT_ACCOUNT}:federated-user/*"
        self.keys = aws.user(allow("sts:GetFederationToken", everyone), allow("s3:ListBucket", self.here))
        self.arn = user_of(aws, self.keys)
        self.name = self.arn.rsplit("/", 1)[-1]

    def federate(self, *statements: dict[str, Any], who: Credentials | None = None, **params: Any) -> Credentials:
        policy = {"Policy": document(*statements)} if statements else {}
        sts = self.aws.client("sts", who or self.keys)
        return keys_of(sts.get_federation_token(Name="bob", **policy, **params))

    def lists(self, keys: Credentials) -> bool:
        """Whether the keys may list the bucket."""
        s3 = self.aws.client("s3", keys)
        try:
            s3.list_objects_v2(Bucket=self.bucket)
        except s3.exceptions.ClientError as error:
            return str(error.response["Error"]["Code"]) != "AccessDenied"
        return True

    def share(self, principal: str) -> None:
        statement = allow("s3:ListBucket", self.here, Principal={"AWS": principal})
        self.aws.client("s3").put_bucket_policy(Bucket=self.bucket, Policy=document(statement))


@pytest.fixture
def federator(aws: Aws) -> Federator:
    return Federator(aws)


def test_a_federated_user_may_do_what_both_policies_allow(aws: Aws, federator: Federator) -> None:
    """The session policy and the user's own policies must allow it; without a session policy there is nothing."""
    assert federator.lists(federator.federate(allow("s3:*", "*")))
    assert not federator.lists(federator.federate())
    assert not federator.lists(federator.federate(allow("s3:GetObject", "*")))
    everything = federator.federate(allow("*", "*"))
    assert refusal(aws.client("s3", everything).list_buckets)[0] == "AccessDenied"
    aws.client("iam").detach_user_policy(
        UserName=federator.name, PolicyArn=f"arn:aws:iam::{DEFAULT_ACCOUNT}:policy/{federator.name}"
    )
    assert not federator.lists(everything)


def test_resources_can_name_the_federated_user_or_who_federated_it(federator: Federator) -> None:
    """A grant to the session by name needs no session policy; one to the user is limited by it; others reach it not."""
    bare, limited = federator.federate(), federator.federate(allow("s3:ListBucket", "*"))
    other = federator.federate(allow("s3:GetObject", "*"))
    federator.share(federator.arn)
    assert not federator.lists(bare)
    assert not federator.lists(other)
    assert federator.lists(limited)
    federator.share(f"arn:aws:sts::{DEFAULT_ACCOUNT}:federated-user/bob")
    assert federator.lists(bare)
    federator.share(f"arn:aws:sts::{DEFAULT_ACCOUNT}:federated-user/eve")
    assert not federator.lists(bare)


def test_a_federated_user_is_who_it_says_and_calls_neither_iam_nor_sts(aws: Aws, federator: Federator) -> None:
    """It may ask who it is; IAM does not know its key, and no role trusts it into a chain."""
    iam = aws.client("iam")
    iam.attach_user_policy(UserName=federator.name, PolicyArn=admin_policy(aws))
    keys = federator.federate(allow("*", "*"))
    identity = aws.client("sts", keys).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{DEFAULT_ACCOUNT}:federated-user/bob"
    assert identity["UserId"] == f"{DEFAULT_ACCOUNT}:bob"
    assert refusal(aws.client("iam", keys).list_users)[0] == "InvalidClientTokenId"
    role = make_role(aws, "open", identity["Arn"], "sts:AssumeRole")
    assert refuse(aws, keys, role)[0] == "AccessDenied"
    for call in ("get_session_token", "get_federation_token"):
        params = {"Name": "eve"} if "federation" in call else {}
        refused = refusal(getattr(aws.client("sts", keys), call), **params)
        assert (refused[0], "with session credentials" in refused[1]) == ("AccessDenied", True)


def admin_policy(aws: Aws) -> str:
    created = aws.client("iam").create_policy(PolicyName="all", PolicyDocument=document(allow("*", "*")))
    return str(created["Policy"]["Arn"])


def test_federation_needs_its_permission(aws: Aws, federator: Federator) -> None:
    """Without sts:GetFederationToken on that name there is no token, and tags need sts:TagSession besides."""
    code, message, status = refusal(aws.client("sts", aws.user()).get_federation_token, Name="bob")
    assert (code, status) == ("AccessDenied", 403)
    assert f"sts:GetFederationToken on resource: arn:aws:sts::{DEFAULT_ACCOUNT}:federated-user/bob" in message
    tags = [{"Key": "team", "Value": "blue"}]
    refused = refusal(aws.client("sts", federator.keys).get_federation_token, Name="bob", Tags=tags)
    assert "sts:TagSession" in refused[1]
    role = keys_of(assume(aws, federator.keys, make_role(aws, "r", federator.arn, "sts:AssumeRole")))
    refused = refusal(aws.client("sts", role).get_federation_token, Name="bob")
    assert refused[:2] == ("AccessDenied", "Cannot call GetFederationToken with session credentials")


def test_tags_of_user_and_session_come_together(aws: Aws, federator: Federator) -> None:
    """A federated user has the tags of the user who federated it, and those of the session before them."""
    iam = aws.client("iam")
    iam.tag_user(UserName=federator.name, Tags=[{"Key": "team", "Value": "red"}, {"Key": "site", "Value": "seoul"}])
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "blue", "aws:PrincipalTag/site": "seoul"}}
    may = document(allow(["sts:GetFederationToken", "sts:TagSession"], "*"), allow("s3:*", "*", Condition=tagged))
    iam.put_user_policy(UserName=federator.name, PolicyName="tagged", PolicyDocument=may)
    iam.detach_user_policy(UserName=federator.name, PolicyArn=f"arn:aws:iam::{DEFAULT_ACCOUNT}:policy/{federator.name}")
    assert not federator.lists(federator.federate(allow("s3:*", "*")))
    assert federator.lists(federator.federate(allow("s3:*", "*"), Tags=[{"Key": "Team", "Value": "blue"}]))


def test_root_federates_within_its_session_policy(aws: Aws, federator: Federator) -> None:
    """Of root's federated user the session policy alone says what it may."""
    assert federator.lists(federator.federate(allow("s3:ListBucket", "*"), who=aws.root))
    assert not federator.lists(federator.federate(who=aws.root))


def test_a_federated_user_ends_with_its_user(aws: Aws, federator: Federator) -> None:
    """When the user is gone the key is unknown, also if there is a new user of that name."""
    keys = federator.federate(allow("s3:*", "*"))
    iam = aws.client("iam")
    iam.detach_user_policy(UserName=federator.name, PolicyArn=f"arn:aws:iam::{DEFAULT_ACCOUNT}:policy/{federator.name}")
    iam.delete_access_key(UserName=federator.name, AccessKeyId=federator.keys.access_key_id)
    iam.delete_user(UserName=federator.name)
    assert refusal(aws.client("s3", keys).list_buckets)[0] == "InvalidAccessKeyId"
    iam.create_user(UserName=federator.name)
    assert refusal(aws.client("s3", keys).list_buckets)[0] == "InvalidAccessKeyId"


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_an_instances_requests_say_where_they_come_from(aws: Aws, version: str) -> None:
    """Credentials from the metadata service carry the instance, its network and the version that gave them."""
    iam, ec2 = aws.client("iam"), aws.client("ec2")
    trust = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust)
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    run = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "IamInstanceProfile": {"Name": "web"}}
    instance = ec2.run_instances(**run, MetadataOptions={"HttpTokens": "optional"})["Instances"][0]
    endpoint = json.loads(fetch(f"{aws.url}/_keyhole/instances/{instance['InstanceId']}")[1])["imds_endpoint"]
    headers: dict[str, Any] = {}
    if version == "2.0":
        url = f"{endpoint}/latest/api/token"
        headers["X_aws_ec2_metadata_token"] = fetch(url, "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")[1].decode()
    given = json.loads(fetch(f"{endpoint}/latest/meta-data/iam/security-credentials/web", **headers)[1])
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["Token"])
    condition = {
        "ArnEquals": {
            "ec2:SourceInstanceARN": f"arn:aws:ec2:us-east-1:{DEFAULT_ACCOUNT}:instance/{instance['InstanceId']}"
        },
        "NumericEquals": {"ec2:RoleDelivery": version},
        "StringEquals": {"aws:Ec2InstanceSourceVpc": instance["VpcId"]},
        "IpAddress": {"aws:Ec2InstanceSourcePrivateIPv4": instance["PrivateIpAddress"]},
    }
    held = document(allow("s3:ListAllMyBuckets", "*", Condition=condition))
    iam.put_role_policy(RoleName="web", PolicyName="p", PolicyDocument=held)
    aws.client("s3", keys).list_buckets()
    other = document(allow("s3:ListAllMyBuckets", "*", Condition={"NumericEquals": {"ec2:RoleDelivery": "3.0"}}))
    iam.put_role_policy(RoleName="web", PolicyName="p", PolicyDocument=other)
    assert refusal(aws.client("s3", keys).list_buckets)[0] == "AccessDenied"
