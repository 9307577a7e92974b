"""What is asked of an account, and the answer for one principal: whether it can, by which ways, or why it is not known.

AWS: IAM User Guide, "Policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from keyhole.iam.access.document import Asked, Part
from keyhole.iam.decide import LAYER_NAMES
from keyhole.iam.model import Policy, PolicyKind, PolicySet, PrincipalKind, Request, Statement
from keyhole.iam.showing import printable
from keyhole.iam.symbolic.budget import Budget
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, negate


class Can(StrEnum):
    """Whether somebody can: `unknown` is never taken for either."""

    CAN = "can"
    CANNOT = "cannot"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked of: a pattern of actions on a pattern of resources, whose account and own policy are these.

    `kind` says whether `policy` is a resource's policy or a role's trust policy. `within`: patterns one of which the
    resource must fit as well, where there are any; `outside`: those that it must not fit.
    """

    action: str
    resource: str
    account: str
    policy: Policy | None = None
    kind: PolicyKind = PolicyKind.RESOURCE
    within: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    @property
    def asked(self) -> Asked:
        """Give what documents are looked over for."""
        return Asked(self.action, self.resource)

    def goals(self, encoder: Encoder) -> Iterator[Formula]:
        """Give that a request is one of those that are asked about."""
        if self.action != "*":
            yield encoder.action_in((self.action,))
        if self.resource != "*":
            yield encoder.resource_in((self.resource,))
        if self.within:
            yield encoder.resource_in(self.within)
        if self.outside:
            yield negate(encoder.resource_in(self.outside))

    def with_whole(self, policies: PolicySet) -> PolicySet:
        """Give the caller's policies together with the resource's own."""
        if self.kind is PolicyKind.TRUST:
            return replace(policies, trust=self.policy)
        return replace(policies, resource=self.policy)

    def beside(self, policies: PolicySet, part: Part | None) -> PolicySet:
        """Give the caller's policies together with a part of the resource's own."""
        found = part.policy if part is not None else None
        if self.kind is PolicyKind.TRUST:
            return replace(policies, trust=found)
        return replace(policies, resource=found)


@dataclass(frozen=True, slots=True)
class Way:
    """One statement by which it can, its conditions in words, and a request that shows it."""

    statement: str
    conditions: tuple[str, ...]
    witness: Request


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether one principal can, by which ways, or why it cannot be told. `kind`: what it is, of one outside."""

    arn: str
    verdict: Can
    ways: tuple[Way, ...] = ()
    reason: str = ""
    kind: PrincipalKind | None = None


def name_statement(policy: Policy, kind: PolicyKind, number: int, statement: Statement) -> str:
    """Give a statement as people name it."""
    sid = f" `{printable(statement.sid)}`" if statement.sid else ""
    name = f" `{policy.name}`" if policy.name else ""
    return f"statement {number}{sid} of {LAYER_NAMES[kind]}{name}"


def too_late(budget: Budget) -> str:
    """Say that there was no time to look at one."""
    return f"all {budget.seconds:.3g} s were over before its turn"
