"""Whether a planned workload can give itself more than the file gives it, by any path within its account.

Of the account nothing is known but what the file plans: to become somebody else there is a doubt, never a proof.
"""

from __future__ import annotations

from keyhole.blueprint import Blueprint
from keyhole.iam import Policy, PolicyKind, PrincipalKind, render_policy
from keyhole.iam.access.account import Account, Holder
from keyhole.iam.access.document import Document
from keyhole.iam.access.escalation import find_escalation
from keyhole.iam.access.escalation_search import Escalation
from keyhole.iam.symbolic.question import HOLDS, Answer, Verdict
from keyhole.verify.rehearse import PlannedPolicies


def find_planned_escalation(
    blueprint: Blueprint, policies: PlannedPolicies, who: str, budget_s: float
) -> tuple[Answer, str]:
    """Give the answer, its witness the first step that decides, and the whole path in words."""
    scope = blueprint.scope
    holders = {key: _holder(policies, key) for key in policies.identity if key in blueprint.app.workloads}
    if who not in holders:
        # Who has no policies at all has nothing to begin with.
        return HOLDS, ""
    account = Account(scope.account, scope.partition, tuple(holders.values()))
    found = find_escalation(account, holders[who], budget_s, is_whole=False)
    witness = found.steps[0].requests[0] if found.verdict is Verdict.FAILS else None
    return Answer(found.verdict, witness, found.reason), _tell(found)


def _holder(policies: PlannedPolicies, key: str) -> Holder:
    principal = policies.principal(key)
    is_role = principal.kind is PrincipalKind.ROLE_SESSION
    arn = principal.role_arn or principal.arn
    identity = policies.identity[key]
    boundary, trust = policies.boundaries.get(key), policies.trusts.get(arn)
    return Holder(
        principal,
        arn,
        "AROAEXAMPLE" if is_role else "AIDAEXAMPLE",
        tuple(_document(policy, PolicyKind.IDENTITY) for policy in identity),
        _document(boundary, PolicyKind.BOUNDARY) if boundary is not None else None,
        _document(trust, PolicyKind.TRUST) if trust is not None else None,
        attached=tuple(policy.name for policy in identity if policy.name.startswith("arn:")),
    )


def _document(policy: Policy, kind: PolicyKind) -> Document:
    return Document(render_policy(policy), kind, policy.name)


def _tell(found: Escalation) -> str:
    if found.gain is None:
        return ""
    steps = "; ".join(step.says for step in found.steps)
    return f"{steps}; then it may {found.gain.action} on {found.gain.resource}"
