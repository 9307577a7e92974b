"""All warnings of a policy, statement by statement."""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.iam.lint.actions import check_actions, resolve_actions
from keyhole.iam.lint.conditions import check_conditions
from keyhole.iam.lint.grants import check_grants
from keyhole.iam.lint.keys import check_action_keys
from keyhole.iam.lint.report import PolicyWarning, WarningCode
from keyhole.iam.lint.resources import check_resources
from keyhole.iam.lint.variables import check_variables
from keyhole.iam.model import Policy, PolicyKind


def find_warnings(policy: Policy, kind: PolicyKind) -> tuple[PolicyWarning, ...]:
    """What AWS accepts in the policy and can never match, or is risky where it is attached; in the order of the policy.

    It reads the catalogue of the services that the policy names, each once per process, and nothing else.
    """
    found: list[PolicyWarning] = []
    services: set[str] = set()
    for warning in _check_statements(policy, kind):
        if warning.code is WarningCode.SERVICE_UNKNOWN:
            if warning.message in services:
                continue
            services.add(warning.message)
        found.append(warning)
    return tuple(found)


def _check_statements(policy: Policy, kind: PolicyKind) -> Iterator[PolicyWarning]:
    for index, statement in enumerate(policy.statements):
        path = f"Statement[{index}]"
        actions = resolve_actions(statement.actions)
        yield from check_grants(statement, path, kind)
        yield from check_actions(statement.actions, actions, path)
        yield from check_resources(statement, actions, path)
        yield from check_conditions(statement, path)
        yield from check_action_keys(statement, actions, path)
        yield from check_variables(statement, path, policy.version)
