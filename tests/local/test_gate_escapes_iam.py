"""Ways past the gate that IAM, STS, EC2 and tagging calls could offer: what is authorized must be what is done."""

from __future__ import annotations

import gzip
import json
import uuid
from typing import Any

import pytest
from gate_errors import refusal
from gate_wire import FORM, ask, send, sign

from gate_clients import Aws, allow, document
from keyhole.local.root_keys import Credentials

ACCOUNT = "123456789012"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"
EC2_TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
JSON = "application/x-amz-json-1.1"
# One of those that are always there.
IMAGE = "ami-12c6146b"
TAGGING = "ResourceGroupsTaggingAPI_20170126"


def name_of(aws: Aws, keys: Credentials) -> str:
    return str(aws.client("sts", keys).get_caller_identity()["Arn"].rsplit("/", 1)[-1])


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def run_instance(ec2: Any, **more: Any) -> str:
    answer = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, **more)
    return str(answer["Instances"][0]["InstanceId"])


def profile(aws: Aws) -> tuple[str, str]:
    """A role in an instance profile of the same name; gives (name, role ARN)."""
    iam, name = aws.client("iam"), unique("r")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=EC2_TRUST)["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return name, arn


def test_a_json_body_names_no_other_action(aws: Aws) -> None:
    """A form hidden in a JSON text, or a header named Action, does not turn a read into a write."""
    bucket = aws.bucket()
    user = aws.user(allow(["tag:GetTagKeys", "tag:GetResources"], "*"))
    target = {"x_amz_target": f"{TAGGING}.GetTagKeys", "content_type": JSON}
    arn = f"arn:aws:s3:::{bucket}"
    body = json.dumps({"PaginationToken": "x&Action=TagResources&", "ResourceARNList": [arn], "Tags": {"a": "b"}})
    for data, more in ((body.encode(), {}), (b"", {"action": "TagResources"})):
        ask(aws, "POST", "/", data, who=user, service="tagging", **target, **more)
    assert refusal(aws.client("s3").get_bucket_tagging, Bucket=bucket)[0] == "NoSuchTagSet"
    # The same by the name that the gate knows: root may, this user may not.
    tag = aws.client("resourcegroupstaggingapi", user).tag_resources
    assert refusal(tag, ResourceARNList=[arn], Tags={"a": "b"})[0] == "AccessDeniedException"


def test_the_target_of_a_json_call_is_signed(aws: Aws) -> None:
    """Nobody on the way can give a signed body to another operation."""
    more: dict[str, Any] = {"x_amz_target": f"{TAGGING}.GetTagKeys", "content_type": JSON}
    headers = sign(aws, "POST", "/", b"{}", service="tagging", unsigned=("x-amz-target",), **more)
    status, body = send(aws, "POST", "/", b"{}", headers)
    assert (status, b"x-amz-target" in body) == (400, True)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("?Action=GetUser", "Action=DeleteUser&Version=2010-05-08"),
        ("?Action=GetUser&Action=DeleteUser", "Version=2010-05-08"),
        ("", "Action=GetUser&%41ction=DeleteUser&Version=2010-05-08"),
    ],
)
def test_two_actions_are_none(aws: Aws, query: str, body: str) -> None:
    """An action in the query and another in the body are refused, however they are spelled."""
    status, answer = ask(aws, "POST", f"/{query}", body.encode(), service="iam", content_type=FORM)
    assert (status, b"more than once" in answer) == (400, True)


def test_parameters_that_the_model_does_not_have_do_not_reach_the_store(aws: Aws) -> None:
    """Spelled otherwise (`InstanceId.member.1`), an instance id is no instance id at all."""
    ec2 = aws.client("ec2")
    victim, mine = run_instance(ec2), run_instance(ec2)
    user = aws.user(allow("ec2:TerminateInstances", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/{mine}"))
    for spelled in ("InstanceId.member.1", "InstanceIds.1", "InstanceId", "instanceId.2", "InstanceId.2.x"):
        body = f"Action=TerminateInstances&Version=2016-11-15&InstanceId.1={mine}&{spelled}={victim}".encode()
        ask(aws, "POST", "/", body, who=user, service="ec2", content_type=FORM)
    state = ec2.describe_instances(InstanceIds=[victim])["Reservations"][0]["Instances"][0]["State"]["Name"]
    assert state == "running"


def test_a_compressed_form_is_read_as_it_was_sent(aws: Aws) -> None:
    """Content-Encoding does not make the store read another form than the gate."""
    body = gzip.compress(b"Action=DeleteUser&UserName=x&Version=2010-05-08")
    status, _ = ask(aws, "POST", "/", body, service="iam", content_type=FORM, content_encoding="gzip")
    assert status == 400
    plain = b"Action=ListUsers&Version=2010-05-08"
    assert ask(aws, "POST", "/", plain, service="iam", content_type=FORM, content_encoding="gzip")[0] == 200


def test_an_access_key_is_its_users(aws: Aws) -> None:
    """Without a user name, a call about a key means the caller's own user, not the key's."""
    rights = ["iam:DeleteAccessKey", "iam:UpdateAccessKey", "iam:GetAccessKeyLastUsed"]
    victim, mine = aws.user(), aws.user(allow(rights, USER_ARN))
    iam = aws.client("iam", mine)
    key = victim.access_key_id
    for call, more in (
        (iam.delete_access_key, {}),
        (iam.update_access_key, {"Status": "Inactive"}),
        (iam.get_access_key_last_used, {}),
    ):
        assert refusal(call, AccessKeyId=key, **more)[0] in ("AccessDenied", "NoSuchEntity")
    aws.client("sts", victim).get_caller_identity()
    iam.get_access_key_last_used(AccessKeyId=mine.access_key_id)
    iam.update_access_key(AccessKeyId=mine.access_key_id, Status="Inactive")


def test_a_session_that_names_no_user_creates_no_key(aws: Aws) -> None:
    """CreateAccessKey of a role's session has no user to mean."""
    iam, role = aws.client("iam"), unique("r")
    trust = document(allow("sts:AssumeRole", "*", Principal={"AWS": ACCOUNT}))
    trust = trust.replace(', "Resource": "*"', "")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(allow("iam:*", "*")))
    user = aws.user(allow("sts:AssumeRole", arn))
    given = aws.client("sts", user).assume_role(RoleArn=arn, RoleSessionName="se")["Credentials"]
    keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert refusal(aws.client("iam", keys).create_access_key)[0] == "ValidationError"
    assert refusal(aws.client("iam", keys).get_user)[0] == "ValidationError"


def test_renaming_a_user_needs_both_names(aws: Aws) -> None:
    """UpdateUser takes the place of nobody, and is decided on the new name too."""
    iam, victim = aws.client("iam"), aws.user()
    other = name_of(aws, victim)
    mine = aws.user(allow("iam:UpdateUser", USER_ARN))
    name = name_of(aws, mine)
    assert refusal(aws.client("iam", mine).update_user, UserName=name, NewUserName="boss")[0] == "AccessDenied"
    assert refusal(iam.update_user, UserName=name, NewUserName=other)[0] == "EntityAlreadyExists"
    renamed = f"{name}-2"
    iam.update_user(UserName=name, NewUserName=renamed)
    assert name_of(aws, mine) == renamed
    # Whoever gets the old name does not get the old keys.
    iam.create_user(UserName=name)
    assert name_of(aws, mine) == renamed


def test_keys_and_sessions_end_with_their_user(aws: Aws) -> None:
    """A user that is deleted and made again under its name is another: old keys and session tokens are unknown."""
    iam, keys = aws.client("iam"), aws.user()
    name = name_of(aws, keys)
    given = aws.client("sts", keys).get_session_token()["Credentials"]
    session = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert name_of(aws, session) == name
    assert refusal(iam.delete_user, UserName=name)[0] == "DeleteConflict"
    iam.delete_access_key(UserName=name, AccessKeyId=keys.access_key_id)
    iam.delete_user(UserName=name)
    iam.create_user(UserName=name)
    for who in (keys, session):
        assert refusal(aws.client("sts", who).get_caller_identity)[0] == "InvalidClientTokenId"


def test_session_tokens_are_not_for_iam(aws: Aws) -> None:
    """AWS: STS API Reference, GetSessionToken: without MFA, its credentials call nothing of IAM."""
    keys = aws.user(allow("iam:*", "*"))
    given = aws.client("sts", keys).get_session_token()["Credentials"]
    session = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert refusal(aws.client("iam", session).list_users)[0] == "InvalidClientTokenId"
    assert refusal(aws.client("iam", session).create_user, UserName=unique("u"))[0] == "InvalidClientTokenId"


def test_a_profile_must_be_there_and_be_one(aws: Aws) -> None:
    """PassRole is asked for the role that the instance will have: none is given by a name that comes true later."""
    ec2 = aws.client("ec2")
    name, _ = profile(aws)
    user = aws.client("ec2", aws.user(allow(["ec2:*"], "*")))
    for given in ({"Name": unique("later")}, {"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{unique('x')}"}):
        assert refusal(run_instance, ec2=user, IamInstanceProfile=given)[0] == "InvalidParameterValue"
    foreign = f"arn:aws:iam::999988887777:instance-profile/{name}"
    both = {"Name": unique("x"), "Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{name}"}
    assert refusal(run_instance, ec2=ec2, IamInstanceProfile={"Arn": foreign})[0] == "InvalidParameterValue"
    assert refusal(run_instance, ec2=ec2, IamInstanceProfile=both)[0] == "InvalidParameterCombination"
    assert refusal(run_instance, ec2=user, IamInstanceProfile={"Name": name})[0] == "UnauthorizedOperation"
    run_instance(ec2, IamInstanceProfile={"Name": name})


def test_denials_by_tag_see_the_tags_that_are_there(aws: Aws) -> None:
    """aws:ResourceTag is filled for instances, users and roles: a Deny on it holds."""
    ec2, iam = aws.client("ec2"), aws.client("iam")
    tags = [{"Key": "env", "Value": "prod"}]
    victim = run_instance(ec2, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    role, user = unique("r"), unique("u")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=EC2_TRUST, Tags=tags)
    iam.create_user(UserName=user, Tags=tags)
    for key in ("aws:ResourceTag/env", "{service}:ResourceTag/env"):
        deny = {"Effect": "Deny", "Action": ["ec2:*", "iam:*"], "Resource": "*"}
        conditions = [{"StringEquals": {key.format(service=service): "prod"}} for service in ("ec2", "iam")]
        statements = [{**deny, "Condition": condition} for condition in conditions]
        keys = aws.user(allow(["ec2:*", "iam:*"], "*"), *statements)
        mine, theirs = aws.client("ec2", keys), aws.client("iam", keys)
        assert refusal(mine.terminate_instances, InstanceIds=[victim])[0] == "UnauthorizedOperation"
        assert refusal(theirs.delete_role, RoleName=role)[0] == "AccessDenied"
        assert refusal(theirs.delete_user, UserName=user)[0] == "AccessDenied"
        theirs.create_user(UserName=unique("u"))


def test_a_launch_tag_has_one_value(aws: Aws) -> None:
    """Conditions on aws:RequestTag would see one of two values."""
    keys = aws.user(
        allow(["ec2:RunInstances", "ec2:Describe*"], "*"),
        allow("ec2:CreateTags", "*", Condition={"StringEquals": {"aws:RequestTag/env": "dev"}}),
    )
    specifications = [
        {"ResourceType": kind, "Tags": [{"Key": key, "Value": value}]}
        for kind, key, value in (("instance", "env", "prod"), ("volume", "Env", "dev"))
    ]
    code = refusal(run_instance, ec2=aws.client("ec2", keys), TagSpecifications=specifications)[0]
    assert code == "InvalidParameterValue"


def test_ids_have_the_prefix_of_their_kind(aws: Aws) -> None:
    """aws:userid of a user begins with AIDA, an instance profile's id with AIPA."""
    iam, keys = aws.client("iam"), aws.user()
    who = aws.client("sts", keys).get_caller_identity()
    assert who["UserId"].startswith("AIDA")
    assert who["UserId"] == iam.get_user(UserName=name_of(aws, keys))["User"]["UserId"]
    assert len(who["UserId"]) == 21
    made = iam.create_instance_profile(InstanceProfileName=unique("p"))["InstanceProfile"]
    assert made["InstanceProfileId"].startswith("AIPA")
    group = iam.create_group(GroupName=unique("g"))["Group"]
    assert group["GroupId"].startswith("AGPA")


def test_session_tags_override_role_tags_in_any_case(aws: Aws) -> None:
    """Tag keys are case-insensitive: the session's `TEAM` replaces the role's `team`."""
    from keyhole.local.credentials import merge_tags

    assert merge_tags((("team", "a"), ("x", "1")), (("TEAM", "b"),)) == (("x", "1"), ("TEAM", "b"))


def test_metadata_options_that_are_not_given_stay(aws: Aws) -> None:
    """Turning the endpoint off does not make version 1 allowed again."""
    ec2 = aws.client("ec2")
    options = {"HttpTokens": "required", "HttpPutResponseHopLimit": 3}
    made = run_instance(ec2, MetadataOptions=options)
    ec2.modify_instance_metadata_options(InstanceId=made, HttpEndpoint="disabled")
    changed = ec2.modify_instance_metadata_options(InstanceId=made, HttpPutResponseHopLimit=2)
    found = changed["InstanceMetadataOptions"]
    assert (found["HttpTokens"], found["HttpEndpoint"], found["HttpPutResponseHopLimit"]) == ("required", "disabled", 2)
