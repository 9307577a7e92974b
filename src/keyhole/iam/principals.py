"""Principal and NotPrincipal against the caller, and how far a match reaches.

AWS: IAM User Guide, "AWS JSON policy elements: Principal" and "… NotPrincipal".
"""

from __future__ import annotations

from enum import IntEnum

from keyhole.iam.model import Context, Principal, PrincipalElement, PrincipalKind, PrincipalPattern, Truth

ACCOUNT_KINDS = frozenset(
    {PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.ROLE_SESSION, PrincipalKind.FEDERATED_USER}
)
"""The kinds that belong to an account: the others have no identity policies."""


class Reach(IntEnum):
    """What a grant is made to; the higher, the fewer other policies limit it.

    NONE: not named. ACCOUNT: only delegated to the account's identity policies. ROLE: to the role (or the user who
    federated), still limited by boundary and session policy. DIRECT: to this very caller, or to everyone.
    """

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    DIRECT = 3


def match_principal(element: PrincipalElement, principal: Principal, context: Context) -> tuple[Truth, Reach]:
    """Whether the element covers the caller, and how closely it names it."""
    if element.negated:
        return _match_not_principal(element, principal, context)
    best, truth = Reach.NONE, Truth.FALSE
    for pattern in element.patterns:
        found, reach = match_pattern(pattern, principal, context)
        if found is Truth.TRUE:
            truth, best = Truth.TRUE, max(best, reach)
        elif found is Truth.UNKNOWN and truth is Truth.FALSE:
            truth = Truth.UNKNOWN
    return truth, best


def match_pattern(pattern: PrincipalPattern, principal: Principal, context: Context) -> tuple[Truth, Reach]:
    """Whether one entry covers the caller; entries that only AWS could look up are UNKNOWN."""
    if pattern.kind == "*" or (pattern.kind == "AWS" and pattern.value == "*"):
        return Truth.TRUE, Reach.DIRECT
    if pattern.kind == "AWS":
        return _match_aws(pattern.value, principal, context)
    if pattern.kind == "Service":
        return _found(principal.kind is PrincipalKind.SERVICE and pattern.value == principal.arn, Reach.DIRECT)
    if pattern.kind == "Federated":
        return _found(principal.kind is PrincipalKind.WEB_IDENTITY and pattern.value == principal.arn, Reach.DIRECT)
    return (Truth.UNKNOWN if principal.kind in ACCOUNT_KINDS else Truth.FALSE), Reach.NONE


def _match_aws(value: str, principal: Principal, context: Context) -> tuple[Truth, Reach]:
    """An ARN, account number or unique id; a role's ARN also names the role's sessions."""
    if principal.kind not in ACCOUNT_KINDS:
        return Truth.FALSE, Reach.NONE
    if value == principal.arn:
        return Truth.TRUE, Reach.DIRECT
    if principal.role_arn and value == principal.role_arn:
        return Truth.TRUE, Reach.ROLE
    account = named_account(value)
    if account:
        return _found(account == principal.account, Reach.ACCOUNT)
    if not value.startswith("arn:"):
        return _match_unique_id(value, context)
    if not principal.role_arn and principal.kind is PrincipalKind.ROLE_SESSION:
        return _found(_names_role_of(value, principal), Reach.ROLE)
    return Truth.FALSE, Reach.NONE


def is_account_id(text: str) -> bool:
    """Hold iff the text is an account's number: twelve digits."""
    return len(text) == 12 and text.isascii() and text.isdigit()


def named_account(value: str) -> str:
    """The account that `arn:…:iam::N:root` or a bare number stands for, or ""."""
    if is_account_id(value):
        return value
    fields = value.split(":")
    return fields[4] if len(fields) == 6 and fields[2] == "iam" and fields[5] == "root" else ""


def _names_role_of(value: str, principal: Principal) -> bool:
    """Hold iff the role ARN is that of the session: names are unique in an account, whatever the path."""
    fields, session = value.split(":", 5), principal.arn.split(":", 5)
    if len(fields) != 6 or len(session) != 6 or fields[2] != "iam" or not fields[5].startswith("role/"):
        return False
    session_path = session[5].split("/")
    is_same_name = len(session_path) > 1 and fields[5].rsplit("/", 1)[1] == session_path[1]
    return is_same_name and fields[4] == session[4] and fields[1] == session[1]


def _match_unique_id(value: str, context: Context) -> tuple[Truth, Reach]:
    """A unique id (`AIDA…`, `AROA…`) is what AWS keeps of a principal; `aws:userid` begins with the caller's."""
    user_id = context.get("aws:userid")
    if not isinstance(user_id, str):
        return Truth.UNKNOWN, Reach.NONE
    owner, colon, _ = user_id.partition(":")
    return _found(value in {owner, user_id}, Reach.ROLE if colon and value == owner else Reach.DIRECT)


def _match_not_principal(element: PrincipalElement, principal: Principal, context: Context) -> tuple[Truth, Reach]:
    """Everyone who is not listed; UNKNOWN for a caller of whom only a part is listed.

    AWS may check the account first, then the role, then the session: a caller is surely excepted only if each is
    listed ("NotPrincipal", NotPrincipal with Deny).
    """
    if any(pattern.value == "*" for pattern in element.patterns):
        return Truth.FALSE, Reach.NONE
    nothing_known = Context()
    listed = [
        _is_listed(element, identity, context if identity is principal else nothing_known)
        for identity in _identities(principal)
    ]
    if listed and all(truth is Truth.TRUE for truth in listed):
        # Of a session whose role is not known, nobody can say that the role is listed too.
        is_whole = principal.kind is not PrincipalKind.ROLE_SESSION or bool(principal.role_arn)
        return (Truth.FALSE if is_whole else Truth.UNKNOWN), Reach.NONE
    if all(truth is Truth.FALSE for truth in listed):
        return Truth.TRUE, Reach.DIRECT
    return Truth.UNKNOWN, Reach.NONE


def _identities(principal: Principal) -> tuple[Principal, ...]:
    """The caller and what it is part of, each as a caller of its own: account, role, session."""
    if principal.kind is PrincipalKind.ANONYMOUS:
        return ()
    if principal.kind not in ACCOUNT_KINDS or principal.kind is PrincipalKind.ROOT:
        return (principal,)
    partition = principal.arn.split(":")[1] if principal.arn.startswith("arn:") else "aws"
    root = Principal(PrincipalKind.ROOT, f"arn:{partition}:iam::{principal.account}:root", principal.account)
    if not principal.role_arn:
        return (root, principal)
    role = Principal(PrincipalKind.USER, principal.role_arn, principal.account)
    return (root, role, principal)


def _is_listed(element: PrincipalElement, identity: Principal, context: Context) -> Truth:
    """Whether an entry names exactly this identity: an account's entry does not stand for its users here."""
    verdicts = set()
    for pattern in element.patterns:
        truth, reach = match_pattern(pattern, identity, context)
        needed = Reach.ACCOUNT if identity.kind is PrincipalKind.ROOT else Reach.DIRECT
        verdicts.add(Truth.FALSE if truth is Truth.TRUE and reach < needed else truth)
    if Truth.TRUE in verdicts:
        return Truth.TRUE
    return Truth.UNKNOWN if Truth.UNKNOWN in verdicts else Truth.FALSE


def _found(is_found: bool, reach: Reach) -> tuple[Truth, Reach]:
    return (Truth.TRUE, reach) if is_found else (Truth.FALSE, Reach.NONE)
