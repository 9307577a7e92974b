"""IAM's policy documents: what AWS refuses is refused with its sentences, and everywhere that a document is put."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gate_errors import refusal

from gate_clients import Aws, document
from keyhole.iam.model import PolicyKind
from keyhole.local.iam_document_rules import find_defect

GOOD = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def changed(base: dict[str, Any], **changes: Any) -> str:
    """A document of one statement, with members replaced, or left out where the change is None."""
    statement = {key: value for key, value in {**base, **changes}.items() if value is not None}
    return document(statement)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "Syntax errors in policy."),
        ('"text"', "Syntax errors in policy."),
        ('{"Version": "2012-10-17"}', "Syntax errors in policy."),
        (changed(GOOD, Effect="Alow"), "Syntax errors in policy."),
        (changed(GOOD, Effect="allow"), "The policy failed legacy parsing"),
        (changed(GOOD, Bogus="x"), "Syntax errors in policy."),
        (changed(GOOD, Action=None), "Policy statement must contain actions."),
        (changed(GOOD, Action=[]), "Policy statement must contain actions."),
        (changed(GOOD, Resource=None), "Policy statement must contain resources."),
        (changed(GOOD, Resource=[]), "Policy statement must contain resources."),
        (changed(GOOD, Resource="bucket"), 'Resource bucket must be in ARN format or "*".'),
        (changed(GOOD, Resource=""), 'Resource  must be in ARN format or "*".'),
        (changed(GOOD, Resource="arn:was:s3:::b"), 'Partition "was" is not valid for resource "arn:was:s3:::b".'),
        (changed(GOOD, Resource="arn::s3:::b"), 'Partition "" is not valid for resource "arn::s3:::b".'),
        (
            changed(GOOD, Resource="arn:aws"),
            "Resource vendor must be fully qualified and cannot contain regexes.",
        ),
        (changed(GOOD, Resource="arn:aws:::x"), "The policy failed legacy parsing"),
        (
            changed(GOOD, Resource="arn:aws:s3:eu-west-1::b"),
            "Resource arn:aws:s3:eu-west-1::b can not contain region information.",
        ),
        (
            changed(GOOD, Resource="arn:aws:iam:eu-west-1:123456789012:role/x"),
            "IAM resource arn:aws:iam:eu-west-1:123456789012:role/x cannot contain region information.",
        ),
        (
            changed(GOOD, Action="GetObject"),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (changed(GOOD, Action="s3:Get:Object"), "Actions/Condition can contain only one colon."),
        (changed(GOOD, Action="s 3:GetObject"), "Vendor s 3 is not valid"),
        (changed(GOOD, Principal="*"), "Policy document should not specify a principal."),
        (changed(GOOD, Condition={"StringEqals": {"aws:username": "x"}}), "Syntax errors in policy."),
        (
            changed(GOOD, Condition={"DateLessThan": {"aws:CurrentTime": "soon"}}),
            "The policy failed legacy parsing",
        ),
        (
            document({**GOOD, "Sid": "a"}, {**GOOD, "Sid": "a"}),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            changed(GOOD, Sid="a b"),
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*",
        ),
    ],
)
def test_identity_policies_that_aws_refuses(text: str, sentence: str) -> None:
    """Each defect has the sentence that IAM answers with."""
    assert find_defect(text, PolicyKind.IDENTITY) == sentence


@pytest.mark.parametrize(
    "statement",
    [
        GOOD,
        {**GOOD, "Action": "*", "Resource": ["arn:aws:s3:::b/*", "arn:*:s3:::c"]},
        {"Effect": "Deny", "NotAction": ["iam:*"], "NotResource": "arn:aws:iam::123456789012:user/x"},
        {**GOOD, "Resource": "arn:aws:s3:eu-west-1:123456789012:accesspoint/x"},
        {**GOOD, "Condition": {"DateLessThan": {"aws:CurrentTime": "2031-05-17T12:30:00Z", "aws:EpochTime": "1"}}},
        {**GOOD, "Condition": {"ForAllValues:StringLikeIfExists": {"aws:TagKeys": ["a*"]}}},
    ],
)
def test_identity_policies_that_aws_takes(statement: dict[str, Any]) -> None:
    """What is a policy is no defect."""
    assert find_defect(document(statement), PolicyKind.IDENTITY, is_managed=True) == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "This policy contains invalid Json"),
        (changed(TRUST, Resource="*"), "Has prohibited field Resource"),
        (changed(TRUST, Principal=None, NotPrincipal={"AWS": "*"}), "Has prohibited field NotPrincipal"),
        (changed(TRUST, Principal=None), "Missing required field Principal"),
        (changed(TRUST, Effect=None), "Missing required field Effect"),
        (changed(TRUST, Bogus="x"), "Unknown field Bogus"),
        (changed(TRUST, Effect="Alow"), "Invalid effect: Alow"),
        (changed(TRUST, Action="s3:GetObject"), "AssumeRole policy may only specify STS AssumeRole actions."),
        (changed(TRUST, Principal={"AWS": "bob"}), 'Invalid principal in policy: "AWS":"bob"'),
        (
            changed(TRUST, Principal={"AWS": ["*", "arn:aws:iam::123456789012:user/*"]}),
            'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/*"',
        ),
        (changed(TRUST, Principal={"Service": "nothing"}), 'Invalid principal in policy: "SERVICE":"nothing"'),
        (changed(TRUST, Principal={"Federated": "nobody"}), 'Invalid principal in policy: "FEDERATED":"nobody"'),
    ],
)
def test_trust_policies_that_aws_refuses(text: str, sentence: str) -> None:
    """Trust policies have sentences of their own."""
    assert find_defect(text, PolicyKind.TRUST) == sentence


def test_managed_policies_are_of_the_new_version() -> None:
    """An inline policy may do without a version, a managed one may not."""
    text = json.dumps({"Statement": [GOOD]})
    assert find_defect(text, PolicyKind.IDENTITY) == ""
    sentence = "Policy document must be version 2012-10-17 or greater."
    assert find_defect(text, PolicyKind.IDENTITY, is_managed=True) == sentence


def test_every_call_that_puts_a_document_checks_it(aws: Aws) -> None:
    """What is malformed is stored by none of the seven calls; an inline policy of the old version is."""
    iam = aws.client("iam")
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(TRUST))
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(GOOD))["Policy"]["Arn"]
    bad = changed(GOOD, Action="GetObject")
    for call, params in (
        (iam.create_policy, {"PolicyName": "q"}),
        (iam.create_policy_version, {"PolicyArn": arn}),
        (iam.put_user_policy, {"UserName": "u", "PolicyName": "p"}),
        (iam.put_role_policy, {"RoleName": "r", "PolicyName": "p"}),
        (iam.put_group_policy, {"GroupName": "g", "PolicyName": "p"}),
        (iam.update_assume_role_policy, {"RoleName": "r"}),
    ):
        code, message, status = refusal(call, PolicyDocument=bad, **params)
        assert (code, status) == ("MalformedPolicyDocument", 400)
        assert "prefaced by a vendor" in message or "prohibited field" in message
    assert refusal(iam.create_role, RoleName="s", AssumeRolePolicyDocument="x")[0] == "MalformedPolicyDocument"
    iam.put_user_policy(UserName="u", PolicyName="old", PolicyDocument=json.dumps({"Statement": GOOD}))
    assert iam.list_user_policies(UserName="u")["PolicyNames"] == ["old"]


def test_a_trusted_principal_must_exist(aws: Aws) -> None:
    """A user that is not there, or was, cannot be named; a unique id of one that is there can."""
    iam = aws.client("iam")
    user = iam.create_user(UserName="u")["User"]
    for principal in ("arn:aws:iam::123456789012:user/none", "AIDAAAAAAAAAAAAAAAAAA"):
        text = changed(TRUST, Principal={"AWS": principal})
        message = refusal(iam.create_role, RoleName="r", AssumeRolePolicyDocument=text)[1]
        assert message == f'Invalid principal in policy: "AWS":"{principal}"'
    for number, principal in enumerate((user["Arn"], user["UserId"], "123456789012")):
        iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=changed(TRUST, Principal={"AWS": principal}))


def test_documents_have_a_quota(aws: Aws) -> None:
    """Managed, trust and inline policies are measured without white space, inline ones all together."""
    iam = aws.client("iam")
    many = [f"arn:aws:s3:::b{number:04}/*" for number in range(400)]
    long = changed(GOOD, Resource=many)
    assert refusal(iam.create_policy, PolicyName="p", PolicyDocument=long)[:2] == (
        "LimitExceeded",
        "Cannot exceed quota for PolicySize: 6144",
    )
    principals = {"AWS": [f"{number:012}" for number in range(200)]}
    code, message, status = refusal(
        iam.create_role, RoleName="r", AssumeRolePolicyDocument=changed(TRUST, Principal=principals)
    )
    assert (code, message, status) == ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", 409)
    iam.create_user(UserName="u")
    half = changed(GOOD, Resource=many[:60])
    iam.put_user_policy(UserName="u", PolicyName="a", PolicyDocument=half)
    iam.put_user_policy(UserName="u", PolicyName="a", PolicyDocument=json.dumps(json.loads(half), indent=8))
    code, message, _ = refusal(iam.put_user_policy, UserName="u", PolicyName="b", PolicyDocument=half)
    assert (code, message) == ("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user u")
