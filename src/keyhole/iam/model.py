"""The types of the policy language: what a policy says, what is asked, and what was decided.

All are frozen: policies are parsed once and may be shared between threads.
AWS: IAM User Guide, "IAM JSON policy elements reference" and "Policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import NamedTuple


class Truth(Enum):
    """Three-valued logic: UNKNOWN is never "allowed", and a Deny that is UNKNOWN denies."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class Effect(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


class PolicyKind(StrEnum):
    """Where a policy is attached: it decides which elements it must and must not have."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class Element:
    """Action, Resource (or their Not… forms): any of the patterns, or none of them if negated."""

    patterns: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class PrincipalPattern:
    """One entry of a Principal element: `("AWS", "arn:…")`, `("Service", "ec2.amazonaws.com")`, `("*", "*")`."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class PrincipalElement:
    """Principal, or NotPrincipal if negated."""

    patterns: tuple[PrincipalPattern, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key: `ForAnyValue:StringLikeIfExists` on `aws:TagKeys`, with its values.

    `operator` is the base operator in AWS's spelling ("StringLike") where it is known, and as written where not.
    `qualifier` is "", "ForAllValues" or "ForAnyValue". `key` is as written; keys match case-insensitively.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    qualifier: str = ""
    if_exists: bool = False

    @property
    def name(self) -> str:
        """The operator as a policy writes it."""
        prefix = f"{self.qualifier}:" if self.qualifier else ""
        return f"{prefix}{self.operator}{'IfExists' if self.if_exists else ''}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `resources` is None in a trust policy, `principals` is None in an identity policy."""

    effect: Effect
    actions: Element
    resources: Element | None = None
    principals: PrincipalElement | None = None
    conditions: tuple[Condition, ...] = ()
    sid: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document. `name` labels it in traces: an ARN, or an inline policy's name."""

    statements: tuple[Statement, ...]
    version: str = "2012-10-17"
    id: str = ""
    name: str = ""


class PrincipalKind(StrEnum):
    ROOT = "root"
    USER = "user"
    ROLE_SESSION = "role-session"
    FEDERATED_USER = "federated-user"
    WEB_IDENTITY = "web-identity"
    SERVICE = "service"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    `arn`: the caller's own ARN (a user's, `…:root`, a session's `arn:aws:sts::N:assumed-role/NAME/SESSION`; a
    service principal's name for SERVICE; the provider's ARN for WEB_IDENTITY; empty for ANONYMOUS).
    `role_arn`: for a role session, the role's IAM ARN with its path; for a federated user, the ARN of the user who
    federated it, empty if that was root. `account`: 12 digits, empty if there is none.
    """

    kind: PrincipalKind
    arn: str = ""
    account: str = ""
    role_arn: str = ""


ANONYMOUS = Principal(PrincipalKind.ANONYMOUS)

ContextValue = str | tuple[str, ...]


class Context(Mapping[str, ContextValue]):
    """Condition keys and their values; key names are case-insensitive.

    A str is a single value, a tuple a multi-valued one (perhaps empty). An absent key is not in the mapping.
    Tags whose names differ only in case are one key to AWS, which may compare with either: such a key has several
    values here, so that no operator takes one of them for the only one.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, ContextValue | Iterable[str]] | None = None) -> None:
        self._values: dict[str, ContextValue] = {}
        for key, given in (values or {}).items():
            name, value = key.lower(), given if isinstance(given, str) else tuple(given)
            other = self._values.get(name, value)
            self._values[name] = value if other == value else (*_several(other), *_several(value))

    def __getitem__(self, key: str) -> ContextValue:
        return self._values[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def by_key(self) -> Mapping[str, ContextValue]:
        """The values by their key in lower case."""
        return self._values

    def __repr__(self) -> str:
        return f"Context({self._values!r})"


def _several(value: ContextValue) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Request:
    """One question: may `principal` do `action` on `resource` (an ARN, or "*" where the action takes none)?

    `resource_account` owns the resource; S3 ARNs do not say it. Empty means the account that the ARN names, and where
    it names none the principal's own.
    """

    principal: Principal
    action: str
    resource: str
    context: Context = field(default_factory=Context)
    resource_account: str = ""


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Every policy that has a say on a request, layer by layer.

    `None` or `()` means that the layer is not there, except inside `scps`/`rcps`: one tuple per level of the
    organization, root first. A level of `scps` without policies denies everything; every level of `rcps` holds AWS's
    own full access beside its policies.
    `resource` is the resource's policy; `trust` takes its place for a role that is being assumed.
    """

    identity: tuple[Policy, ...] = ()
    resource: Policy | None = None
    trust: Policy | None = None
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    endpoint: Policy | None = None


class Outcome(StrEnum):
    """The decision, in the names of AWS's policy simulator."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


class ElementTrace(NamedTuple):
    """Why one element of a statement held or not: `detail` names the values that were compared.

    A NamedTuple like `StatementTrace`: a decision makes dozens of them, and dataclasses cost three times as much.
    """

    element: str
    truth: Truth
    detail: str


class StatementTrace(NamedTuple):
    """One statement, the `number`th of its policy from 0, against the request.

    `elements` ends with the first element that did not hold.
    """

    layer: PolicyKind
    policy: str
    number: int
    sid: str
    effect: Effect
    truth: Truth
    elements: tuple[ElementTrace, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, the reason in one sentence, the layers that blocked it, and every statement looked at."""

    outcome: Outcome
    reason: str
    blocked_by: tuple[PolicyKind, ...]
    trace: tuple[StatementTrace, ...]

    @property
    def is_allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED
