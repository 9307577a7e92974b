"""Steps to more through a user or role that it makes itself.

AWS: IAM User Guide, "Permissions boundaries for IAM entities", Delegating responsibility to others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from keyhole.iam.access.account import ANY_SESSION, Holder
from keyhole.iam.access.escalation_search import Power, Search, policy_naming
from keyhole.iam.access.escalation_steps import ADMINISTRATOR
from keyhole.iam.model import PolicyKind, PolicySet, Principal, PrincipalKind, Request
from keyhole.iam.symbolic.compare import everything

_BOUNDARY = "iam:permissionsboundary"
_DOUBT = "it may make {}s only under conditions: whether these leave it more is not known"


@dataclass(frozen=True, slots=True)
class _Making:
    """What makes one, what gives it rights, and what lets its maker be it."""

    sort: str
    makes: str
    grants: tuple[str, ...]
    doors: tuple[str, ...]


_MAKINGS = (
    _Making(
        "user",
        "iam:CreateUser",
        ("iam:AttachUserPolicy", "iam:PutUserPolicy"),
        ("iam:CreateAccessKey", "iam:CreateLoginProfile"),
    ),
    _Making("role", "iam:CreateRole", ("iam:AttachRolePolicy", "iam:PutRolePolicy"), ("sts:AssumeRole",)),
)


def create_others(search: Search, power: Power) -> None:
    """Make a user or a role that may do everything, and be it. Raises: FoundError if that is more."""
    for making in _MAKINGS:
        pattern = f"arn:{search.account.partition}:iam::{search.account.number}:{making.sort}/*"
        made = search.ask(power, making.makes, pattern, given={_BOUNDARY: None}).witness
        requests = _follow(search, power, making, made) if made is not None else None
        if made is not None and requests is not None:
            holder = _holder(search, making, made.resource)
            says = f"{power.holder.name} makes {making.sort} {holder.name}, which may do everything, and uses it"
            search.take(power.after(holder, PolicySet((everything(),)), says, *requests))
            continue
        has_joined = made is not None and making.sort == "user" and _join(search, power, making, made)
        if _may_all(search, power, making, pattern, joins=making.sort == "user" and not has_joined):
            search.doubts.append(_DOUBT.format(making.sort))


def _follow(search: Search, power: Power, making: _Making, made: Request) -> tuple[Request, ...] | None:
    """Give the requests that make this very one and use it, None if one of them is not allowed."""
    given = {_BOUNDARY: None, "iam:policyarn": ADMINISTRATOR}
    granted = [search.ask(power, action, made.resource, given=given).witness for action in making.grants]
    trusting = replace(power.policies, trust=policy_naming(power.holder, PolicyKind.TRUST, "sts:AssumeRole"))
    beside = trusting if making.sort == "role" else None
    opened = [search.ask(power, action, made.resource, beside=beside).witness for action in making.doors]
    first, then = next(filter(None, granted), None), next(filter(None, opened), None)
    return (made, first, then) if first is not None and then is not None else None


def _join(search: Search, power: Power, making: _Making, made: Request) -> bool:
    """Add this very user to each group, and be it: hold if that can be done. Raises: FoundError if that is more."""
    opened = [search.ask(power, action, made.resource).witness for action in making.doors]
    door = next(filter(None, opened), None)
    if door is None:
        return False
    holder = _holder(search, making, made.resource)
    has_joined = False
    for name, arn in search.account.groups.items():
        joining = search.ask(power, "iam:AddUserToGroup", arn).witness
        if joining is None:
            continue
        says = f"{power.holder.name} makes user {holder.name}, adds it to group {name}, and uses it"
        policies = search.with_group(PolicySet(), name)
        search.take(power.after(holder, policies, says, made, joining, door))
        has_joined = True
    return has_joined


def _may_all(search: Search, power: Power, making: _Making, pattern: str, *, joins: bool) -> bool:
    """Hold unless one of the steps is certainly denied for all that it could make. `joins`: groups are such steps."""
    places = [(action, pattern) for action in making.grants]
    groups = ("*",) if search.others else search.account.groups.values()
    places += [("iam:AddUserToGroup", arn) for arn in groups if joins]
    doors = making.doors if making.sort == "user" else ()
    steps = [[(making.makes, pattern)], places, [(action, pattern) for action in doors]]
    return all(any(search.ask(power, *place).witness is not None for place in step) for step in steps if step)


def _holder(search: Search, making: _Making, arn: str) -> Holder:
    number = search.account.number
    if making.sort == "user":
        return Holder(Principal(PrincipalKind.USER, arn, number), arn, "AIDAEXAMPLE")
    session = f"arn:{search.account.partition}:sts::{number}:assumed-role/{arn.rpartition('/')[2]}/{ANY_SESSION}"
    return Holder(Principal(PrincipalKind.ROLE_SESSION, session, number, arn), arn, "AROAEXAMPLE")
