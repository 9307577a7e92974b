"""What an account tells of itself: its root user, who uses what, linked roles, identity providers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gate_errors import refusal

from gate_clients import Aws, allow, document
from keyhole.local.linked_roles import linked_role_name
from keyhole.local.root_keys import Credentials

ANY = document(allow("s3:*", "*"))
ISSUER = "https://token.actions.githubusercontent.com"
SERVICE_TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


def test_root_is_no_iam_user(aws: Aws) -> None:
    """GetUser tells of the account, ListAccessKeys the key in use; its keys are not IAM's to make."""
    iam = aws.client("iam")
    user = iam.get_user()["User"]
    assert (user["Arn"], user["UserId"]) == ("arn:aws:iam::123456789012:root", "123456789012")
    assert [key["AccessKeyId"] for key in iam.list_access_keys()["AccessKeyMetadata"]] == [aws.root.access_key_id]
    assert refusal(iam.create_access_key)[0] == "AccessDenied"


def test_ids_and_keys_have_awss_form(aws: Aws) -> None:
    """Prefix and length of each unique id, of keys and of secrets."""
    iam = aws.client("iam")
    key = iam.create_access_key(UserName=iam.create_user(UserName="u")["User"]["UserName"])["AccessKey"]
    found = {
        "AIDA": iam.get_user(UserName="u")["User"]["UserId"],
        "AGPA": iam.create_group(GroupName="g")["Group"]["GroupId"],
        "AROA": iam.create_role(RoleName="r", AssumeRolePolicyDocument=SERVICE_TRUST)["Role"]["RoleId"],
        "ANPA": iam.create_policy(PolicyName="p", PolicyDocument=ANY)["Policy"]["PolicyId"],
        "AIPA": iam.create_instance_profile(InstanceProfileName="i")["InstanceProfile"]["InstanceProfileId"],
    }
    for prefix, unique_id in found.items():
        assert re.fullmatch(rf"{prefix}[A-Z2-7]{{17}}", unique_id)
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key["AccessKeyId"])
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", key["SecretAccessKey"])


def test_keys_and_roles_know_their_last_use(aws: Aws) -> None:
    """Service, region and time of the last signed call, also one that was denied; N/A before the first."""
    iam = aws.client("iam")
    keys = aws.user(allow("sts:AssumeRole", "*"))
    last = iam.get_access_key_last_used(AccessKeyId=keys.access_key_id)
    assert (last["AccessKeyLastUsed"]["ServiceName"], "LastUsedDate" in last["AccessKeyLastUsed"]) == ("N/A", False)
    assert refusal(aws.client("dynamodb", keys, region="eu-west-1").list_tables)[0] == "AccessDeniedException"
    last = iam.get_access_key_last_used(AccessKeyId=keys.access_key_id)["AccessKeyLastUsed"]
    assert (last["ServiceName"], last["Region"]) == ("dynamodb", "eu-west-1")
    assert abs(datetime.now(UTC) - last["LastUsedDate"]) < timedelta(minutes=5)
    sts = aws.client("sts", keys)
    trust = document(
        {"Effect": "Allow", "Principal": {"AWS": sts.get_caller_identity()["Arn"]}, "Action": "sts:AssumeRole"}
    )
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]
    assert role.get("RoleLastUsed", {}) == {}
    given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]
    session = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert refusal(aws.client("s3", session, region="eu-west-1").list_buckets)[0] == "AccessDenied"
    used = iam.get_role(RoleName="r")["Role"]["RoleLastUsed"]
    assert used["Region"] == "eu-west-1"
    assert abs(datetime.now(UTC) - used["LastUsedDate"]) < timedelta(minutes=5)


def test_a_policy_tells_who_has_it(aws: Aws) -> None:
    """By kind, path and use; a boundary is a use of its own."""
    iam = aws.client("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=ANY)["Policy"]["Arn"]
    iam.create_user(UserName="bound", PermissionsBoundary=arn)
    iam.create_user(UserName="u", Path="/app/")
    iam.attach_user_policy(UserName="u", PolicyArn=arn)
    iam.create_group(GroupName="g")
    iam.attach_group_policy(GroupName="g", PolicyArn=arn)

    def names(**params: Any) -> dict[str, list[str]]:
        answer = iam.list_entities_for_policy(PolicyArn=arn, **params)
        kinds = ("User", "Role", "Group")
        found = {kind: [item[f"{kind}Name"] for item in answer[f"Policy{kind}s"]] for kind in kinds}
        return {kind: listed for kind, listed in found.items() if listed}

    assert names() == {"User": ["bound", "u"], "Group": ["g"]}
    assert names(PolicyUsageFilter="PermissionsPolicy") == {"User": ["u"], "Group": ["g"]}
    assert names(PolicyUsageFilter="PermissionsBoundary") == {"User": ["bound"]}
    assert names(EntityFilter="Group") == {"Group": ["g"]}
    assert names(PathPrefix="/app/") == {"User": ["u"]}
    assert names(EntityFilter="AWSManagedPolicy") == {}
    pages = iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 2})
    assert [len(page["PolicyUsers"]) + len(page["PolicyGroups"]) for page in pages] == [2, 1]


def test_the_summary_counts(aws: Aws) -> None:
    """Entities that are there, and the quotas that hold."""
    iam = aws.client("iam")
    iam.create_user(UserName="u")
    iam.create_policy(PolicyName="p", PolicyDocument=ANY)
    iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    summary = iam.get_account_summary()["SummaryMap"]
    expected = {"Users": 1, "Policies": 1, "PolicyVersionsInUse": 1, "Roles": 0, "AccountAccessKeysPresent": 1}
    quotas = {"AccessKeysPerUserQuota": 2, "GroupsPerUserQuota": 10, "VersionsPerPolicyQuota": 5}
    assert {key: summary[key] for key in (*expected, *quotas)} == {**expected, **quotas}


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
        ("dynamodb.application-autoscaling.amazonaws.com", "AWSServiceRoleForApplicationAutoScaling_Dynamodb"),
    ],
)
def test_linked_roles_are_named_after_their_service(service: str, name: str) -> None:
    """The service, then the part of it."""
    assert linked_role_name(service) == name
    assert linked_role_name(service, "x") == f"{name}_x"


def test_linked_roles_are_their_services_alone(aws: Aws) -> None:
    """Made once, changed by nobody, deleted by a call of their own; nobody makes one by CreateRole."""
    iam = aws.client("iam")
    role = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com", Description="mine")["Role"]
    name = role["RoleName"]
    assert role["Arn"] == "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    code, message, _ = refusal(iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com")
    assert (code, message) == (
        "InvalidInput",
        f"Service role name {name} has been taken in this account, please try a different suffix.",
    )
    protected = (
        "UnmodifiableEntity",
        f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS",
        400,
    )
    read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert refusal(iam.attach_role_policy, RoleName=name, PolicyArn=read_only) == protected
    assert refusal(iam.put_role_policy, RoleName=name, PolicyName="p", PolicyDocument=ANY) == protected
    assert refusal(iam.delete_role, RoleName=name) == protected
    assert refusal(iam.update_role, RoleName=name, MaxSessionDuration=7200) == protected
    iam.update_role_description(RoleName=name, Description="still mine")
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert re.fullmatch(rf"task/aws-service-role/ecs\.amazonaws\.com/{name}/[0-9a-f-]{{36}}", task)
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert refusal(iam.get_role, RoleName=name)[0] == "NoSuchEntity"
    path = "/aws-service-role/ecs.amazonaws.com/"
    params = {"RoleName": "x", "Path": path, "AssumeRolePolicyDocument": SERVICE_TRUST}
    assert refusal(iam.create_role, **params)[0] == "InvalidInput"
    assert refusal(iam.create_service_linked_role, AWSServiceName="nothing")[0] == "InvalidInput"
    iam.create_role(RoleName="plain", AssumeRolePolicyDocument=SERVICE_TRUST)
    assert refusal(iam.delete_service_linked_role, RoleName="plain")[0] == "NoSuchEntity"


def test_providers_are_made_once_and_told(aws: Aws) -> None:
    """URL, audiences, thumbprints and tags; the same URL is not taken twice; deleting is silent about none."""
    iam = aws.client("iam")
    arn = iam.create_open_id_connect_provider(
        Url=ISSUER, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40], Tags=[{"Key": "a", "Value": "b"}]
    )["OpenIDConnectProviderArn"]
    assert arn == "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    code, message, status = refusal(iam.create_open_id_connect_provider, Url=ISSUER)
    assert (code, message, status) == ("EntityAlreadyExists", f"Provider with url {ISSUER} already exists.", 409)
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="other")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="sts.amazonaws.com")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (found["ClientIDList"], found["ThumbprintList"]) == (["other"], ["b" * 40])
    assert {tag["Key"]: tag["Value"] for tag in found["Tags"]} == {"a": "b", "c": "d"}
    for _ in range(2):
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert refusal(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)[:2] == (
        "NoSuchEntity",
        f"OpenIDConnect Provider not found for arn {arn}",
    )


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Url": "http://example.com"}, "ValidationError"),
        ({"Url": "example.com"}, "ValidationError"),
        ({"Url": "https://"}, "ValidationError"),
        ({"Url": "https://example.com/?a=b"}, "ValidationError"),
        ({"Url": "https://me@example.com"}, "ValidationError"),
        ({"Url": f"https://example.com/{'a' * 250}"}, "ValidationError"),
        ({"ThumbprintList": ["a" * 41]}, "ValidationError"),
        ({"ThumbprintList": ["z" * 40]}, "InvalidInput"),
        ({"ThumbprintList": ["a" * 40] * 6}, "InvalidInput"),
        ({"ClientIDList": ["a" * 256]}, "ValidationError"),
        ({"ClientIDList": [f"c{number}" for number in range(101)]}, "LimitExceeded"),
    ],
)
def test_providers_have_a_form(aws: Aws, params: dict[str, Any], code: str) -> None:
    """HTTPS without a query, thumbprints of forty digits, a hundred audiences."""
    iam = aws.client("iam")
    assert refusal(iam.create_open_id_connect_provider, **{"Url": ISSUER, **params})[0] == code
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
