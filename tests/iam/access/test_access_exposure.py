"""Public by AWS's definition, and open to anyone outside: each statement with a request that `decide` allows."""

from __future__ import annotations

from typing import Any

import pytest
from access_accounts import ACCOUNT, allow, deny, policy

from keyhole.iam import Policy, PolicyKind, PolicySet, decide, parse_policy
from keyhole.iam.access.exposure import Exposure, find_exposures
from keyhole.iam.symbolic.compare import everything

OTHER = "arn:aws:iam::999988887777:role/x"
OBJECTS = "arn:aws:s3:::masks/*"


def reading(principal: Any, **more: Any) -> dict[str, Any]:
    return allow("s3:GetObject", OBJECTS, Principal=principal, **more)


def look(*statements: dict[str, Any], **more: Any) -> tuple[Policy, list[Exposure]]:
    parsed = parse_policy(policy(*statements), PolicyKind.RESOURCE, name="masks")
    return parsed, list(find_exposures(ACCOUNT, parsed, **more))


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
