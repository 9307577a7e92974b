"""AssumeRoleWithWebIdentity through the gate: tokens verified, trust policies asked, sessions that know it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from gate_errors import fetch, refusal
from token_issuer import P256, RSA, Published, public, serve, sign

from gate_clients import Aws, allow, document
from keyhole.local.github_claims import ISSUER
from keyhole.local.github_job import request_job
from keyhole.local.root_keys import DEFAULT_ACCOUNT, Credentials
from keyhole.local.state import events_path, read_state

GITHUB = "token.actions.githubusercontent.com"
ASSUME = "sts:AssumeRoleWithWebIdentity"
TAGS = "https://aws.amazon.com/tags"


@pytest.fixture
def site() -> Iterator[Published]:
    """An identity provider on loopback with one RSA and one EC key."""
    with serve() as published:
        published.publish_keys(public(RSA), public(P256))
        yield published


class Federation:
    """A role that trusts one identity provider."""

    def __init__(self, aws: Aws, url: str) -> None:
        self.aws = aws
        self.url = url
        self.host = url.partition("://")[2]
        created = aws.client("iam").create_open_id_connect_provider(
            Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
        )
        self.provider = str(created["OpenIDConnectProviderArn"])

    def role(
        self, condition: dict[str, Any] | None = None, *, action: str | list[str] = ASSUME, name: str = "job"
    ) -> str:
        """The ARN of a role whose trust policy has this condition; it may list buckets."""
        statement = {"Effect": "Allow", "Principal": {"Federated": self.provider}, "Action": action}
        trust = document({**statement, **({"Condition": condition} if condition else {})})
        iam = self.aws.client("iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(allow("s3:ListAllMyBuckets", "*")))
        return str(role["Arn"])

    def grant(self, *statements: dict[str, Any]) -> None:
        self.aws.client("iam").put_role_policy(RoleName="job", PolicyName="p", PolicyDocument=document(*statements))

    def claims(self, **more: Any) -> dict[str, Any]:
        """Claims that are right, but for what is given; None leaves a claim out."""
        at = int(time.time())
        right = {"iss": self.url, "sub": "me", "aud": "sts.amazonaws.com", "exp": at + 300, "iat": at}
        return {name: value for name, value in {**right, **more}.items() if value is not None}

    def params(self, token: str, role: str, **more: Any) -> dict[str, Any]:
        return {"RoleArn": role, "RoleSessionName": "run-1", "WebIdentityToken": token, **more}

    def assume(self, token: str, role: str, **more: Any) -> dict[str, Any]:
        sts = self.aws.client("sts", anonymous=True)
        answer: dict[str, Any] = sts.assume_role_with_web_identity(**self.params(token, role, **more))
        return answer

    def refuse(self, token: str, role: str, **more: Any) -> tuple[str, str, int]:
        sts = self.aws.client("sts", anonymous=True)
        return refusal(sts.assume_role_with_web_identity, **self.params(token, role, **more))

    def session(self, answer: dict[str, Any]) -> Credentials:
        given = answer["Credentials"]
        return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


@pytest.fixture
def local(aws: Aws, site: Published) -> Federation:
    return Federation(aws, site.url)


@pytest.fixture
def github(aws: Aws) -> Federation:
    return Federation(aws, ISSUER)


def job_token(aws: Aws, repository: str = "acme/infra", audience: str = "sts.amazonaws.com", **job: Any) -> str:
    """A token as a step of a GitHub Actions job gets it."""
    state = read_state(aws.server.port)
    assert state is not None
    begun = request_job(state, repository, **job)
    url = f"{begun.request_url}&audience={audience}"
    return str(json.loads(fetch(url, Authorization=f"bearer {begun.request_token}")[1])["value"])


def test_a_github_job_becomes_its_role(aws: Aws, github: Federation) -> None:
    """The job that the trust policy names gets credentials that work; the answer says who it is, as AWS's does."""
    role = github.role(
        {
            "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{GITHUB}:sub": "repo:acme/infra:environment:prod"},
        }
    )
    answer = github.assume(job_token(aws, environment="prod"), role)
    assert answer["SubjectFromWebIdentityToken"] == "repo:acme/infra:environment:prod"
    assert answer["Provider"] == f"arn:aws:iam::{DEFAULT_ACCOUNT}:oidc-provider/{GITHUB}"
    assert answer["Audience"] == "sts.amazonaws.com"
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{DEFAULT_ACCOUNT}:assumed-role/job/run-1"
    assert "PackedPolicySize" not in answer
    assert "SourceIdentity" not in answer
    keys = github.session(answer)
    assert aws.client("sts", keys).get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]
    aws.client("s3", keys).list_buckets()
    for job in ({}, {"environment": "staging"}, {"is_pull_request": True}, {"branch": "prod"}):
        refused = github.refuse(job_token(aws, **job), role)
        assert refused == ("AccessDenied", f"Not authorized to perform {ASSUME}", 403)
    assert github.refuse(job_token(aws, "evil/infra", environment="prod"), role)[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("condition", "is_allowed"),
    [
        ({"StringEquals": {f"{GITHUB}:repository": "acme/infra", f"{GITHUB}:ref": "refs/heads/main"}}, True),
        ({"StringEquals": {f"{GITHUB}:actor": "octocat", f"{GITHUB}:workflow": "deploy"}}, True),
        ({"StringLike": {f"{GITHUB}:job_workflow_ref": "acme/infra/.github/workflows/*@refs/heads/main"}}, True),
        ({"StringEquals": {f"{GITHUB}:repository": "acme/other"}}, False),
        # Claims that are in the token, but that AWS makes no condition keys of.
        ({"StringEquals": {f"{GITHUB}:repository_owner": "acme"}}, False),
        ({"StringEquals": {f"{GITHUB}:event_name": "push"}}, False),
        ({"Null": {f"{GITHUB}:environment": "true"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "run-1"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "run-2"}}, False),
        ({"ArnLike": {"aws:FederatedProvider": f"arn:aws:iam::*:oidc-provider/{GITHUB}"}}, True),
        ({"Null": {"aws:PrincipalArn": "false"}}, False),
        ({"Bool": {"sts:RoleAuthorizedByIdp": "true"}}, False),
    ],
)
def test_trust_policies_see_the_claims_that_aws_knows(
    aws: Aws, github: Federation, condition: dict[str, Any], is_allowed: bool
) -> None:
    """GitHub's claims are keys where AWS lists them, and absent where it does not."""
    role, token = github.role(condition), job_token(aws)
    if is_allowed:
        github.assume(token, role)
    else:
        assert github.refuse(token, role)[0] == "AccessDenied"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_any_provider_that_publishes_its_keys_is_taken(local: Federation, algorithm: str) -> None:
    """A provider of one's own is discovered by its URL; its keys verify its tokens."""
    role = local.role({"StringEquals": {f"{local.host}:sub": "me", f"{local.host}:aud": "sts.amazonaws.com"}})
    key = RSA if algorithm == "RS256" else P256
    assert local.assume(sign(local.claims(), key, algorithm), role)["SubjectFromWebIdentityToken"] == "me"
    assert local.refuse(sign(local.claims(sub="you"), key, algorithm), role)[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("claims", "code", "message"),
    [
        ({"aud": "another"}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"azp": "another"}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"aud": ["another", "third"]}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"aud": []}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"aud": None}, "InvalidIdentityToken", "Missing a required claim: aud"),
        ({"sub": None}, "InvalidIdentityToken", "Missing a required claim: sub"),
        ({"exp": None}, "InvalidIdentityToken", "Missing a required claim: exp"),
        ({"exp": 1}, "ExpiredTokenException", "Token expired: current date/time"),
        ({"nbf": 4_000_000_000}, "InvalidIdentityToken", "its nbf is in the future"),
        ({"iss": "https://another.example"}, "InvalidIdentityToken", "No OpenIDConnect provider found in your account"),
        ({"iss": None}, "InvalidIdentityToken", "Missing a required claim: iss"),
        ({"https://aws.amazon.com/roles": ["arn:aws:iam::1:role/x"]}, "InvalidIdentityToken", "not among those"),
        ({TAGS: "all"}, "InvalidIdentityToken", "Invalid claim"),
        ({TAGS: {"principal_tags": {"a": ["1", "2"]}}}, "InvalidIdentityToken", "Invalid claim"),
        ({"https://aws.amazon.com/source_identity": "a b"}, "ValidationError", "sourceIdentity"),
    ],
)
def test_a_token_that_is_not_for_here_is_refused(
    local: Federation, claims: dict[str, Any], code: str, message: str
) -> None:
    """Audience, issuer, times and the claims that AWS reads are checked, in AWS's words, and all are 400."""
    role = local.role()
    refused = local.refuse(sign(local.claims(**claims)), role)
    assert (refused[0], refused[2]) == (code, 400)
    assert message in refused[1]


def test_unverified_tokens_get_nothing(aws: Aws, local: Federation, site: Published) -> None:
    """`none`, a stranger's signature, a key that is not published and no token at all are refused."""
    role = local.role()
    good = sign(local.claims())
    header, claims, signature = good.split(".")
    unsigned = sign(local.claims(), RSA).replace(header, "eyJhbGciOiJub25lIn0", 1)
    for text in (unsigned, f"eyJhbGciOiJub25lIn0.{claims}.", f"{header}.{claims}.{signature[:-8]}AAAAAAAA", "x.y.z"):
        assert local.refuse(text, role)[0] == "InvalidIdentityToken"
    site.publish_keys(public(P256))
    aws.server.reset()
    again = Federation(aws, site.url)
    refused = again.refuse(good, again.role())
    assert refused[0] == "InvalidIdentityToken"
    assert refused[1].startswith("Couldn't retrieve verification key from your identity provider,  please reference")


def test_a_provider_that_is_down_is_said_to_be(local: Federation, site: Published) -> None:
    """503 of the provider is an error that SDKs try again; no answer at all is AWS's InvalidIdentityToken."""
    role, token = local.role(), sign(local.claims())
    site.publish("/.well-known/openid-configuration", {}, 503)
    assert local.refuse(token, role)[::2] == ("IDPCommunicationError", 400)
    site.documents.clear()
    assert local.refuse(token, role)[::2] == ("InvalidIdentityToken", 400)


def test_the_provider_must_be_of_the_roles_account(aws: Aws, local: Federation) -> None:
    """A provider in one account is none in another, and a role that is not there is denied like one that is."""
    token = sign(local.claims())
    other = "arn:aws:iam::999988887777:role/job"
    assert "No OpenIDConnect provider found" in local.refuse(token, other)[1]
    missing = f"arn:aws:iam::{DEFAULT_ACCOUNT}:role/none"
    assert local.refuse(token, missing) == ("AccessDenied", f"Not authorized to perform {ASSUME}", 403)
    assert local.refuse(token, "arn:aws:iam::1:user/some-one")[0] == "ValidationError"
    role = local.role()
    aws.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=local.provider)
    assert "No OpenIDConnect provider found" in local.refuse(token, role)[1]


def test_roles_that_trust_others_are_not_given(aws: Aws, local: Federation, github: Federation) -> None:
    """A token of one provider does not open a role that trusts another, a user, or everyone by another action."""
    token = sign(local.claims())
    assert local.refuse(token, github.role(name="of-github"))[0] == "AccessDenied"
    iam = aws.client("iam")
    trusts = (
        allow("sts:AssumeRole", "*", Principal={"Federated": local.provider}),
        allow(ASSUME, "*", Principal={"AWS": f"arn:aws:iam::{DEFAULT_ACCOUNT}:root"}),
        allow("sts:AssumeRole", "*", Principal="*"),
    )
    for number, statement in enumerate(trusts):
        del statement["Resource"]
        role = iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=document(statement))["Role"]["Arn"]
        assert local.refuse(token, role)[0] == "AccessDenied"


def test_the_session_knows_its_provider(aws: Aws, local: Federation) -> None:
    """Requests of the session have the provider, the subject and the audience as condition keys, and not the rest."""
    role, token = local.role(), sign(local.claims(amr=["pwd", "mfa"], email="me@example.org"))
    keys = local.session(local.assume(token, role))
    s3 = aws.client("s3", keys)
    held = (
        {"StringEquals": {"aws:FederatedProvider": local.provider}},
        {"StringEquals": {f"{local.host}:sub": "me", f"{local.host}:aud": "sts.amazonaws.com"}},
        {"ForAnyValue:StringEquals": {f"{local.host}:amr": "mfa"}},
        {"Null": {f"{local.host}:email": "true", f"{local.host}:oaud": "true"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "false"}, "Null": {"aws:TokenIssueTime": "false"}},
        {"Null": {"aws:MultiFactorAuthAge": "true", "aws:SourceIdentity": "true", "aws:PrincipalOrgID": "true"}},
    )
    for condition in held:
        local.grant(allow("s3:ListAllMyBuckets", "*", Condition=condition))
        s3.list_buckets()
    for key in (f"{local.host}:sub", "aws:FederatedProvider"):
        local.grant(allow("s3:ListAllMyBuckets", "*", Condition={"StringEquals": {key: "another"}}))
        assert refusal(s3.list_buckets)[0] == "AccessDenied"


@pytest.mark.parametrize("is_flat", [False, True], ids=["nested", "flat"])
def test_tags_come_with_the_token(aws: Aws, local: Federation, is_flat: bool) -> None:
    """Session tags in the token need sts:TagSession, are conditions of the trust policy, and tag the session."""
    nested = {"principal_tags": {"team": ["blue"]}, "transitive_tag_keys": ["team"]}
    flat = {f"{TAGS}/principal_tags/team": "blue", f"{TAGS}/transitive_tag_keys": ["team"]}
    token = sign(local.claims(**(flat if is_flat else {TAGS: nested})))
    refused = local.refuse(token, local.role(name="untagged"))
    assert refused == ("AccessDenied", "Not authorized to perform sts:TagSession", 403)
    condition = {
        "StringEquals": {"aws:RequestTag/team": "blue"},
        "ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["team"], "aws:TagKeys": ["team"]},
    }
    answer = local.assume(token, local.role(condition, action=[ASSUME, "sts:TagSession"]))
    assert answer["PackedPolicySize"] > 0
    local.grant(allow("s3:ListAllMyBuckets", "*", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}}))
    aws.client("s3", local.session(answer)).list_buckets()


def test_a_source_identity_comes_with_the_token(aws: Aws, local: Federation) -> None:
    """It needs sts:SetSourceIdentity, is answered, and is in every request of the session."""
    token = sign(local.claims(**{"https://aws.amazon.com/source_identity": "ann"}))
    refused = local.refuse(token, local.role(name="plain"))
    assert refused == ("AccessDenied", "Not authorized to perform sts:SetSourceIdentity", 403)
    condition = {"StringEquals": {"sts:SourceIdentity": "ann"}}
    answer = local.assume(token, local.role(condition, action=[ASSUME, "sts:SetSourceIdentity"]))
    assert answer["SourceIdentity"] == "ann"
    local.grant(allow("s3:ListAllMyBuckets", "*", Condition={"StringEquals": {"aws:SourceIdentity": "ann"}}))
    aws.client("s3", local.session(answer)).list_buckets()


def test_a_token_may_be_for_one_role_only(local: Federation) -> None:
    """Where the provider names roles, no other is given, and the trust policy can ask for it."""
    condition = {"Bool": {"sts:RoleAuthorizedByIdp": "true"}}
    role, other = local.role(condition), local.role(name="other")
    token = sign(local.claims(**{"https://aws.amazon.com/roles": role}))
    local.assume(token, role)
    assert local.refuse(token, other)[0] == "InvalidIdentityToken"
    assert local.refuse(sign(local.claims()), role)[0] == "AccessDenied"


def test_the_authorized_party_is_the_audience(local: Federation) -> None:
    """`azp` comes before `aud`, as on AWS; of several audiences one must be a client ID."""
    role = local.role({"StringEquals": {f"{local.host}:aud": "sts.amazonaws.com"}})
    answer = local.assume(sign(local.claims(aud="resource", azp="sts.amazonaws.com")), role)
    assert answer["Audience"] == "sts.amazonaws.com"
    assert local.refuse(sign(local.claims(azp="another")), role)[1] == "Incorrect token audience"


def test_session_policies_and_durations_hold_here_too(aws: Aws, local: Federation) -> None:
    """A session policy limits the session, and no session is longer than the role allows."""
    role, token = local.role(), sign(local.claims())
    keys = local.session(local.assume(token, role, Policy=document(allow("s3:GetObject", "*"))))
    assert "session policy" in refusal(aws.client("s3", keys).list_buckets)[1]
    assert "MaxSessionDuration" in local.refuse(token, role, DurationSeconds=3601)[1]
    assert local.refuse(token, role, RoleSessionName="a b")[0] == "ValidationError"
    assert local.refuse(token, role, ProviderId="www.amazon.com")[::2] == ("NotImplemented", 501)


def test_the_token_is_in_no_message_and_no_event(aws: Aws, local: Federation) -> None:
    """What was refused is not repeated, and the event has neither the token nor the credentials."""
    role, token = local.role(), sign(local.claims())
    assert token not in str(local.refuse(token + "é" * 20_000, role))
    answer = local.assume(token, role)
    text = events(aws)
    assert token not in text
    assert answer["Credentials"]["SecretAccessKey"] not in text
    event = [json.loads(line) for line in text.splitlines()][-1]
    assert event["eventName"] == "AssumeRoleWithWebIdentity"
    assert event["userIdentity"]["type"] == "WebIdentityUser"
    assert event["userIdentity"]["principalId"] == f"{local.provider}:sts.amazonaws.com:me"


def events(aws: Aws) -> str:
    return events_path(aws.server.port).read_text("utf-8")


def test_an_sdk_gets_and_uses_them_by_itself(
    aws: Aws, github: Federation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 with AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE needs nothing else, as in a workflow."""
    role, file = github.role(), tmp_path / "token"
    file.write_text(job_token(aws), "utf-8")
    monkeypatch.setenv("AWS_ROLE_ARN", role)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(file))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    session = boto3.Session(region_name="us-east-1")
    session.client("s3", config=Config(retries={"max_attempts": 1})).list_buckets()
    assert ":assumed-role/job/" in session.client("sts").get_caller_identity()["Arn"]
