"""STS: who the caller is, and the terms on which credentials are given."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore.parsers import create_parser
from memory_backend import ACCOUNT, Clock, MemoryBackend, make_role

from keyhole.iam.model import Principal, PrincipalKind
from keyhole.local.backend import Document
from keyhole.local.call import ApiCall, Caller, Fault, Headers, HttpRequest
from keyhole.local.sessions import Session, SessionStore, assumed_role_principal
from keyhole.local.sts import OFFERED, answer, check_call

MODEL = botocore.session.get_session().get_service_model("sts")
ROOT = Caller(Principal(PrincipalKind.ROOT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT), user_id=ACCOUNT)
USER = Caller(
    Principal(PrincipalKind.USER, f"arn:aws:iam::{ACCOUNT}:user/team/ann", ACCOUNT),
    access_key_id="AKIAANN",
    user_id="AIDAANN",
    user_name="ann",
)
READ_ONLY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


class NoBody:
    """A request body that holds nothing."""

    def read(self) -> bytes:
        return b""


class Bench:
    """STS with one role, `web`, that may be assumed for two hours."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.backend = MemoryBackend()
        self.role = self.backend.add_role(make_role())
        self.sessions = SessionStore(self.clock)

    def ask(self, operation: str, caller: Caller = USER, **params: Any) -> dict[str, Any]:
        """Make a call and read the answer as botocore does."""
        request = HttpRequest("POST", "/", "", Headers(), NoBody())
        call = ApiCall("sts", operation, params, "us-east-1", "query", request)
        check_call(call, caller)
        response = answer(call, caller, self.backend, self.sessions)
        assert response is not None
        wire = {"status_code": response.status, "headers": dict(response.headers), "body": response.body}
        shape = MODEL.operation_model(operation).output_shape
        assert shape is not None
        parsed: dict[str, Any] = create_parser("query").parse(wire, shape)
        return parsed

    def assume(self, caller: Caller = USER, **params: Any) -> dict[str, Any]:
        return self.ask("AssumeRole", caller, **{"RoleArn": self.role.arn, "RoleSessionName": "job-1", **params})

    def session_of(self, answered: dict[str, Any]) -> Session:
        session = self.sessions.find(answered["Credentials"]["AccessKeyId"])
        assert session is not None
        return session

    def as_caller(self, answered: dict[str, Any]) -> Caller:
        """Give the caller that the gate makes of the credentials just given."""
        session = self.session_of(answered)
        user_id = session.user_id or f"{session.role_id}:{session.session_name}"
        return Caller(session.principal, session.access_key_id, user_id, session=session)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def refused(caught: pytest.ExceptionInfo[Fault]) -> tuple[str, int]:
    return caught.value.code, caught.value.status


def test_a_call_of_another_service_is_not_answered(bench: Bench) -> None:
    """STS says nothing to calls that are not its own."""
    request = HttpRequest("GET", "/", "", Headers(), NoBody())
    call = ApiCall("s3", "ListBuckets", {}, "us-east-1", "rest-xml", request)
    assert answer(call, USER, bench.backend, bench.sessions) is None


@pytest.mark.parametrize(
    ("caller", "user_id", "arn"),
    [
        (ROOT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"),
        (USER, "AIDAANN", f"arn:aws:iam::{ACCOUNT}:user/team/ann"),
        (
            Caller(assumed_role_principal(make_role().arn, "s1"), user_id="AROAX:s1"),
            "AROAX:s1",
            f"arn:aws:sts::{ACCOUNT}:assumed-role/web/s1",
        ),
    ],
    ids=["root", "user", "role session"],
)
def test_get_caller_identity_names_the_caller(bench: Bench, caller: Caller, user_id: str, arn: str) -> None:
    """Root, users and role sessions see their own unique id, account and ARN."""
    answered = bench.ask("GetCallerIdentity", caller)
    assert (answered["UserId"], answered["Account"], answered["Arn"]) == (user_id, ACCOUNT, arn)
    assert answered["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("operation", ["GetCallerIdentity", "AssumeRole", "GetSessionToken"])
def test_an_anonymous_caller_gets_nothing(bench: Bench, operation: str) -> None:
    """Without a key there is no identity, and there are no credentials."""
    with pytest.raises(Fault) as caught:
        bench.ask(operation, Caller(), RoleArn=bench.role.arn, RoleSessionName="job-1")
    assert refused(caught) == ("MissingAuthenticationToken", 403)


def test_assume_role_gives_credentials_that_are_known_and_expire(bench: Bench) -> None:
    """The answer's credentials are those of a session of the role, for an hour if nothing else is asked."""
    answered = bench.assume()
    session = bench.session_of(answered)
    assert answered["Credentials"]["SecretAccessKey"] == session.secret_access_key
    assert answered["Credentials"]["SessionToken"] == session.session_token
    assert answered["Credentials"]["Expiration"] == session.expires_at == bench.clock() + timedelta(hours=1)
    assert answered["AssumedRoleUser"] == {
        "AssumedRoleId": f"{bench.role.role_id}:job-1",
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/web/job-1",
    }
    assert session.principal.role_arn == bench.role.arn
    assert session.role_id == bench.role.role_id
    assert session.session_policies is None


@pytest.mark.parametrize(
    ("params", "constraint"),
    [
        ({"RoleSessionName": "a"}, "'roleSessionName' failed to satisfy constraint: Member must have length greater"),
        ({"RoleSessionName": "a" * 65}, "'roleSessionName' failed to satisfy constraint: Member must have length less"),
        ({"RoleSessionName": "with space"}, "must satisfy regular expression pattern: [\\w+=,.@-]*"),
        ({"RoleSessionName": "größe"}, "must satisfy regular expression pattern: [\\w+=,.@-]*"),
        ({"DurationSeconds": 899}, "'durationSeconds' failed to satisfy constraint: Member must have value greater"),
        ({"DurationSeconds": 43201}, "'durationSeconds' failed to satisfy constraint: Member must have value less"),
        ({"DurationSeconds": 7201}, "exceeds the MaxSessionDuration set for this role"),
        ({"ExternalId": "x"}, "'externalId' failed to satisfy constraint"),
        ({"Policy": " " * 2049}, "Value at 'policy' failed to satisfy constraint: Member must have length less"),
        ({"RoleArn": f"arn:aws:iam::{ACCOUNT}:user/ann"}, "is invalid"),
        ({"RoleArn": "short"}, "'roleArn' failed to satisfy constraint"),
        ({"RoleArn": None}, "Value null at 'roleArn' failed to satisfy constraint: Member must not be null"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/X"}] * 11}, "at most 10"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/Missing"}]}, "does not exist or is not attachable"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "Duplicate tag keys"),
        ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, "not a valid session tag key"),
        ({"Tags": [{"Key": "a", "Value": "<"}]}, "value of the session tag a is not valid"),
        ({"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}, "at most 50 tags"),
        ({"TransitiveTagKeys": ["team"]}, "must be included in the requested tags"),
        ({"SourceIdentity": "a"}, "'sourceIdentity' failed to satisfy constraint: Member must have length greater"),
        ({"SourceIdentity": "with space"}, "'sourceIdentity' failed to satisfy constraint: Member must satisfy"),
        ({"SourceIdentity": "aws:ann"}, "'sourceIdentity' failed to satisfy constraint: Member must satisfy"),
    ],
)
def test_assume_role_checks_its_parameters(bench: Bench, params: dict[str, Any], constraint: str) -> None:
    """A parameter that AWS refuses is refused with ValidationError and the constraint's name."""
    with pytest.raises(Fault) as caught:
        bench.assume(**params)
    assert refused(caught) == ("ValidationError", 400)
    assert constraint in caught.value.message


def test_every_failed_constraint_is_named(bench: Bench) -> None:
    """Two mistakes are counted and told together."""
    with pytest.raises(Fault) as caught:
        bench.assume(RoleSessionName="a", DurationSeconds=1)
    assert caught.value.message.startswith("2 validation errors detected: ")


def test_the_longest_session_of_the_role_is_given(bench: Bench) -> None:
    """Exactly MaxSessionDuration is allowed."""
    assert bench.session_of(bench.assume(DurationSeconds=7200)).expires_at == bench.clock() + timedelta(hours=2)


def test_a_chained_session_lasts_an_hour_at_most(bench: Bench) -> None:
    """A role session that assumes a role gets 3600 seconds and not one more, whatever the role allows."""
    chained = bench.as_caller(bench.assume())
    assert bench.session_of(bench.assume(chained, DurationSeconds=3600)).expires_at == bench.clock() + timedelta(
        hours=1
    )
    with pytest.raises(Fault, match="1 hour session limit for roles assumed by role chaining"):
        bench.assume(chained, DurationSeconds=3601)


def test_a_session_token_of_a_user_is_no_chain(bench: Bench) -> None:
    """A user with a session token may assume a role for as long as the role allows."""
    caller = bench.as_caller(bench.ask("GetSessionToken"))
    assert bench.session_of(bench.assume(caller, DurationSeconds=7200)).role_id == bench.role.role_id


def test_root_assumes_no_role(bench: Bench) -> None:
    """AWS lets no account root assume a role."""
    with pytest.raises(Fault) as caught:
        bench.assume(ROOT)
    assert refused(caught) == ("AccessDenied", 403)


@pytest.mark.parametrize("name", ["missing", "app/missing", "web"])
def test_a_role_that_is_not_there_is_denied_like_one_that_does_not_trust(bench: Bench, name: str) -> None:
    """A missing role, or a right name under a wrong path, is AccessDenied: names are not told."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    with pytest.raises(Fault) as caught:
        bench.assume(RoleArn=arn)
    assert refused(caught) == ("AccessDenied", 403)
    assert caught.value.message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {arn}")


def test_session_policies_come_with_the_session(bench: Bench) -> None:
    """The inline policy and the managed ones are parsed and kept with the session."""
    arn = f"arn:aws:iam::{ACCOUNT}:policy/read"
    bench.backend.policies[arn] = Document(arn, json.dumps(READ_ONLY))
    session = bench.session_of(bench.assume(Policy=json.dumps(READ_ONLY), PolicyArns=[{"arn": arn}]))
    assert session.session_policies is not None
    inline, managed = session.session_policies
    assert inline.statements == managed.statements
    assert managed.name == arn


def test_a_managed_policy_of_another_account_is_no_session_policy(bench: Bench) -> None:
    """Managed session policies are of the role's account, or AWS's own."""
    arn = "arn:aws:iam::999999999999:policy/read"
    bench.backend.policies[arn] = Document(arn, json.dumps(READ_ONLY))
    with pytest.raises(Fault, match="does not exist or is not attachable"):
        bench.assume(PolicyArns=[{"arn": arn}])


@pytest.mark.parametrize("policy", ["{", "[]", '{"Version": "2012-10-17", "Statement": [{"Effect": "Alow"}]}'])
def test_a_session_policy_that_does_not_parse_is_malformed(bench: Bench, policy: str) -> None:
    """A broken session policy gives no session."""
    with pytest.raises(Fault) as caught:
        bench.assume(Policy=policy)
    assert refused(caught) == ("MalformedPolicyDocument", 400)


def test_transitive_tags_follow_down_the_chain(bench: Bench) -> None:
    """A transitive tag is inherited by the next session and cannot be set anew there; others stay behind."""
    tags = [{"Key": "team", "Value": "a"}, {"Key": "step", "Value": "1"}]
    caller = bench.as_caller(bench.assume(Tags=tags, TransitiveTagKeys=["team"]))
    session = bench.session_of(bench.assume(caller, Tags=[{"Key": "step", "Value": "2"}]))
    assert session.tags == (("team", "a"), ("step", "2"))
    assert session.transitive_tag_keys == ("team",)
    with pytest.raises(Fault, match="conflicts with a transitive tag key"):
        bench.assume(caller, Tags=[{"Key": "Team", "Value": "b"}])


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/ann", "TokenCode": "123456"}, "AccessDenied"),
        ({"ProvidedContexts": [{}]}, "NotImplemented"),
    ],
)
def test_what_would_change_the_session_and_is_not_heeded_is_refused(
    bench: Bench, params: dict[str, Any], code: str
) -> None:
    """MFA and provided contexts are refused out loud, not skipped."""
    with pytest.raises(Fault) as caught:
        bench.assume(**params)
    assert caught.value.code == code


def test_a_user_gets_a_session_token_that_acts_as_the_user(bench: Bench) -> None:
    """GetSessionToken gives a user credentials of its own, for twelve hours if nothing else is asked."""
    session = bench.session_of(bench.ask("GetSessionToken"))
    assert session.principal == USER.principal
    assert session.expires_at == bench.clock() + timedelta(hours=12)
    assert bench.session_of(bench.ask("GetSessionToken", DurationSeconds=900)).expires_at < session.expires_at


def test_roots_session_token_lasts_an_hour_at_most(bench: Bench) -> None:
    """Whatever root asks for, its session token ends within an hour."""
    session = bench.session_of(bench.ask("GetSessionToken", ROOT, DurationSeconds=43200))
    assert session.principal == ROOT.principal
    assert session.expires_at == bench.clock() + timedelta(hours=1)


def test_sessions_get_no_session_token(bench: Bench) -> None:
    """Neither a role session nor a session token may ask for another one."""
    for session in (bench.assume(), bench.ask("GetSessionToken")):
        with pytest.raises(Fault) as caught:
            bench.ask("GetSessionToken", bench.as_caller(session))
        assert refused(caught) == ("AccessDenied", 403)


def test_every_other_operation_of_sts_is_refused(bench: Bench) -> None:
    """What the local AWS does not offer is said to be so, whoever asks, and never answered with credentials."""
    others = set(MODEL.operation_names) - OFFERED
    assert {"AssumeRoleWithSAML", "AssumeRoot"} < others
    for operation in others:
        for caller in (ROOT, Caller()):
            with pytest.raises(Fault, match=f"sts:{operation} is not available in Keyhole's local AWS") as caught:
                bench.ask(operation, caller)
            assert refused(caught) == ("NotImplemented", 501)


def test_packed_size_is_told_where_something_was_packed(bench: Bench) -> None:
    """A session without policies and tags has no packed size; with them it grows, and more than all is refused."""
    assert "PackedPolicySize" not in bench.assume()
    small = bench.assume(Policy=json.dumps(READ_ONLY))["PackedPolicySize"]
    tags = [{"Key": f"key-{n}", "Value": f"{n * 7919 % 1009}-value"} for n in range(20)]
    both = bench.assume(Policy=json.dumps(READ_ONLY), Tags=tags)["PackedPolicySize"]
    assert 0 < small < both <= 100
    long = [{"Key": f"k{n}", "Value": hashlib.sha256(bytes([n])).hexdigest() * 4} for n in range(50)]
    with pytest.raises(Fault, match=r"Packed size of session tags consumes \d{3}% of allotted space\.") as caught:
        bench.assume(Tags=long)
    assert refused(caught) == ("PackedPolicyTooLarge", 400)


def test_a_source_identity_stays_down_the_chain(bench: Bench) -> None:
    """It is inherited and answered again, the same one may be asked for anew, another one may not."""
    answered = bench.assume(SourceIdentity="ann")
    assert answered["SourceIdentity"] == "ann"
    caller = bench.as_caller(answered)
    for params in ({}, {"SourceIdentity": "ann"}):
        chained = bench.assume(caller, **params)
        assert chained["SourceIdentity"] == bench.session_of(chained).source_identity == "ann"
    with pytest.raises(Fault, match="not authorized to perform: sts:SetSourceIdentity") as caught:
        bench.assume(caller, SourceIdentity="bob")
    assert refused(caught) == ("AccessDenied", 403)


def test_a_federation_token_is_of_the_user_and_named(bench: Bench) -> None:
    """The federated user has an ARN and id of its own, twelve hours, and remembers who federated it."""
    answered = bench.ask("GetFederationToken", Name="bob", Policy=json.dumps(READ_ONLY))
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
    assert answered["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:bob", "Arn": arn}
    assert answered["PackedPolicySize"] > 0
    session = bench.session_of(answered)
    assert (session.principal.kind, session.principal.arn) == (PrincipalKind.FEDERATED_USER, arn)
    assert (session.principal.role_arn, session.user_id) == (USER.principal.arn, USER.user_id)
    assert session.expires_at == bench.clock() + timedelta(hours=12)
    longest = bench.session_of(bench.ask("GetFederationToken", Name="bob", DurationSeconds=129600))
    assert longest.expires_at == bench.clock() + timedelta(hours=36)


def test_root_federates_for_an_hour_at_most(bench: Bench) -> None:
    """Whatever root asks for, its federated user's session ends within an hour."""
    session = bench.session_of(bench.ask("GetFederationToken", ROOT, Name="bob", DurationSeconds=129600))
    assert session.expires_at == bench.clock() + timedelta(hours=1)
    assert session.principal.role_arn == ""


@pytest.mark.parametrize(
    "params",
    [{}, {"Name": "b"}, {"Name": "b" * 33}, {"Name": "b b"}, {"Name": "bob", "DurationSeconds": 129601}],
)
def test_get_federation_token_checks_its_parameters(bench: Bench, params: dict[str, Any]) -> None:
    """A name is there, of 2 to 32 characters, and a duration is of 36 hours at most."""
    with pytest.raises(Fault) as caught:
        bench.ask("GetFederationToken", **params)
    assert refused(caught) == ("ValidationError", 400)


def test_temporary_credentials_federate_nobody(bench: Bench) -> None:
    """Neither roles, session tokens nor federated users get a federation token or a session token."""
    sessions = (bench.assume(), bench.ask("GetSessionToken"), bench.ask("GetFederationToken", Name="bob"))
    for session in sessions:
        for operation in ("GetFederationToken", "GetSessionToken"):
            with pytest.raises(Fault, match=f"Cannot call {operation} with session credentials") as caught:
                bench.ask(operation, bench.as_caller(session), Name="bob")
            assert refused(caught) == ("AccessDenied", 403)


def test_a_session_token_is_good_for_two_calls_of_sts(bench: Bench) -> None:
    """Without MFA a user's session token may assume a role and ask who it is; the rest of STS is closed to it."""
    caller = bench.as_caller(bench.ask("GetSessionToken"))
    assert bench.ask("GetCallerIdentity", caller)["Account"] == ACCOUNT
    for operation, params in (
        ("GetAccessKeyInfo", {"AccessKeyId": "AKIAKEYHOLELOCALROOT"}),
        ("DecodeAuthorizationMessage", {"EncodedMessage": "x"}),
    ):
        with pytest.raises(Fault, match="with session credentials"):
            bench.ask(operation, caller, **params)


def test_an_access_key_tells_its_account(bench: Bench) -> None:
    """Root keys, and sessions, are known by their account; a key of nobody's is said to be one."""
    for key in ("AKIAKEYHOLELOCALROOT", bench.assume()["Credentials"]["AccessKeyId"]):
        assert bench.ask("GetAccessKeyInfo", AccessKeyId=key)["Account"] == ACCOUNT
    assert bench.ask("GetAccessKeyInfo", AccessKeyId="AKIAROOT999988887777")["Account"] == "999988887777"
    with pytest.raises(Fault) as caught:
        bench.ask("GetAccessKeyInfo", AccessKeyId="AKIAUNKNOWNUNKNOWN22")
    assert refused(caught) == ("InvalidClientTokenId", 403)


def test_no_message_decodes(bench: Bench) -> None:
    """Denials carry no encoded message here, so whatever is given is none."""
    with pytest.raises(Fault) as caught:
        bench.ask("DecodeAuthorizationMessage", EncodedMessage="anything")
    assert refused(caught) == ("InvalidAuthorizationMessageException", 400)
