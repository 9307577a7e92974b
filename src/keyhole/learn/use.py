"""One question that a call put to the policies, as its event tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from keyhole.blueprint.policies import OBJECT_ACTIONS
from keyhole.iam import Context, PolicySet, Principal, PrincipalKind, Request, decide
from keyhole.spec.model import Verb

_BUCKETS = "arn:aws:s3:::"
_VERB_OF: dict[str, Verb] = {action: verb for verb, actions in OBJECT_ACTIONS.items() for action in actions}
_READS = frozenset({"GetObject", "HeadObject"})


@dataclass(frozen=True, slots=True)
class Use:
    """A question and its answer. `who` is the ARN of the account's root, a user or a role (not of its session)."""

    who: str
    account: str
    operation: str
    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]]
    is_allowed: bool
    reason: str

    @property
    def verb(self) -> Verb | None:
        """The spec's verb for the action, None where it has none."""
        if self.action == "s3:ListBucket":
            return "list"
        return _VERB_OF.get(self.action) if self.key else None

    @property
    def bucket(self) -> str:
        """The bucket's name; "" where the resource is none of S3's."""
        return self.resource.removeprefix(_BUCKETS).partition("/")[0] if self.resource.startswith(_BUCKETS) else ""

    @property
    def key(self) -> str:
        """The object's key, "" where the resource is no object."""
        return self.resource.removeprefix(_BUCKETS).partition("/")[2] if self.resource.startswith(_BUCKETS) else ""

    @property
    def path(self) -> str:
        """What a grant's prefix must begin: an object's key, or the prefix that a listing asked for."""
        prefix = self.context.get("s3:prefix", "")
        return self.key or (prefix if isinstance(prefix, str) else "")

    @property
    def folder(self) -> str:
        """The path up to its last slash: what a prefix of the spec can cover."""
        return self.path[: self.path.rfind("/") + 1]

    @property
    def asks_whether_it_exists(self) -> bool:
        """Hold iff s3:ListBucket was asked for by a read of a key that is not there: 404 with it, 403 without.

        AWS: S3 API Reference, "GetObject" and "HeadObject", permissions.
        """
        return self.action == "s3:ListBucket" and self.operation in _READS

    @property
    def is_met_by_the_resource(self) -> bool:
        """Hold iff the resource's own policy allows it: the caller needs no grant."""
        return self.is_allowed and " of resource-based policy" in self.reason

    def request(self) -> Request:
        """The question for the policy engine, with a user as its caller: what counts is the policy that it has."""
        principal = Principal(PrincipalKind.USER, f"arn:aws:iam::{self.account}:user/learned", self.account)
        return Request(principal, self.action, self.resource, Context(self.context), self.account)


def read_uses(events: Iterable[Mapping[str, Any]]) -> tuple[Use, ...]:
    """Give every question of the events that takes a permission; those of anonymous callers are nobody's to grant."""
    return tuple(use for event in events for use in _read_event(event) if not _is_free(use.action))


def by_principal(uses: Iterable[Use]) -> dict[str, tuple[Use, ...]]:
    """Give the questions of each user, role or root, in the order of their first calls."""
    found: dict[str, list[Use]] = {}
    for use in uses:
        found.setdefault(use.who, []).append(use)
    return {who: tuple(asked) for who, asked in found.items()}


def _read_event(event: Mapping[str, Any]) -> Iterable[Use]:
    identity, own = event["userIdentity"], event["keyhole"]
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    who = str(issuer.get("arn") or identity.get("arn", ""))
    if not who:
        return
    for decision in own["decisions"]:
        context = {**own["context"], **decision.get("context", {})}
        yield Use(
            who=who,
            account=str(identity.get("accountId", "")),
            operation=event["eventName"],
            action=decision["action"],
            resource=decision["resource"],
            context={key: value if isinstance(value, str) else tuple(value) for key, value in context.items()},
            is_allowed=decision["allowed"],
            reason=decision["reason"],
        )


@cache
def _is_free(action: str) -> bool:
    """Hold iff nobody needs a permission for it, as for sts:GetCallerIdentity."""
    use = Use("", "1" * 12, "", action, "*", {}, is_allowed=True, reason="")
    return decide(use.request(), PolicySet()).is_allowed
