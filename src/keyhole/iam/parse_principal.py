"""Parsing: the Principal or NotPrincipal of a statement, by where the policy is attached.

AWS: IAM User Guide, "AWS JSON policy elements: Principal" and "…: NotPrincipal".
"""

from __future__ import annotations

import re

from keyhole.iam.document import Node, check_object, choose, items_of, read_text
from keyhole.iam.model import PolicyKind, PrincipalElement, PrincipalPattern
from keyhole.iam.principals import is_account_id
from keyhole.iam.statement import PRINCIPAL_KINDS

_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
_ARN = re.compile(r"arn:[a-z0-9-]+:(?:iam|sts)::(?:[0-9]{12}|cloudfront):[^:*?]+")
_UNIQUE_ID = re.compile(r"A[A-Z0-9]{15,127}")


def read_principals(node: Node, kind: PolicyKind) -> PrincipalElement | None:
    """The element, or None where policies of the kind have none."""
    chosen = choose(node, "Principal")
    if kind not in PRINCIPAL_KINDS:
        if chosen is not None:
            chosen[0].refuse(f"a policy of kind {kind.value} takes no principal", hint="leave it out")
        return None
    if chosen is None:
        node.refuse("the statement has no `Principal`", hint="say to whom it applies")
    principal, negated = chosen
    if negated and kind is PolicyKind.TRUST:
        principal.refuse("a trust policy takes no `NotPrincipal`", hint="name whom the role trusts")
    patterns = _read_patterns(principal)
    if kind is PolicyKind.RCP and (negated or patterns != (PrincipalPattern("*", "*"),)):
        principal.refuse('a resource control policy takes `"Principal": "*"` only', hint="narrow it by a condition")
    return PrincipalElement(patterns, negated)


def _read_patterns(node: Node) -> tuple[PrincipalPattern, ...]:
    if isinstance(node.value, str):
        text = read_text(node)
        if text != "*":
            node.refuse(f"the principal `{text}` has no type", hint=f'write {{"AWS": "{text}"}}')
        return (PrincipalPattern("*", "*"),)
    check_object(node, _TYPES)
    patterns = []
    for kind in node.value:
        for item in items_of(node.child(kind)):
            value = read_text(item)
            _check_principal(item, kind, value)
            patterns.append(PrincipalPattern(kind, value))
    if not patterns:
        node.refuse("the statement names no principal")
    return tuple(patterns)


def _check_principal(node: Node, kind: str, value: str) -> None:
    """Raises: PolicyError where AWS says "Invalid principal": wildcards match everyone or nobody, never a part."""
    if kind != "AWS":
        if not value or {"*", "?"} & set(value):
            node.refuse(f"`{value}` is no principal of type {kind}")
        return
    if value == "*" or is_account_id(value) or _UNIQUE_ID.fullmatch(value) or _ARN.fullmatch(value):
        return
    hint = "a wildcard cannot stand for a part of a principal" if "*" in value or "?" in value else ""
    node.refuse(f"`{value}` is no principal of type AWS", hint=hint)
