"""What AWS would accept in the policies of a question and that can never match, or is risky: said beside the answer."""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.iam import Policy, PolicyKind
from keyhole.iam.lint import PolicyWarning, find_warnings
from keyhole.simulate.question import Rules


def find_remarks(rules: Rules) -> tuple[tuple[str, PolicyWarning], ...]:
    """The warnings on every policy, each with the policy's label."""
    return tuple((policy.name, warning) for kind, policy in _policies(rules) for warning in find_warnings(policy, kind))


def _policies(rules: Rules) -> Iterator[tuple[PolicyKind, Policy]]:
    policies = rules.policies
    singles = {
        PolicyKind.RESOURCE: (policies.resource,),
        PolicyKind.TRUST: (policies.trust,),
        PolicyKind.BOUNDARY: (policies.boundary, *rules.more_boundaries),
        PolicyKind.ENDPOINT: (policies.endpoint, *rules.more_endpoints),
        PolicyKind.IDENTITY: policies.identity,
        PolicyKind.SESSION: policies.session or (),
        PolicyKind.SCP: tuple(policy for level in policies.scps for policy in level),
        PolicyKind.RCP: tuple(policy for level in policies.rcps for policy in level),
    }
    for kind, group in singles.items():
        yield from ((kind, policy) for policy in group if policy is not None)
