"""Hypothesis strategies for policies, requests and policy sets that meet often enough to be interesting."""

from __future__ import annotations

from hypothesis import strategies as st

from keyhole.iam import (
    ANONYMOUS,
    Condition,
    Context,
    Effect,
    Element,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalElement,
    PrincipalKind,
    PrincipalPattern,
    Request,
    Statement,
)

ACCOUNT, OTHER = "111122223333", "444455556666"
USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/web"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/i-1"

effects = st.sampled_from(Effect)
actions = st.sampled_from(["s3:GetObject", "s3:Get*", "s3:*", "*", "s3:PutObject", "s3:a,b", "iam:PassRole"])
resources = st.sampled_from(
    [
        *("*", "arn:aws:s3:::masks/*", "arn:aws:s3:::masks/${aws:username}", "arn:aws:s3", "arn:*"),
        *("arn:aws:s3:::m?sks/a*", "arn:*/alice", "arn:aws:s3:::masks/alice", "arn:aws:s3:::?????/a?b"),
        "arn:aws:s3:::other-*/x",
    ]
)
keys = st.sampled_from(["aws:username", "aws:TagKeys", "aws:SourceIp", "s3:max-keys"])
values = st.sampled_from(["alice", "a*", "${aws:username}", "10", "10.0.0.0/8", "true", ""])
operators = st.sampled_from(
    [
        *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike"),
        "NumericLessThan",
        *("IpAddress", "NotIpAddress", "Bool", "Null", "ArnLike", "DateGreaterThan", "Nonsense"),
    ]
)
principal_patterns = st.sampled_from(
    [
        PrincipalPattern("AWS", "*"),
        PrincipalPattern("AWS", ACCOUNT),
        PrincipalPattern("AWS", f"arn:aws:iam::{OTHER}:root"),
        PrincipalPattern("AWS", USER),
        PrincipalPattern("AWS", ROLE),
        PrincipalPattern("AWS", SESSION),
        PrincipalPattern("AWS", "AIDACKCEVSQ6C2EXAMPLE"),
        PrincipalPattern("Service", "ec2.amazonaws.com"),
    ]
)


def elements(patterns: st.SearchStrategy[str]) -> st.SearchStrategy[Element]:
    """Action or Resource elements, some of them negated."""
    return st.builds(Element, st.lists(patterns, min_size=1, max_size=2).map(tuple), st.booleans())


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """One condition as the parser gives it: an unknown operator or Null has no qualifier and no IfExists."""
    operator = draw(operators)
    listed = tuple(draw(st.lists(values, max_size=3)))
    if operator in {"Nonsense", "Null"}:
        return Condition(operator, draw(keys), listed)
    qualifier = draw(st.sampled_from(["", "ForAllValues", "ForAnyValue"]))
    return Condition(operator, draw(keys), listed, qualifier, draw(st.booleans()))


@st.composite
def condition_blocks(draw: st.DrawFn) -> tuple[Condition, ...]:
    """Conditions in the order of a document: each operator once, and each key once under it."""
    blocks: dict[str, dict[str, Condition]] = {}
    for condition in draw(st.lists(conditions(), max_size=2)):
        blocks.setdefault(condition.name, {})[condition.key] = condition
    return tuple(condition for block in blocks.values() for condition in block.values())


@st.composite
def principal_elements(draw: st.DrawFn, *, can_negate: bool) -> PrincipalElement:
    """Principal or, where it may stand, NotPrincipal, with the entries of each type together as a document has them."""
    negated = can_negate and draw(st.booleans())
    if draw(st.booleans()):
        return PrincipalElement((PrincipalPattern("*", "*"),), negated)
    patterns = draw(st.lists(principal_patterns, min_size=1, max_size=3))
    return PrincipalElement(tuple(sorted(patterns, key=lambda pattern: pattern.kind)), negated)


@st.composite
def statements(draw: st.DrawFn, kind: PolicyKind) -> Statement:
    """A statement as it may stand in a policy of the kind."""
    has_principal = kind in {PolicyKind.RESOURCE, PolicyKind.TRUST, PolicyKind.RCP, PolicyKind.ENDPOINT}
    is_trust = kind is PolicyKind.TRUST
    return Statement(
        effect=draw(effects),
        actions=Element(("sts:AssumeRole",)) if is_trust else draw(elements(actions)),
        resources=None if is_trust else draw(elements(resources)),
        principals=draw(principal_elements(can_negate=not is_trust)) if has_principal else None,
        conditions=draw(condition_blocks()),
    )


def policies(kind: PolicyKind) -> st.SearchStrategy[Policy]:
    """Policies of a kind."""
    return st.builds(
        Policy,
        st.lists(statements(kind), min_size=1, max_size=2).map(tuple),
        st.sampled_from(["2012-10-17", "2008-10-17"]),
        st.sampled_from(["", "id"]),
        st.just("label"),
    )


def groups(kind: PolicyKind) -> st.SearchStrategy[tuple[Policy, ...]]:
    """A few policies of a kind, perhaps none."""
    return st.just(()) | st.tuples(policies(kind)) | st.tuples(policies(kind), policies(kind))


policy_sets = st.builds(
    PolicySet,
    identity=groups(PolicyKind.IDENTITY),
    resource=st.none() | policies(PolicyKind.RESOURCE),
    boundary=st.none() | policies(PolicyKind.BOUNDARY),
    session=st.none() | groups(PolicyKind.SESSION),
    scps=st.just(()) | st.tuples(groups(PolicyKind.SCP)),
    rcps=st.just(()) | st.tuples(groups(PolicyKind.RCP)),
    endpoint=st.none() | policies(PolicyKind.ENDPOINT),
)

principals = st.sampled_from(
    [
        Principal(PrincipalKind.USER, USER, ACCOUNT),
        Principal(PrincipalKind.ROLE_SESSION, SESSION, ACCOUNT, ROLE),
        Principal(PrincipalKind.ROLE_SESSION, SESSION, ACCOUNT),
        Principal(PrincipalKind.ROOT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT),
        Principal(PrincipalKind.FEDERATED_USER, f"arn:aws:sts::{ACCOUNT}:federated-user/bob", ACCOUNT, USER),
        Principal(PrincipalKind.SERVICE, "ec2.amazonaws.com"),
        ANONYMOUS,
    ]
)

contexts = st.dictionaries(
    keys,
    st.sampled_from(["alice", "*", "10", "10.1.2.3", "true"]) | st.lists(st.sampled_from(["alice", "b"])).map(tuple),
    max_size=4,
).map(Context)

requests = st.builds(
    Request,
    principals,
    st.sampled_from(["s3:GetObject", "s3:PutObject", "iam:PassRole"]),
    st.sampled_from(["*", "arn:aws:s3:::masks/alice", "arn:aws:s3:::masks/a/b"]),
    contexts,
    st.sampled_from(["", ACCOUNT, OTHER]),
)
