"""Parsing: a policy document becomes a Policy, or a PolicyError that says where AWS would refuse it.

AWS: IAM User Guide, "IAM JSON policy elements reference" and "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from keyhole.iam.document import Node, check_object, items_of, read_document, read_scalar, read_text, read_texts
from keyhole.iam.match import ARN_FIELDS
from keyhole.iam.model import (
    Condition,
    Effect,
    Element,
    Policy,
    PolicyKind,
    PrincipalElement,
    PrincipalPattern,
    Statement,
)
from keyhole.iam.operators.registry import split_operator
from keyhole.iam.principals import is_account_id
from keyhole.iam.statement import PRINCIPAL_KINDS

VERSIONS = ("2012-10-17", "2008-10-17")
DEFAULT_VERSION = "2008-10-17"

_DOCUMENT_ELEMENTS = ("Version", "Id", "Statement")
_STATEMENT_ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")
_SERVICE_CHECKED = frozenset({PolicyKind.RESOURCE, PolicyKind.ENDPOINT})
"""Policies of which each service checks the Sids and resources by rules of its own."""
_SID = re.compile(r"[A-Za-z0-9]*")
_PRINCIPAL_ARN = re.compile(r"arn:[a-z0-9-]+:(?:iam|sts)::(?:[0-9]{12}|cloudfront):[^:*?]+")
_UNIQUE_ID = re.compile(r"A[A-Z0-9]{15,127}")


def parse_policy(source: str | bytes | Mapping[str, Any], kind: PolicyKind, name: str = "") -> Policy:
    """The policy that the document says, for where it is attached; `name` labels it in traces.

    An absent Version is 2008-10-17, in which there are no policy variables. Operators that are not known are kept as
    written: they are UNKNOWN when the policy is decided on.
    Raises: PolicyError, and nothing else; `where` is the JSON path.
    """
    root = read_document(source)
    check_object(root, _DOCUMENT_ELEMENTS)
    version = _read_version(root)
    if "Statement" not in root.value:
        root.refuse("the policy has no `Statement`")
    statements = tuple(_parse_statement(node, kind) for node in items_of(root.child("Statement")))
    if not statements:
        root.child("Statement").refuse("the policy has no statement")
    _check_sids(root, statements, kind)
    identifier = read_text(root.child("Id")) if "Id" in root.value else ""
    return Policy(statements, version, identifier, name)


def _read_version(root: Node) -> str:
    if "Version" not in root.value:
        return DEFAULT_VERSION
    node = root.child("Version")
    version = read_text(node)
    if version not in VERSIONS:
        node.refuse(f"`{version}` is no version of the policy language", hint=f"write `{VERSIONS[0]}`")
    return version


def _check_sids(root: Node, statements: tuple[Statement, ...], kind: PolicyKind) -> None:
    """Sids are alphanumeric and unique, but where the service has rules of its own."""
    if kind in _SERVICE_CHECKED:
        return
    seen: set[str] = set()
    for node, statement in zip(items_of(root.child("Statement")), statements, strict=True):
        if not _SID.fullmatch(statement.sid):
            node.child("Sid").refuse(f"the Sid `{statement.sid}` has other characters than letters and digits")
        if statement.sid and statement.sid in seen:
            node.child("Sid").refuse(f"the Sid `{statement.sid}` is there twice")
        seen.add(statement.sid)


def _parse_statement(node: Node, kind: PolicyKind) -> Statement:
    check_object(node, _STATEMENT_ELEMENTS)
    return Statement(
        effect=_read_effect(node),
        actions=_read_actions(node, kind),
        resources=_read_resources(node, kind),
        principals=_read_principals(node, kind),
        conditions=_read_conditions(node),
        sid=read_text(node.child("Sid")) if "Sid" in node.value else "",
    )


def _read_effect(node: Node) -> Effect:
    if "Effect" not in node.value:
        node.refuse("the statement has no `Effect`", hint="write `Allow` or `Deny`")
    text = read_text(node.child("Effect"))
    if text not in {Effect.ALLOW, Effect.DENY}:
        node.child("Effect").refuse(f"`{text}` is no effect", hint="write `Allow` or `Deny`, in just this spelling")
    return Effect(text)


def _choose(node: Node, name: str) -> tuple[Node, bool] | None:
    """The element or its Not… form, and whether it is that; None where neither is there."""
    opposite = f"Not{name}"
    if name in node.value and opposite in node.value:
        node.child(opposite).refuse(f"the statement has both `{name}` and `{opposite}`", hint="keep one of them")
    if name in node.value:
        return node.child(name), False
    return (node.child(opposite), True) if opposite in node.value else None


def _read_element(chosen: tuple[Node, bool], name: str) -> Element:
    node, negated = chosen
    patterns = read_texts(node)
    if not patterns:
        node.refuse(f"the statement has an empty `{name}`")
    return Element(patterns, negated)


def _read_actions(node: Node, kind: PolicyKind) -> Element:
    chosen = _choose(node, "Action")
    if chosen is None:
        node.refuse("the statement has neither `Action` nor `NotAction`")
    element = _read_element(chosen, "Action")
    if kind is PolicyKind.RCP and element.negated:
        chosen[0].refuse("a resource control policy takes no `NotAction`", hint="list the actions")
    if kind is PolicyKind.TRUST and not element.negated:
        for item, action in zip(items_of(chosen[0]), element.patterns, strict=True):
            if not action.lower().startswith("sts:"):
                item.refuse(f"`{action}` is no action of STS, and a trust policy takes no other")
    return element


def _read_resources(node: Node, kind: PolicyKind) -> Element | None:
    chosen = _choose(node, "Resource")
    if kind is PolicyKind.TRUST:
        if chosen is not None:
            chosen[0].refuse("a trust policy takes no resource: it is the role's own", hint="leave it out")
        return None
    if chosen is None:
        node.refuse("the statement has neither `Resource` nor `NotResource`")
    element = _read_element(chosen, "Resource")
    if kind not in _SERVICE_CHECKED:
        for item, resource in zip(items_of(chosen[0]), element.patterns, strict=True):
            _check_resource(item, resource, kind)
    return element


def _check_resource(node: Node, resource: str, kind: PolicyKind) -> None:
    """Raises: PolicyError unless the resource is `*` or an ARN; a session policy's ARN must be complete."""
    if resource.strip("*") == "" and resource:
        return
    if not resource.startswith("arn:"):
        node.refuse(f"the resource `{resource}` is neither an ARN nor `*`")
    if kind is PolicyKind.SESSION and resource.count(":") < ARN_FIELDS - 1:
        node.refuse(f"the ARN `{resource}` is incomplete", hint="write all six fields, with `*` for any")


def _read_principals(node: Node, kind: PolicyKind) -> PrincipalElement | None:
    chosen = _choose(node, "Principal")
    if kind not in PRINCIPAL_KINDS:
        if chosen is not None:
            chosen[0].refuse(f"a policy of kind {kind.value} takes no principal", hint="leave it out")
        return None
    if chosen is None:
        node.refuse("the statement has no `Principal`", hint="say to whom it applies")
    principal, negated = chosen
    if negated and kind is PolicyKind.TRUST:
        principal.refuse("a trust policy takes no `NotPrincipal`", hint="name whom the role trusts")
    patterns = _read_principal_patterns(principal)
    if kind is PolicyKind.RCP and (negated or patterns != (PrincipalPattern("*", "*"),)):
        principal.refuse('a resource control policy takes `"Principal": "*"` only', hint="narrow it by a condition")
    return PrincipalElement(patterns, negated)


def _read_principal_patterns(node: Node) -> tuple[PrincipalPattern, ...]:
    if isinstance(node.value, str):
        text = read_text(node)
        if text != "*":
            node.refuse(f"the principal `{text}` has no type", hint=f'write {{"AWS": "{text}"}}')
        return (PrincipalPattern("*", "*"),)
    check_object(node, _PRINCIPAL_TYPES)
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
    if value == "*" or is_account_id(value) or _UNIQUE_ID.fullmatch(value) or _PRINCIPAL_ARN.fullmatch(value):
        return
    hint = "a wildcard cannot stand for a part of a principal" if "*" in value or "?" in value else ""
    node.refuse(f"`{value}` is no principal of type AWS", hint=hint)


def _read_conditions(node: Node) -> tuple[Condition, ...]:
    if "Condition" not in node.value:
        return ()
    block = node.child("Condition")
    check_object(block)
    conditions: list[Condition] = []
    seen: set[tuple[str, str, bool]] = set()
    for written in block.value:
        keys = block.child(written)
        check_object(keys)
        qualifier, operator, if_exists = split_operator(written)
        if (qualifier, operator, if_exists) in seen:
            keys.refuse(f"the operator `{written}` is there twice")
        seen.add((qualifier, operator, if_exists))
        names: set[str] = set()
        for key in keys.value:
            if not key:
                keys.refuse("a condition key is empty")
            if key.lower() in names:
                keys.refuse(f"the key `{key}` is there twice, for keys have no case")
            names.add(key.lower())
            values = tuple(read_scalar(item) for item in items_of(keys.child(key)))
            conditions.append(Condition(operator, key, values, qualifier, if_exists))
    return tuple(conditions)
