"""AWS's own sentences, word for word, and the longer account for people."""

from __future__ import annotations

import pytest

from keyhole.iam import (
    ANONYMOUS,
    Decision,
    Outcome,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalKind,
    Request,
    decide,
    denial_message,
    explain,
    parse_policy,
)

ARN = "arn:aws:iam::123456789012:user/JohnDoe"
USER = Principal(PrincipalKind.USER, ARN, "123456789012")
PUT = Request(USER, "s3:PutObject", "arn:aws:s3:::masks/cat.png")
GROUP = "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:*"
DEPLOY = Request(USER, "codedeploy:ListDeployments", GROUP)
LIST = Request(USER, "codecommit:ListRepositories", "*")
START = f"User: {ARN} is not authorized to perform:"


def denied(outcome: Outcome, *kinds: PolicyKind) -> Decision:
    """A decision that these layers blocked."""
    return Decision(outcome, "", kinds, ())


@pytest.mark.parametrize(
    ("request_", "kind", "expected"),
    [
        (PUT, PolicyKind.IDENTITY, '"arn:aws:s3:::masks/cat.png" because no identity-based policy allows the'),
        (PUT, PolicyKind.RESOURCE, '"arn:aws:s3:::masks/cat.png" because no resource-based policy allows the'),
        (DEPLOY, PolicyKind.BOUNDARY, f"{GROUP} because no permissions boundary allows the"),
        (DEPLOY, PolicyKind.SESSION, f"{GROUP} because no session policy allows the"),
        (DEPLOY, PolicyKind.SCP, f"{GROUP} because no service control policy allows the"),
        (DEPLOY, PolicyKind.ENDPOINT, f"{GROUP} because no VPC endpoint policy allows the"),
        (DEPLOY, PolicyKind.TRUST, f"{GROUP} because no role trust policy allows the"),
    ],
)
def test_implicit_denials(request_: Request, kind: PolicyKind, expected: str) -> None:
    """Each names the policy that lacks an allow; only S3 quotes the resource."""
    message = denial_message(request_, denied(Outcome.IMPLICIT_DENY, kind))
    assert message == f"{START} {request_.action} on resource: {expected} {request_.action} action"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (PolicyKind.IDENTITY, "with an explicit deny in an identity-based policy"),
        (PolicyKind.RESOURCE, "with an explicit deny in a resource-based policy"),
        (PolicyKind.BOUNDARY, "with an explicit deny in a permissions boundary"),
        (PolicyKind.SESSION, "with an explicit deny in a session policy"),
        (PolicyKind.SCP, "with an explicit deny in a service control policy"),
        (PolicyKind.RCP, "with an explicit deny in a resource control policy"),
        (PolicyKind.ENDPOINT, "with an explicit deny in a VPC endpoint policy"),
        (PolicyKind.TRUST, "with an explicit deny in the role trust policy"),
    ],
)
def test_explicit_denials(kind: PolicyKind, expected: str) -> None:
    """Each names the policy that denies; an action that takes no resource names none."""
    decision = denied(Outcome.EXPLICIT_DENY, kind, PolicyKind.RESOURCE)
    assert denial_message(LIST, decision) == f"{START} codecommit:ListRepositories {expected}"


def test_callers_without_an_identity_learn_nothing() -> None:
    """S3 says no more to anonymous callers, nor STS to those with a provider's token."""
    anonymous = Request(ANONYMOUS, "s3:GetObject", "arn:aws:s3:::masks/cat.png", resource_account="123456789012")
    decision = denied(Outcome.IMPLICIT_DENY, PolicyKind.RESOURCE)
    assert denial_message(anonymous, decision) == "Access Denied"
    token = Request(Principal(PrincipalKind.WEB_IDENTITY, "p"), "sts:AssumeRoleWithWebIdentity", "r")
    assert denial_message(token, decision) == "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    queue = Request(ANONYMOUS, "sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:jobs")
    assert denial_message(queue, decision).startswith("User: anonymous is not authorized to perform: sqs:SendMessage")


def test_a_root_that_assumes_a_role_is_told_so() -> None:
    """STS has a sentence of its own for account roots, whatever layer blocked."""
    root = Principal(PrincipalKind.ROOT, "arn:aws:iam::123456789012:root", "123456789012")
    request = Request(root, "sts:AssumeRole", "arn:aws:iam::123456789012:role/web")
    decision = decide(request, PolicySet())
    assert decision.reason == "an account root assumes no role"
    assert denial_message(request, decision) == "Roles may not be assumed by root accounts."


def test_an_allow_has_no_denial_message() -> None:
    """Where nothing is denied there is nothing to say."""
    root = Principal(PrincipalKind.ROOT, "arn:aws:iam::123456789012:root", "123456789012")
    request = Request(root, "s3:PutObject", "arn:aws:s3:::masks/cat.png")
    decision = decide(request, PolicySet())
    assert denial_message(request, decision) == ""
    assert explain(request, decision).splitlines() == [
        "arn:aws:iam::123456789012:root may s3:PutObject on arn:aws:s3:::masks/cat.png",
        "  allowed: `arn:aws:iam::123456789012:root` is the account root, which has full access to its account",
        "  no statement had a say",
    ]


def test_the_account_for_people() -> None:
    """It has the question, the answer, the layers, and each statement up to what failed."""
    statement = {
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::masks/mask/*",
        "Condition": {"Nonsense": {"k": "v"}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement, {**statement, "Sid": "Any", "Resource": "*"}]}
    policy = parse_policy(document, PolicyKind.IDENTITY, "uploader")
    assert explain(PUT, decide(PUT, PolicySet(identity=(policy,)))).splitlines() == [
        f"{ARN} may not s3:PutObject on arn:aws:s3:::masks/cat.png",
        "  denied, because nothing allows it: no identity-based policy allows the `s3:PutObject` action; "
        "statement 1 `Any` of identity-based policy `uploader` could not be evaluated: "
        "`Nonsense` is no operator that is known",
        "  blocked by: identity-based policy",
        "  statement 0 of identity-based policy `uploader`: Allow does not apply",
        "    + Action: `s3:PutObject` matches `s3:PutObject`",
        "    - Resource: `arn:aws:s3:::masks/cat.png` matches none of `arn:aws:s3:::masks/mask/*`",
        "  statement 1 `Any` of identity-based policy `uploader`: Allow could not be evaluated",
        "    + Action: `s3:PutObject` matches `s3:PutObject`",
        "    + Resource: `arn:aws:s3:::masks/cat.png` matches `*`",
        "    ? Condition Nonsense: `Nonsense` is no operator that is known",
    ]
