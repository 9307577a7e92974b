"""Request lines: what they mean, and what is wrong with those that mean nothing."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from simulate_lines import ACCOUNT, OBJECT, USER, allow, deny, line, policy

from keyhole.errors import KeyholeError
from keyhole.iam import PolicyKind, Principal, PrincipalKind, parse_policy
from keyhole.simulate.answer import answer_question
from keyhole.simulate.policy_texts import PolicyTexts
from keyhole.simulate.request_line import LineReader

ROLE = f"arn:aws:iam::{ACCOUNT}:role/web"


def answer(**fields: Any) -> Mapping[str, Any]:
    return answer_question(LineReader().read(line(**fields)))


def test_every_field_arrives_where_it_belongs() -> None:
    """The request and each layer, with the policies labelled by their place in the line."""
    to_all = {"Principal": "*"}
    question = LineReader().read(
        line(
            resource_account="444455556666",
            context={
                "aws:SourceIp": "10.0.0.1",
                "aws:TagKeys": ["a", "b"],
                "s3:max-keys": 5,
                "aws:SecureTransport": True,
            },
            identity=[policy(allow()), policy(deny())],
            resource_policy=policy(allow(**to_all)),
            boundaries=[policy(allow())],
            scps=[[policy(allow())], []],
            rcps=[[policy(deny(**to_all))]],
            session=[policy(allow())],
            endpoint=[policy(allow(**to_all))],
            resource_kind=None,
        )
    )
    request, policies = question.request, question.rules.policies
    assert (request.principal, request.action) == (Principal(PrincipalKind.USER, USER, ACCOUNT), "s3:GetObject")
    assert (request.resource, request.resource_account) == (OBJECT, "444455556666")
    assert dict(request.context) == {
        "aws:sourceip": "10.0.0.1",
        "aws:tagkeys": ("a", "b"),
        "s3:max-keys": "5",
        "aws:securetransport": "true",
    }
    assert policies.identity == tuple(
        parse_policy(policy(statement), PolicyKind.IDENTITY, f"identity[{index}]")
        for index, statement in enumerate((allow(), deny()))
    )
    assert policies.resource is not None
    assert policies.resource.name == "resource_policy"
    assert policies.boundary is not None
    assert policies.boundary.name == "boundaries[0]"
    assert [[found.name for found in level] for level in policies.scps] == [["scps[0][0]"], []]
    assert policies.rcps[0][0].name == "rcps[0][0]"
    assert policies.session is not None
    assert policies.session[0].name == "session[0]"
    assert policies.endpoint is not None
    assert policies.endpoint.name == "endpoint[0]"
    assert policies.trust is None


def test_all_but_the_three_may_be_left_out_or_null() -> None:
    """Without any policy nothing is allowed."""
    nulls = dict.fromkeys(
        ["resource_account", "context", "identity", "resource_policy", "boundaries", "scps", "rcps", "session"]
    )
    assert answer() == answer(**nulls, endpoint=None, resource_kind=None)
    assert answer()["decision"] == "implicitDeny"


def test_the_answer_names_what_decided() -> None:
    """Allows of what is allowed, the deny of what is denied, nothing where nothing allows; Sid, or else index."""
    granted = answer(identity=[policy(allow("iam:*"), allow(Sid="Mine"), allow())])
    assert granted == {
        "decision": "allowed",
        "blocked_by": [],
        "matched": [{"policy": "identity[0]", "statement": "Mine"}, {"policy": "identity[0]", "statement": 2}],
        "message": "",
    }
    denied = answer(identity=[policy(allow()), policy(deny())], boundaries=[policy(allow("iam:*"))])
    assert (denied["decision"], denied["blocked_by"]) == ("explicitDeny", ["identity"])
    assert denied["matched"] == [{"policy": "identity[1]", "statement": 0}]
    assert denied["message"] == (
        f'User: {USER} is not authorized to perform: s3:GetObject on resource: "{OBJECT}" '
        "with an explicit deny in an identity-based policy"
    )
    lacking = answer(identity=[policy(allow())], boundaries=[policy(allow("iam:*"))])
    assert (lacking["decision"], lacking["blocked_by"], lacking["matched"]) == ("implicitDeny", ["boundary"], [])


def test_a_deny_that_cannot_be_evaluated_is_marked() -> None:
    """It decided, but nobody can say that it matched."""
    doubtful = answer(identity=[policy(allow(), deny(Condition={"Nonsense": {"aws:username": "x"}}))])
    assert doubtful["decision"] == "explicitDeny"
    assert doubtful["matched"] == [{"policy": "identity[0]", "statement": 1, "truth": "unknown"}]


def test_several_boundaries_and_endpoint_policies_must_all_allow() -> None:
    """One that does not allow blocks, and every one's statements are named."""
    wide, narrow = policy(allow()), policy(allow("s3:Put*"))
    granted = answer(identity=[wide], boundaries=[wide, wide])
    assert [found["policy"] for found in granted["matched"]] == ["identity[0]", "boundaries[0]", "boundaries[1]"]
    for boundaries in ([wide, narrow], [narrow, wide]):
        assert answer(identity=[wide], boundaries=boundaries)["blocked_by"] == ["boundary"]
    to_all = {"Principal": "*"}
    endpoint = [policy(allow(**to_all)), policy(deny(**to_all))]
    assert answer(identity=[wide], boundaries=[wide, narrow], endpoint=endpoint)["blocked_by"] == ["endpoint"]
    lacking = [policy(allow(**to_all)), policy(allow("iam:*", **to_all))]
    both = answer(identity=[wide], boundaries=[wide, narrow], endpoint=lacking)
    assert both["blocked_by"] == ["endpoint", "boundary"]


@pytest.mark.parametrize("kind", ["trust", None])
def test_a_role_s_policy_is_its_trust_policy(kind: str | None) -> None:
    """Also where the line does not say so: STS asks a role for no other."""
    statement = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}
    fields = {"action": "sts:AssumeRole", "resource": ROLE, "resource_kind": kind}
    assert answer(**fields, resource_policy=policy(statement))["decision"] == "allowed"
    without = answer(**fields, identity=[policy(allow("sts:*"))])
    assert (without["decision"], without["blocked_by"]) == ("implicitDeny", ["trust"])


def test_a_key_without_a_policy_allows_nobody() -> None:
    """A KMS key's policy must name the caller or its account."""
    fields = {
        "action": "kms:Decrypt",
        "resource": f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/a",
        "resource_kind": "kms-key",
    }
    identity = [policy(allow("kms:*"))]
    assert answer(**fields, identity=identity)["blocked_by"] == ["resource"]
    named = policy(allow("kms:*", Principal={"AWS": ACCOUNT}))
    assert answer(**fields, identity=identity, resource_policy=named)["decision"] == "allowed"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"principal": 5}, "`principal`: a number stands where a text belongs"),
        ({"principal": "*"}, "`*` is no principal"),
        ({"action": "s3:*"}, "`s3:*` is no action"),
        ({"action": "GetObject"}, "`GetObject` is no action"),
        ({"action": ["s3:GetObject"]}, "`action`: a list stands where a text belongs"),
        ({"resource": "masks/a"}, "neither an ARN nor `*`"),
        ({"resource": "arn:\ud800"}, "`resource`: the text has half of a surrogate pair"),
        ({"resource_account": 111122223333}, "`resource_account`: a number"),
        ({"resource_account": "1111"}, "`1111` is no account"),
        ({"resource_kind": "role"}, "`resource_kind`: `role` is not known"),
        ({"resource_kind": {}}, "`resource_kind`: an object"),
        ({"context": []}, "`context`: a list stands where an object belongs"),
        ({"context": {"": "x"}}, "a key is empty"),
        ({"context": {"k": None}}, "`context`: `k`: null"),
        ({"context": {"k": [["x"]]}}, "`context`: `k`: a list"),
        ({"identity": policy(allow())}, "`identity`: something else stands where a list belongs"),
        ({"identity": [json.dumps(policy(allow()))]}, "`identity[0]`: the policy is no object"),
        ({"identity": [policy(allow()), policy(allow(Effect="Alow"))]}, "`identity[1]`: Statement[0].Effect: `Alow`"),
        ({"identity": [None]}, "`identity[0]`: the policy is no object"),
        ({"resource_policy": [policy(allow())]}, "`resource_policy`: the policy is no object"),
        ({"resource_policy": policy(allow())}, "`resource_policy`: Statement[0]"),
        ({"scps": [policy(allow())]}, "`scps[0]`: something else stands where a list belongs"),
        ({"scps": [None]}, "`scps[0]`: something else stands where a list belongs"),
        ({"identities": []}, "`identities` is no field of a request"),
    ],
)
def test_a_line_that_means_nothing_is_one_clear_error(fields: dict[str, Any], message: str) -> None:
    """It says what is wrong and where; it is never an answer."""
    with pytest.raises(KeyholeError) as caught:
        answer(**fields)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["principal", "action", "resource"])
def test_the_three_are_needed(name: str) -> None:
    """A line without one of them says which, and what to write."""
    fields = json.loads(line())
    del fields[name]
    with pytest.raises(KeyholeError, match=f"the line has no `{name}`") as caught:
        LineReader().read(json.dumps(fields))
    assert caught.value.hint


@pytest.mark.parametrize("name", ["identity", "context", "nonsense"])
def test_deep_nesting_is_an_error(name: str) -> None:
    """Of the line, and of nothing else."""
    with pytest.raises(KeyholeError, match="nested too deeply"):
        LineReader().read(line()[:-1] + f', "{name}": {"[" * 100_000}{"]" * 100_000}}}')


def test_policies_are_parsed_once_and_forgotten_in_the_end() -> None:
    """Equal texts are one policy; what is remembered has a bound, past which the same text is parsed again."""
    texts = (json.dumps([policy(allow())]), None, None, None, None, None, None)
    roomy, narrow = PolicyTexts(), PolicyTexts(most_characters=300)
    assert roomy.find_rules(None, texts) is roomy.find_rules(None, texts)
    before = narrow.find_rules(None, texts)
    for n in range(9):
        narrow.find_rules(None, (json.dumps([policy(allow(resource=f"arn:aws:s3:::{n}"))]), *texts[1:]))
    after = narrow.find_rules(None, texts)
    assert after is not before
    assert after == before
