"""Stored policy documents, parsed once; one that cannot be parsed denies everything.

AWS refuses such documents when they are put, so the case should not arise: if it does, nobody gains by it.
"""

from __future__ import annotations

from functools import lru_cache

from keyhole.errors import PolicyError
from keyhole.iam import parse_policy
from keyhole.iam.model import (
    Effect,
    Element,
    Policy,
    PolicyKind,
    PrincipalElement,
    PrincipalPattern,
    Statement,
)
from keyhole.local.backend import Document

_ANY = Element(("*",))
ROOT_POLICY = Policy((Statement(Effect.ALLOW, _ANY, _ANY),), name="account root")


@lru_cache(maxsize=4096)
def parse_stored(document: Document, kind: PolicyKind) -> Policy:
    """Give the policy in a stored document."""
    try:
        return parse_policy(document.text, kind, document.name)
    except PolicyError:
        return _deny_all(document.name, kind)


def _deny_all(name: str, kind: PolicyKind) -> Policy:
    has_principals = kind in (PolicyKind.RESOURCE, PolicyKind.TRUST)
    everyone = PrincipalElement((PrincipalPattern("*", "*"),)) if has_principals else None
    resources = None if kind is PolicyKind.TRUST else _ANY
    return Policy((Statement(Effect.DENY, _ANY, resources, everyone),), name=f"{name} (cannot be parsed)")
