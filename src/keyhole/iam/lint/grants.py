"""Allows that open more than they seem to.

AWS: IAM User Guide, "IAM JSON policy elements: NotAction", "… NotResource", "… NotPrincipal" and "… Principal";
"IAM Access Analyzer policy check reference", security warnings.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyhole.iam.lint.report import PolicyWarning, WarningCode
from keyhole.iam.match import match_action
from keyhole.iam.model import Effect, PolicyKind, Statement

_GRANTING_KINDS = frozenset({PolicyKind.IDENTITY, PolicyKind.RESOURCE, PolicyKind.TRUST})
"""Where an Allow grants: in the other kinds it only leaves what others grant."""
_PASS_ROLE = "iam:PassRole"
_PASS_ROLE_KEYS = frozenset({"iam:passedtoservice", "iam:associatedresourcearn"})


def check_grants(statement: Statement, path: str, kind: PolicyKind) -> Iterator[PolicyWarning]:
    """A warning for each way in which an Allow that grants is open-ended."""
    if statement.effect is not Effect.ALLOW or kind not in _GRANTING_KINDS:
        return
    yield from _check_negations(statement, path)
    yield from _check_principals(statement, path)
    if kind is PolicyKind.IDENTITY:
        yield from _check_pass_role(statement, path)


def _check_negations(statement: Statement, path: str) -> Iterator[PolicyWarning]:
    if statement.actions.negated:
        message = "`NotAction` with Allow grants every other action of every service, new ones included"
        hint = "list the actions, or deny the ones to exclude"
        yield PolicyWarning(WarningCode.ALLOW_EXCEPT_ACTIONS, f"{path}.NotAction", message, hint)
    if statement.resources is not None and statement.resources.negated:
        message = "`NotResource` with Allow grants access to every other resource, new ones included"
        hint = "list the resources, or deny the ones to exclude"
        yield PolicyWarning(WarningCode.ALLOW_EXCEPT_RESOURCES, f"{path}.NotResource", message, hint)
    if statement.principals is not None and statement.principals.negated:
        message = "`NotPrincipal` with Allow grants access to everyone else, anonymous callers included"
        hint = "list the principals"
        yield PolicyWarning(WarningCode.ALLOW_EXCEPT_PRINCIPALS, f"{path}.NotPrincipal", message, hint)


def _check_principals(statement: Statement, path: str) -> Iterator[PolicyWarning]:
    principals = statement.principals
    if principals is None or principals.negated or statement.conditions:
        return
    if any(pattern.value == "*" and pattern.kind in {"*", "AWS"} for pattern in principals.patterns):
        message = "the statement allows everyone, anonymous callers included, and has no condition"
        hint = "name the principals, or add a condition such as `aws:PrincipalOrgID`"
        yield PolicyWarning(WarningCode.PRINCIPAL_ANYONE, f"{path}.Principal", message, hint)


def _check_pass_role(statement: Statement, path: str) -> Iterator[PolicyWarning]:
    """A pattern of IAM's own that includes PassRole, on any role; `*` alone is an administrator's and hides nothing."""
    resources = statement.resources
    if statement.actions.negated or resources is None or resources.negated:
        return
    if not any(resource.strip("*") == "" for resource in resources.patterns):
        return
    if any(condition.key.lower() in _PASS_ROLE_KEYS for condition in statement.conditions):
        return
    for index, pattern in enumerate(statement.actions.patterns):
        if pattern.lower().startswith("iam:") and match_action(pattern, _PASS_ROLE):
            message = f"`{pattern}` on every resource lets any role of the account be handed to any service"
            hint = "name the roles, or add a condition on `iam:PassedToService`"
            yield PolicyWarning(WarningCode.PASS_ANY_ROLE, f"{path}.Action[{index}]", message, hint)
