"""The policy simulator's calls, answered by the engine that the gate enforces with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gate_errors import refusal

from gate_clients import Aws, allow, document
from keyhole.local.root_keys import Credentials
from keyhole.local.statement_places import find_places

TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
USER = "arn:aws:iam::123456789012:user/u"
OBJECT = "arn:aws:s3:::b/key"


def deny(action: str, resource: str, **more: Any) -> dict[str, Any]:
    """A Deny statement."""
    return {**allow(action, resource, **more), "Effect": "Deny"}


def only(answer: dict[str, Any]) -> dict[str, Any]:
    """The one result of a simulation."""
    (result,) = answer["EvaluationResults"]
    return dict(result)


def custom(aws: Aws, *policies: str, action: str = "s3:GetObject", **more: Any) -> dict[str, Any]:
    """The result of one action under some policies."""
    iam = aws.client("iam")
    return only(iam.simulate_custom_policy(PolicyInputList=list(policies), ActionNames=[action], **more))


def test_statements_have_places() -> None:
    """A statement begins at its brace and ends behind it, counted from line and column one."""
    compact = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    assert find_places(compact) == (((1, 38), (1, 84)),)
    spread = '{\n  "Statement": {\n    "Effect": "Allow", "Action": "*", "Resource": "}"\n  }\n}'
    assert find_places(spread) == (((2, 16), (4, 4)),)
    text = json.dumps({"Statement": [allow("*", "*"), deny("*", "*")]}, indent=2)
    lines = text.splitlines()
    for (line, column), (last_line, end) in find_places(text):
        assert lines[line - 1][column - 1] == "{"
        assert lines[last_line - 1][end - 2] == "}"


def test_custom_policies_are_decided(aws: Aws) -> None:
    """Allowed, denied by nobody's allowing, denied explicitly; the matched statements are those that decide."""
    policy = document(allow("s3:*", "*"), deny("s3:Delete*", "*"))
    allowed = custom(aws, policy)
    assert (allowed["EvalDecision"], allowed["EvalResourceName"]) == (
        "allowed",
        "arn:${Partition}:s3:::${BucketName}/${ObjectName}",
    )
    (matched,) = allowed["MatchedStatements"]
    assert (matched["SourcePolicyId"], matched["SourcePolicyType"]) == ("PolicyInputList.1", "IAM Policy")
    assert matched["StartPosition"] == {"Line": 1, "Column": 41}
    denied = custom(aws, document(allow("s3:*", "*")), policy, action="s3:DeleteObject")
    assert denied["EvalDecision"] == "explicitDeny"
    assert [match["SourcePolicyId"] for match in denied["MatchedStatements"]] == ["PolicyInputList.2"]
    nothing = custom(aws, policy, action="iam:CreateUser")
    assert (nothing["EvalDecision"], nothing["MatchedStatements"]) == ("implicitDeny", [])
    assert "ResourceSpecificResults" not in nothing
    assert "OrganizationsDecisionDetail" not in nothing


def test_each_resource_has_its_result(aws: Aws) -> None:
    """One result for an action, as strict as its strictest resource, and one for each resource."""
    policy = document(allow("s3:GetObject", "arn:aws:s3:::a/*"), deny("s3:GetObject", "arn:aws:s3:::c/*"))
    arns = ["arn:aws:s3:::a/1", "arn:aws:s3:::b/1", "arn:aws:s3:::c/1"]
    result = custom(aws, policy, ResourceArns=arns)
    assert result["EvalDecision"] == "explicitDeny"
    found = {item["EvalResourceName"]: item["EvalResourceDecision"] for item in result["ResourceSpecificResults"]}
    assert found == dict(zip(arns, ("allowed", "implicitDeny", "explicitDeny"), strict=True))
    assert result["EvalDecisionDetails"] == {}
    assert len(result["MatchedStatements"]) == 1


def test_context_is_what_the_call_gives(aws: Aws) -> None:
    """Keys that a policy asks for and nobody gives are missing; values have types."""
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}
    policy = document(allow("s3:GetObject", "arn:aws:s3:::b/${aws:username}/*", Condition=condition))
    result = custom(aws, policy, ResourceArns=["arn:aws:s3:::b/u/x"])
    assert result["EvalDecision"] == "implicitDeny"
    assert sorted(result["MissingContextValues"]) == ["aws:SourceIp", "aws:TagKeys", "aws:username"]
    entries = [
        {"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["10.1.2.3"], "ContextKeyType": "ip"},
        {"ContextKeyName": "aws:TagKeys", "ContextKeyValues": ["b", "a"], "ContextKeyType": "stringList"},
        {"ContextKeyName": "aws:username", "ContextKeyValues": ["u"], "ContextKeyType": "string"},
    ]
    result = custom(aws, policy, ResourceArns=["arn:aws:s3:::b/u/x"], ContextEntries=entries)
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", [])
    for kind, value in (("numeric", "ten"), ("boolean", "yes"), ("ip", "here"), ("date", "soon"), ("binary", "%")):
        entry = {"ContextKeyName": "my:key", "ContextKeyValues": [value], "ContextKeyType": kind}
        code, message, _ = refusal(
            aws.client("iam").simulate_custom_policy,
            PolicyInputList=[policy],
            ActionNames=["s3:GetObject"],
            ContextEntries=[entry],
        )
        assert (code, value in message) == ("InvalidInput", True)


def test_boundaries_and_organizations_take_part(aws: Aws) -> None:
    """What a boundary or an SCP does not allow is denied, and the answer says which of them it was."""
    iam, policy = aws.client("iam"), document(allow("s3:*", "*"))
    narrow = document(allow("ec2:*", "*"))
    result = custom(aws, policy, PermissionsBoundaryPolicyInputList=[narrow])
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    result = custom(aws, policy, PermissionsBoundaryPolicyInputList=[policy])
    assert result["EvalDecision"] == "allowed"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}
    assert (
        refusal(
            iam.simulate_custom_policy,
            PolicyInputList=[policy],
            ActionNames=["s3:GetObject"],
            PermissionsBoundaryPolicyInputList=[policy, policy],
        )[0]
        == "InvalidInput"
    )
    levels = [{"ServiceControlPolicyInputList": [policy]}, {"ServiceControlPolicyInputList": [narrow]}]
    result = custom(aws, policy, OrderedOrganizationPolicyInputList=levels)
    assert result["EvalDecision"] == "implicitDeny"
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}


def test_resource_policies_take_part(aws: Aws) -> None:
    """In one account either is enough; across accounts both must allow, and each kind is told apart."""
    statement = {**allow("s3:GetObject", "arn:aws:s3:::b/*"), "Principal": {"AWS": USER}}
    nothing = document(allow("ec2:*", "*"))
    more: dict[str, Any] = {"ResourcePolicy": document(statement), "CallerArn": USER, "ResourceArns": [OBJECT]}
    same = custom(aws, nothing, **more)
    assert same["EvalDecision"] == "allowed"
    assert [match["SourcePolicyId"] for match in same["MatchedStatements"]] == ["ResourcePolicy"]
    other = custom(aws, nothing, **more, ResourceOwner="210987654321")
    assert other["EvalDecision"] == "implicitDeny"
    assert other["EvalDecisionDetails"] == {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}
    (apart,) = other["ResourceSpecificResults"]
    assert apart["EvalDecisionDetails"] == other["EvalDecisionDetails"]
    both = custom(aws, document(allow("s3:*", "*")), **more, ResourceOwner="210987654321")
    assert both["EvalDecision"] == "allowed"
    without_caller = {key: value for key, value in more.items() if key != "CallerArn"}
    iam = aws.client("iam")
    params = {"PolicyInputList": [nothing], "ActionNames": ["s3:GetObject"]}
    assert refusal(iam.simulate_custom_policy, **params, **without_caller)[0] == "InvalidInput"
    role = {**more, "CallerArn": "arn:aws:iam::123456789012:role/r"}
    assert "isn't supported for IAM roles" in refusal(iam.simulate_custom_policy, **params, **role)[1]


def test_a_principals_own_policies_are_simulated(aws: Aws) -> None:
    """Inline, managed and group policies of a user, with its boundary; each statement says where it comes from."""
    iam = aws.client("iam")
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(allow(["s3:*", "ec2:*", "iam:*"], "*")))
    iam.create_user(UserName="u", PermissionsBoundary=boundary["Policy"]["Arn"])
    iam.put_user_policy(UserName="u", PolicyName="inline", PolicyDocument=document(allow("ec2:*", "*")))
    iam.attach_user_policy(UserName="u", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="theirs", PolicyDocument=document(allow(["iam:*", "sns:*"], "*")))
    iam.add_user_to_group(GroupName="g", UserName="u")
    actions = ["ec2:RunInstances", "s3:GetObject", "iam:GetUser", "sns:Publish", "s3:PutObject"]
    results = iam.simulate_principal_policy(PolicySourceArn=USER, ActionNames=actions)["EvaluationResults"]
    assert [result["EvalActionName"] for result in results] == actions
    told = [(r["EvalDecision"], [m["SourcePolicyId"] for m in r["MatchedStatements"]]) for r in results]
    assert told == [
        ("allowed", ["user_u_inline"]),
        ("allowed", ["AmazonS3ReadOnlyAccess"]),
        ("allowed", ["group_g_theirs"]),
        ("implicitDeny", []),
        ("implicitDeny", []),
    ]
    assert results[3]["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    more = iam.simulate_principal_policy(
        PolicySourceArn=USER, ActionNames=["s3:PutObject"], PolicyInputList=[document(allow("s3:Put*", "*"))]
    )
    assert only(more)["EvalDecision"] == "allowed"
    group = iam.simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::123456789012:group/g", ActionNames=["sns:Publish"]
    )
    assert only(group)["EvalDecision"] == "allowed"


def test_roles_are_simulated_and_policies_left_out(aws: Aws) -> None:
    """A role's policies count, but for those that the call excludes."""
    iam = aws.client("iam")
    arn = iam.create_role(RoleName="r", Path="/app/", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=document(allow("s3:*", "*")))
    managed = "arn:aws:iam::aws:policy/AmazonEC2FullAccess"
    iam.attach_role_policy(RoleName="r", PolicyArn=managed)
    ask = {"PolicySourceArn": arn, "ActionNames": ["s3:GetObject", "ec2:RunInstances"]}

    def decisions(**more: Any) -> list[str]:
        answer = iam.simulate_principal_policy(**ask, **more)
        return [result["EvalDecision"] for result in answer["EvaluationResults"]]

    assert decisions() == ["allowed", "allowed"]
    assert decisions(PolicyExclusionList=[{"PolicyArn": managed}]) == ["allowed", "implicitDeny"]


def test_results_come_in_pages(aws: Aws) -> None:
    """MaxItems cuts the list, the marker goes on with it."""
    iam = aws.client("iam")
    actions = [f"s3:{name}" for name in ("GetObject", "PutObject", "DeleteObject")]
    pages = iam.get_paginator("simulate_custom_policy").paginate(
        PolicyInputList=[document(allow("s3:*", "*"))], ActionNames=actions, PaginationConfig={"PageSize": 2}
    )
    found = [[result["EvalActionName"] for result in page["EvaluationResults"]] for page in pages]
    assert found == [actions[:2], actions[2:]]


@pytest.mark.parametrize(
    "params",
    [
        {"ActionNames": ["s3:Get*"]},
        {"ActionNames": ["GetObject"]},
        {"ResourceArns": ["bucket"]},
        {"PolicyInputList": ["{}"]},
        {"ResourceHandlingOption": "EC2-Nowhere"},
        {"CallerArn": "arn:aws:sts::123456789012:assumed-role/r/s"},
        {"ResourceOwner": "me"},
    ],
)
def test_what_cannot_be_simulated_is_refused(aws: Aws, params: dict[str, Any]) -> None:
    """Wildcards in actions, names for ARNs, texts that are no policies, callers that are no users: InvalidInput."""
    good = {"PolicyInputList": [document(allow("s3:*", "*"))], "ActionNames": ["s3:GetObject"]}
    assert refusal(aws.client("iam").simulate_custom_policy, **{**good, **params})[0::2] == ("InvalidInput", 400)


def test_sources_must_be_there(aws: Aws) -> None:
    """A user that is not there is NoSuchEntity, what is no user, group or role InvalidInput."""
    iam = aws.client("iam")
    ask = iam.simulate_principal_policy
    assert refusal(ask, PolicySourceArn=USER, ActionNames=["s3:GetObject"])[0] == "NoSuchEntity"
    wrong = "arn:aws:iam::123456789012:policy/p"
    assert refusal(ask, PolicySourceArn=wrong, ActionNames=["s3:GetObject"])[0] == "InvalidInput"


def test_keys_that_policies_name_are_listed(aws: Aws) -> None:
    """Condition keys and variables, each once, of a principal's policies and of those that the call brings."""
    iam = aws.client("iam")
    own = document(allow("s3:*", "arn:aws:s3:::b/${aws:username}/*", Condition={"Bool": {"aws:SecureTransport": True}}))
    more = document(allow("s3:*", "*", Condition={"StringLike": {"S3:prefix": ["${AWS:Username}/*", "${*}"]}}))
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[more])["ContextKeyNames"] == [
        "AWS:Username",
        "S3:prefix",
    ]
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=own)
    answer = iam.get_context_keys_for_principal_policy(PolicySourceArn=USER, PolicyInputList=[more])
    assert answer["ContextKeyNames"] == ["aws:SecureTransport", "aws:username", "S3:prefix"]


def test_simulating_needs_permission(aws: Aws) -> None:
    """SimulatePrincipalPolicy is asked about on the source, SimulateCustomPolicy of nothing in particular."""
    iam = aws.client("iam")
    iam.create_user(UserName="u")
    keys: Credentials = aws.user(allow("iam:SimulatePrincipalPolicy", USER))
    theirs = aws.client("iam", keys)
    theirs.simulate_principal_policy(PolicySourceArn=USER, ActionNames=["s3:GetObject"])
    iam.create_user(UserName="v")
    other = USER.replace("/u", "/v")
    assert refusal(theirs.simulate_principal_policy, PolicySourceArn=other, ActionNames=["s3:GetObject"])[0] == (
        "AccessDenied"
    )
    policy = document(allow("s3:*", "*"))
    assert refusal(theirs.simulate_custom_policy, PolicyInputList=[policy], ActionNames=["s3:GetObject"])[0] == (
        "AccessDenied"
    )
