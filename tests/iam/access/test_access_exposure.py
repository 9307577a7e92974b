"""Public by AWS's definition, and open to anyone outside: each statement with a request that `decide` allows."""

from __future__ import annotations

from typing import Any

import pytest
from access_accounts import ACCOUNT, allow, deny, policy

from keyhole.iam import Policy, PolicyKind, PolicySet, decide, parse_policy
from keyhole.iam.access.exposure import Exposure, find_exposures
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.compare import everything

OTHER = "arn:aws:iam::999988887777:role/x"
OBJECTS = "arn:aws:s3:::masks/*"


def reading(principal: Any, **more: Any) -> dict[str, Any]:
    return allow("s3:GetObject", OBJECTS, Principal=principal, **more)


def look(*statements: dict[str, Any], **more: Any) -> tuple[Policy, list[Exposure]]:
    parsed = parse_policy(policy(*statements), PolicyKind.RESOURCE, name="masks")
    return parsed, list(find_exposures(ACCOUNT, parsed, Budget(60.0), **more))


@pytest.mark.parametrize(
    ("statement", "is_public", "who", "fix"),
    [
        (reading("*"), True, "anyone on the web", "name those"),
        (reading("*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), False, "anyone on the web", "name"),
        (reading("*", Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}), True, "anyone on the web", "name"),
        (reading({"AWS": OTHER}), False, OTHER, f"take `{OTHER}` out"),
        (reading({"Service": "logs.amazonaws.com"}), False, "logs.amazonaws.com", "aws:SourceAccount"),
    ],
)
def test_each_opening_is_named_with_a_request_and_its_fix(
    statement: dict[str, Any], is_public: bool, who: str, fix: str
) -> None:
    """Wide networks are public, narrow ones are open to others all the same."""
    parsed, (found,) = look(statement)
    assert (found.is_public, found.who, found.is_open) == (is_public, (who,), True)
    assert fix in found.fix
    assert found.witness is not None
    identity = (everything(),) if found.witness.principal.account else ()
    assert decide(found.witness, PolicySet(identity, parsed)).is_allowed


@pytest.mark.parametrize(
    "statements",
    [
        [reading({"AWS": ACCOUNT})],
        [reading({"AWS": f"arn:aws:iam::{ACCOUNT}:role/web"})],
        [reading("*", Condition={"StringEquals": {"aws:PrincipalAccount": ACCOUNT}})],
        [reading({"AWS": OTHER}), deny("s3:*", OBJECTS, Principal={"AWS": OTHER})],
        [deny("s3:*", OBJECTS, Principal="*")],
    ],
)
def test_what_lets_nobody_outside_in_is_closed(statements: list[dict[str, Any]]) -> None:
    """The account's own, by any wording."""
    assert look(*statements)[1] == []


def test_a_restricted_bucket_leaves_services_alone() -> None:
    """While a policy is public, RestrictPublicBuckets keeps other accounts out as well."""
    _, (public, other) = look(reading("*"), reading({"AWS": OTHER}), restricts_public=True)
    assert (public.is_public, public.who) == (False, ("any AWS service",))
    assert not other.is_open
    _, (alone,) = look(reading({"AWS": OTHER}), restricts_public=True)
    assert alone.is_open


def test_what_services_may_perhaps_is_not_held_back() -> None:
    """Block Public Access leaves AWS's services alone: where it cannot be told whether one comes in, that is said."""
    odd = reading({"Service": "logs.amazonaws.com"}, Condition={"NewOperator": {"aws:SourceAccount": "x"}})
    _, (public, doubtful) = look(reading("*"), odd, restricts_public=True)
    assert public.is_open
    assert (doubtful.is_open, doubtful.is_sure, doubtful.witness) == (True, False, None)
    assert doubtful.who == ("logs.amazonaws.com",)


@pytest.mark.parametrize(
    ("statement", "fix", "is_sure"),
    [
        (
            {**allow("s3:GetObject", OBJECTS), "NotPrincipal": {"AWS": OTHER}},
            "`NotPrincipal` with Allow lets in everyone else",
            False,
        ),
        (
            reading({"Service": "logs.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
            "nothing, if the service is to come in",
            True,
        ),
    ],
)
def test_the_fix_is_one_for_what_stands_there(statement: dict[str, Any], fix: str, is_sure: bool) -> None:
    """A service that acts for the account alone is as it should be; of the other AWS says that it is not supported."""
    _, (found,) = look(statement)
    assert fix in found.fix
    assert found.is_sure is is_sure


def test_a_public_statement_that_others_deny_altogether_is_named() -> None:
    """AWS calls it public by its words alone."""
    _, (found,) = look(reading("*"), deny("s3:*", OBJECTS, Principal="*"))
    assert (found.is_public, found.who, found.reason) == (True, (), "other statements deny all of it")


def test_when_the_time_is_over_nobody_is_taken_to_be_kept_out() -> None:
    """Each statement that allows something is named, with the reason why it cannot be told."""
    parsed = parse_policy(policy(reading({"AWS": OTHER}), reading("*")), PolicyKind.RESOURCE)
    for found in find_exposures(ACCOUNT, parsed, Budget(0.0)):
        assert (found.is_open, found.is_sure) == (True, False)
        assert found.reason == "all 0 s were over before its turn"


def test_federated_users_of_others_come_in_as_well() -> None:
    """Their own account lets them."""
    eve = "arn:aws:sts::999988887777:federated-user/eve"
    _, (found,) = look(reading({"AWS": eve}))
    assert found.who == (eve,)
