"""Decisions beyond the corpus: hand-built policies, the trace, and the reason in words."""

from __future__ import annotations

import pytest

from keyhole.iam import (
    Condition,
    Context,
    Effect,
    Element,
    Outcome,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalElement,
    PrincipalKind,
    PrincipalPattern,
    Request,
    Statement,
    Truth,
    decide,
)
from keyhole.iam.layers import resource_account

ACCOUNT = "111122223333"
USER = Principal(PrincipalKind.USER, f"arn:aws:iam::{ACCOUNT}:user/alice", ACCOUNT)
REQUEST = Request(USER, "s3:GetObject", "arn:aws:s3:::masks/cat.png", Context({"aws:username": "alice"}))
GET, ANY = Element(("s3:GetObject",)), Element(("*",))
EVERYONE = PrincipalElement((PrincipalPattern("*", "*"),))
ALLOW = Statement(Effect.ALLOW, GET, ANY)
UNKNOWN = (Condition("Nonsense", "aws:username", ("alice",)),)


def policy(*statements: Statement) -> Policy:
    """A policy with a label."""
    return Policy(statements, name="reader")


@pytest.mark.parametrize("effect", Effect)
def test_a_statement_without_principal_never_matches(effect: Effect) -> None:
    """In a resource policy such a statement is malformed: it neither grants nor denies."""
    resource = policy(Statement(effect, GET, ANY), Statement(Effect.ALLOW, GET, ANY, EVERYONE))
    decision = decide(REQUEST, PolicySet(resource=resource))
    assert decision.is_allowed
    assert decision.trace[0].truth is Truth.FALSE
    assert decide(REQUEST, PolicySet(resource=policy(Statement(effect, GET, ANY)))).blocked_by == (PolicyKind.IDENTITY,)


def test_a_statement_without_resource_never_matches() -> None:
    """Outside trust policies a statement that names no resource is malformed."""
    decision = decide(REQUEST, PolicySet(identity=(policy(Statement(Effect.ALLOW, GET)),)))
    assert decision.outcome is Outcome.IMPLICIT_DENY
    assert decision.trace[0].elements[-1].element == "Resource"
    assert decide(REQUEST, PolicySet(identity=(policy(ALLOW, Statement(Effect.DENY, GET)),))).is_allowed


def test_not_principal_in_an_allow_is_unknown() -> None:
    """AWS does not support it: it grants nothing, and the reason says that it could not be evaluated."""
    other = PrincipalElement((PrincipalPattern("AWS", "444455556666"),), negated=True)
    decision = decide(REQUEST, PolicySet(resource=policy(Statement(Effect.ALLOW, GET, ANY, other))))
    assert decision.trace[0].truth is Truth.UNKNOWN
    assert decision.trace[0].elements[0].truth is Truth.UNKNOWN


def test_an_unknown_kind_of_principal_is_unknown() -> None:
    """It never grants, and its Deny bites."""
    strange = PrincipalElement((PrincipalPattern("Tribe", "x"),))
    for effect, outcome in ((Effect.ALLOW, Outcome.IMPLICIT_DENY), (Effect.DENY, Outcome.EXPLICIT_DENY)):
        resource = policy(Statement(effect, GET, ANY, strange))
        assert decide(REQUEST, PolicySet(resource=resource)).outcome is outcome


def test_the_reason_names_the_statement() -> None:
    """An allow and a deny say which statement of which policy it was."""
    allowed = decide(REQUEST, PolicySet(identity=(policy(ALLOW),)))
    assert allowed.reason == "statement 0 of identity-based policy `reader` allows it"
    deny = Statement(Effect.DENY, GET, ANY, sid="NoCats")
    denied = decide(REQUEST, PolicySet(identity=(policy(ALLOW, deny),)))
    assert denied.reason == "statement 1 `NoCats` of identity-based policy `reader` denies it"


def test_the_reason_says_what_could_not_be_evaluated() -> None:
    """UNKNOWN is said out loud, for an Allow as for a Deny."""
    why = "`Nonsense` is no operator that is known"
    allow = Statement(Effect.ALLOW, GET, ANY, conditions=UNKNOWN)
    lacking = decide(REQUEST, PolicySet(identity=(policy(allow),)))
    assert lacking.outcome is Outcome.IMPLICIT_DENY
    assert lacking.reason == (
        "no identity-based policy allows the `s3:GetObject` action; "
        f"statement 0 of identity-based policy `reader` could not be evaluated: {why}"
    )
    deny = Statement(Effect.DENY, GET, ANY, conditions=UNKNOWN)
    denied = decide(REQUEST, PolicySet(identity=(policy(ALLOW, deny),)))
    assert denied.outcome is Outcome.EXPLICIT_DENY
    assert denied.reason == (
        f"statement 1 of identity-based policy `reader` could not be evaluated, so it denies: {why}"
    )


def test_a_sure_deny_is_the_reason_before_an_unknown_one() -> None:
    """Where both deny, the reason is the one that could be evaluated."""
    unknown = Statement(Effect.DENY, GET, ANY, conditions=UNKNOWN)
    decision = decide(REQUEST, PolicySet(identity=(policy(unknown, Statement(Effect.DENY, GET, ANY)),)))
    assert decision.reason == "statement 1 of identity-based policy `reader` denies it"


def test_the_trace_has_every_statement() -> None:
    """Each statement of each layer is there, in the order of the layers, up to the element that failed."""
    other = Statement(Effect.ALLOW, Element(("s3:PutObject",)), ANY)
    policies = PolicySet(
        identity=(policy(ALLOW, other),), boundary=policy(ALLOW), scps=((policy(ALLOW),), (policy(ALLOW),))
    )
    decision = decide(REQUEST, policies)
    assert [(trace.layer, trace.number) for trace in decision.trace] == [
        (PolicyKind.SCP, 0),
        (PolicyKind.SCP, 0),
        (PolicyKind.IDENTITY, 0),
        (PolicyKind.IDENTITY, 1),
        (PolicyKind.BOUNDARY, 0),
    ]
    failed = decision.trace[3]
    assert failed.truth is Truth.FALSE
    assert [element.detail for element in failed.elements] == ["`s3:GetObject` matches none of `s3:PutObject`"]


def test_a_role_without_its_arn_is_known_by_name() -> None:
    """Role names are unique in an account: a role ARN names the sessions of that name, whatever the path."""
    caller = Principal(PrincipalKind.ROLE_SESSION, f"arn:aws:sts::{ACCOUNT}:assumed-role/web/i-1", ACCOUNT)
    for arn, is_allowed in (
        (f"arn:aws:iam::{ACCOUNT}:role/path/web", True),
        (f"arn:aws:iam::{ACCOUNT}:role/path/db", False),
        ("arn:aws:iam::444455556666:role/web", False),
        (f"arn:aws:iam::{ACCOUNT}:user/web", False),
        (f"arn:aws:sts::{ACCOUNT}:role/web", False),
        (f"arn:aws-cn:iam::{ACCOUNT}:role/web", False),
        ("role/web", False),
    ):
        element = PrincipalElement((PrincipalPattern("AWS", arn),))
        resource = policy(Statement(Effect.ALLOW, GET, ANY, element))
        request = Request(caller, REQUEST.action, REQUEST.resource)
        assert decide(request, PolicySet(resource=resource)).is_allowed is is_allowed


@pytest.mark.parametrize(
    ("resource", "said", "expected"),
    [
        ("arn:aws:s3:::masks", "", ACCOUNT),
        ("arn:aws:s3:::masks", "444455556666", "444455556666"),
        ("arn:aws:sqs:eu-west-1:444455556666:jobs", "", "444455556666"),
        ("arn:aws:sqs:eu-west-1:444455556666:jobs", ACCOUNT, ACCOUNT),
        ("arn:aws:logs:eu-west-1:444455556666:log-group:jobs", "", "444455556666"),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "", ACCOUNT),
        ("arn:aws:iam::44445555666x:role/a", "", ACCOUNT),
        ("urn:aws:sqs:eu-west-1:444455556666:jobs", "", ACCOUNT),
        ("arn:aws:sqs", "", ACCOUNT),
        ("*", "", ACCOUNT),
    ],
)
def test_whose_the_resource_is(resource: str, said: str, expected: str) -> None:
    """The owner is who the request says, else who the ARN says, else the caller's account."""
    assert resource_account(Request(USER, "sqs:SendMessage", resource, resource_account=said)) == expected


@pytest.mark.parametrize(
    ("negated", "arn", "truth", "detail"),
    [
        (False, USER.arn, Truth.TRUE, f"`{USER.arn}` is covered by `{USER.arn}`"),
        (False, "444455556666", Truth.FALSE, f"`{USER.arn}` is not covered by `444455556666`"),
        (True, "444455556666", Truth.TRUE, f"`{USER.arn}` is not covered by `444455556666`"),
        (True, "*", Truth.FALSE, f"`{USER.arn}` is covered by `*`"),
        (True, ACCOUNT, Truth.UNKNOWN, f"whether `{USER.arn}` is covered by `{ACCOUNT}` cannot be told"),
    ],
)
def test_the_trace_of_a_principal(negated: bool, arn: str, truth: Truth, detail: str) -> None:
    """The trace names the element, the caller and the list, and says which way it went."""
    element = PrincipalElement((PrincipalPattern("AWS", arn),), negated)
    decision = decide(REQUEST, PolicySet(resource=policy(Statement(Effect.DENY, GET, ANY, element))))
    trace = decision.trace[0].elements[0]
    assert trace.element == ("NotPrincipal" if negated else "Principal")
    assert (trace.truth, trace.detail) == (truth, detail)


def test_what_did_not_block_is_no_reason() -> None:
    """A statement that could not be evaluated is named only if its layer lacks an allow."""
    unknown = Statement(Effect.ALLOW, GET, ANY, conditions=UNKNOWN)
    put = Statement(Effect.ALLOW, Element(("s3:PutObject",)), ANY)
    decision = decide(REQUEST, PolicySet(identity=(policy(unknown, ALLOW),), boundary=policy(put)))
    assert decision.blocked_by == (PolicyKind.BOUNDARY,)
    assert decision.reason == "no permissions boundary allows the `s3:GetObject` action"
