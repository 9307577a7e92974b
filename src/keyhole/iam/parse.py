"""Parsing: a policy document becomes a Policy, or a PolicyError that says where AWS would refuse it.

AWS: IAM User Guide, "IAM JSON policy elements reference" and "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from keyhole.iam.document import (
    Node,
    check_object,
    choose,
    items_of,
    read_document,
    read_scalars,
    read_text,
    read_texts,
)
from keyhole.iam.match import ARN_FIELDS
from keyhole.iam.model import Condition, Effect, Element, Policy, PolicyKind, Statement
from keyhole.iam.operators.registry import split_operator
from keyhole.iam.parse_principal import read_principals
from keyhole.iam.quotas import Quota, check_quota
from keyhole.iam.text import write_document

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
_SERVICE_CHECKED = frozenset({PolicyKind.RESOURCE, PolicyKind.ENDPOINT})
"""Policies of which each service checks the Sids and resources by rules of its own."""
_KEPT_BY_IAM = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.TRUST, PolicyKind.SESSION})
_STRANGE_TO_IAM = re.compile(r"[^\t\n\r\x20-\xff]")
"""AWS: IAM User Guide, "IAM and AWS STS quotas", IAM name requirements."""
_SID = re.compile(r"[A-Za-z0-9]*")


def parse_policy(
    source: str | bytes | Mapping[str, Any],
    kind: PolicyKind,
    name: str = "",
    *,
    file: str = "",
    quota: Quota | None = None,
) -> Policy:
    """The policy that the document says, for where it is attached; `name` labels it in traces, `file` its places.

    An absent Version is 2008-10-17, in which there are no policy variables. Operators that are not known are kept as
    written: they are UNKNOWN when the policy is decided on. With a `quota` (`QUOTAS[kind]` is the usual one) a document
    that is longer is refused too; a mapping counts as its compact JSON. What AWS has stored, it has accepted.
    Raises: PolicyError, and nothing else; `where` is the JSON path, `line` and `column` the place in a text.
    """
    root = read_document(source, file, strangers=_STRANGE_TO_IAM if kind in _KEPT_BY_IAM else None)
    check_object(root, _DOCUMENT_ELEMENTS)
    version = _read_version(root)
    if "Statement" not in root.value:
        root.refuse("the policy has no `Statement`")
    statements = tuple(_parse_statement(node, kind) for node in items_of(root.child("Statement")))
    if not statements:
        root.child("Statement").refuse("the policy has no statement")
    _check_sids(root, statements, kind)
    if quota is not None:
        _check_length(source, quota, file)
    identifier = read_text(root.child("Id")) if "Id" in root.value else ""
    return Policy(statements, version, identifier, name)


def _check_length(source: str | bytes | Mapping[str, Any], quota: Quota, file: str) -> None:
    text = write_document(source) if isinstance(source, Mapping) else source
    if error := check_quota(text if isinstance(text, str) else text.decode(), quota, file=file):
        raise error


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
    for index, statement in enumerate(statements):
        sid = statement.sid
        if not _SID.fullmatch(sid):
            complaint = "has other characters than letters and digits"
        elif sid and sid in seen:
            complaint = "is there twice"
        else:
            seen.add(sid)
            continue
        root.child("Statement").member(index).child("Sid").refuse(f"the Sid `{sid}` {complaint}")


def _parse_statement(node: Node, kind: PolicyKind) -> Statement:
    check_object(node, _STATEMENT_ELEMENTS)
    return Statement(
        effect=_read_effect(node),
        actions=_read_actions(node, kind),
        resources=_read_resources(node, kind),
        principals=read_principals(node, kind),
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


def _read_element(chosen: tuple[Node, bool], name: str) -> Element:
    node, negated = chosen
    patterns = read_texts(node)
    if not patterns:
        node.refuse(f"the statement has an empty `{name}`")
    return Element(patterns, negated)


def _read_actions(node: Node, kind: PolicyKind) -> Element:
    chosen = choose(node, "Action")
    if chosen is None:
        node.refuse("the statement has neither `Action` nor `NotAction`")
    element = _read_element(chosen, "Action")
    if kind is PolicyKind.RCP and element.negated:
        chosen[0].refuse("a resource control policy takes no `NotAction`", hint="list the actions")
    if kind is PolicyKind.TRUST and not element.negated:
        for index, action in enumerate(element.patterns):
            if not action.lower().startswith("sts:"):
                chosen[0].member(index).refuse(f"`{action}` is no action of STS, and a trust policy takes no other")
    return element


def _read_resources(node: Node, kind: PolicyKind) -> Element | None:
    chosen = choose(node, "Resource")
    if kind is PolicyKind.TRUST:
        if chosen is not None:
            chosen[0].refuse("a trust policy takes no resource: it is the role's own", hint="leave it out")
        return None
    if chosen is None:
        node.refuse("the statement has neither `Resource` nor `NotResource`")
    element = _read_element(chosen, "Resource")
    if kind not in _SERVICE_CHECKED:
        for index, resource in enumerate(element.patterns):
            _check_resource(chosen[0], index, resource, kind)
    return element


def _check_resource(node: Node, index: int, resource: str, kind: PolicyKind) -> None:
    """Raises: PolicyError unless the resource is `*` or an ARN; a session policy's ARN must be complete."""
    if resource.strip("*") == "" and resource:
        return
    if not resource.startswith("arn:"):
        node.member(index).refuse(f"the resource `{resource}` is neither an ARN nor `*`")
    if kind is PolicyKind.SESSION and resource.count(":") < ARN_FIELDS - 1:
        hint = "write all six fields, with `*` for any"
        node.member(index).refuse(f"the ARN `{resource}` is incomplete", hint=hint)


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
                keys.refuse("a condition key is empty", key=key)
            if key.lower() in names:
                keys.refuse(f"the key `{key}` is there twice, for keys have no case", key=key)
            names.add(key.lower())
            values = read_scalars(keys.child(key))
            conditions.append(Condition(operator, key, values, qualifier, if_exists))
    return tuple(conditions)
