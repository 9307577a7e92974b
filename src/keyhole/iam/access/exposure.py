"""Who outside an account its bucket's policy lets in: by AWS's definition of public, and by the stricter "anyone".

AWS: S3 User Guide, "Blocking public access to your Amazon S3 storage", sections "The meaning of "public"" and "Block
public access settings".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from keyhole.iam.access.outsiders import find_outsiders
from keyhole.iam.access.standing import Can, Standing, Target, name_statement
from keyhole.iam.model import Effect, Policy, PolicyKind, PrincipalKind, Request, Statement
from keyhole.iam.public import is_public_statement
from keyhole.iam.symbolic.budget import Budget

_SOURCE_KEYS = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"})


@dataclass(frozen=True, slots=True)
class Exposure:
    """A statement that lets somebody outside in. `is_public`: AWS calls it public. `held_back`: what keeps them out.

    `reason` says why it cannot be told, where there is no witness.
    """

    statement: str
    who: tuple[str, ...]
    is_public: bool
    witness: Request | None
    fix: str
    held_back: str = ""
    reason: str = ""

    @property
    def is_sure(self) -> bool:
        """Hold iff it is certain, by a request or as it needs none."""
        return self.witness is not None or not self.reason

    @property
    def is_open(self) -> bool:
        """Hold iff nothing beside the policy keeps them out."""
        return not self.held_back


def find_exposures(
    account: str, policy: Policy, budget: Budget | None = None, *, restricts_public: bool = False
) -> Iterator[Exposure]:
    """Give each statement of a resource's policy that lets somebody in who is not of the account.

    `restricts_public`: RestrictPublicBuckets is set: while the policy is public, nobody but AWS's services and the
    account's own come in, so that what lets others in is held back. The budget is for all of it.
    """
    budget = budget or Budget()
    is_public = any(is_public_statement(statement) for statement in policy.statements)
    denies = tuple(statement for statement in policy.statements if statement.effect is Effect.DENY)
    for number, statement in enumerate(policy.statements):
        if statement.effect is Effect.DENY:
            continue
        alone = replace(policy, statements=(statement, *denies))
        found = list(find_outsiders(account, Target("*", "*", account, alone), budget.part()))
        if not found and not is_public_statement(statement):
            continue
        yield _exposure(
            name_statement(policy, PolicyKind.RESOURCE, number, statement),
            statement,
            found,
            held=restricts_public and is_public,
        )


def _exposure(name: str, statement: Statement, found: list[Standing], *, held: bool) -> Exposure:
    services = [standing for standing in found if standing.kind is PrincipalKind.SERVICE]
    is_held = held and not services
    shown = services if held and services else found
    can = [standing for standing in shown if standing.verdict is Can.CAN]
    witness = min((standing.ways[0].witness for standing in can), key=_rank, default=None)
    reason = "" if can else next((standing.reason for standing in shown), "other statements deny all of it")
    if held and can and not is_held:
        reason = "of all whom it lets in, Block Public Access (RestrictPublicBuckets) leaves AWS's services alone"
    return Exposure(
        name,
        _names(can or shown),
        is_public_statement(statement) and not held,
        witness,
        _fix(statement),
        "Block Public Access (RestrictPublicBuckets) keeps them out while the policy is public" if is_held else "",
        reason,
    )


def _names(standings: list[Standing]) -> tuple[str, ...]:
    """Give who they are: whoever includes all the others, alone."""
    if any(each.ways and each.ways[0].witness.principal.kind is PrincipalKind.ANONYMOUS for each in standings):
        return ("anyone on the web",)
    return tuple(dict.fromkeys(each.arn for each in standings))


def _rank(request: Request) -> int:
    """The wider a caller is, the more it says: anyone on the web first."""
    order = (PrincipalKind.ANONYMOUS, PrincipalKind.USER, PrincipalKind.ROLE_SESSION, PrincipalKind.ROOT)
    return order.index(request.principal.kind) if request.principal.kind in order else len(order)


def _fix(statement: Statement) -> str:
    principals = statement.principals
    if principals is None or principals.negated:
        return "write `Principal` with those who are meant: `NotPrincipal` with Allow lets in everyone else"
    values = {pattern.value for pattern in principals.patterns}
    if "*" in values:
        return (
            "name those who are meant in `Principal`, or add a condition with a fixed value of `aws:PrincipalArn`, "
            "`aws:PrincipalAccount`, `aws:PrincipalOrgID` or `aws:SourceVpce`"
        )
    if all(pattern.kind == "Service" for pattern in principals.patterns):
        if any(condition.key.lower() in _SOURCE_KEYS for condition in statement.conditions):
            return "nothing, if the service is to come in: it acts for the source that the condition names"
        return "add the condition StringEquals `aws:SourceAccount` with your account: now it acts for any account"
    return f"take {', '.join(f'`{value}`' for value in sorted(values))} out of `Principal` unless it is meant"
