"""What AWS's services decide whatever the policies say: who may never call STS or IAM, and who always may.

AWS: IAM User Guide, "Compare AWS STS credentials" (the table of AWS STS API operations); AWS STS API Reference.
"""

from __future__ import annotations

from collections.abc import Callable

from keyhole.iam.model import PolicyKind, PrincipalKind, Request
from keyhole.iam.principals import ACCOUNT_KINDS

ASSUMING_ACTIONS = frozenset({"sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity"})
_TRUST_ACTIONS = ASSUMING_ACTIONS | {"sts:tagsession", "sts:setsourceidentity"}
_CALLER_IDENTITY = "sts:getcalleridentity"
_SESSION_TOKEN = "sts:getsessiontoken"
_USERS_ONLY = frozenset({"sts:getfederationtoken", _SESSION_TOKEN})
_LONG_TERM_KINDS = frozenset({PrincipalKind.USER, PrincipalKind.ROOT})
_SESSION_KEY = "aws:TokenIssueTime"
_KEY_ARN = ":key/"
# AWS: IAM API Reference, the operations that answer UnmodifiableEntity: "service-linked roles are protected"; IAM
# Identity Center keeps its own under the other path. Their description may be changed.
_RESERVED_PATHS = (":role/aws-service-role/", ":role/aws-reserved/")
RESERVED_ROLE = "only AWS itself changes roles under a path that it reserves"
_ROLE_CHANGES = frozenset(
    f"iam:{name}"
    for name in (
        *("addroletoinstanceprofile", "removerolefrominstanceprofile", "deleterole", "updateassumerolepolicy"),
        *("attachrolepolicy", "detachrolepolicy", "putrolepolicy", "deleterolepolicy"),
        *("putrolepermissionsboundary", "deleterolepermissionsboundary"),
    )
)


def find_right(request: Request) -> str:
    """Why no policy can deny the request; "" where policies decide.

    AWS: AWS STS API Reference, "GetCallerIdentity": no permissions are required, and a deny changes nothing; IAM User
    Guide, "Permissions for GetSessionToken": policies have "no effect on a user's ability to perform" it, which those
    who already have a session token lack.
    """
    action, kind = request.action.lower(), request.principal.kind
    if action == _CALLER_IDENTITY and kind in ACCOUNT_KINDS:
        return "`sts:GetCallerIdentity` takes no permission and cannot be denied"
    is_long_term = kind in _LONG_TERM_KINDS and _SESSION_KEY not in request.context
    if action == _SESSION_TOKEN and is_long_term:
        return "`sts:GetSessionToken` takes no permission of a user and cannot be denied"
    return ""


def find_ban(request: Request) -> tuple[PolicyKind, str] | None:
    """Why no policy can allow the request, and the layer that answers for it; None where policies decide."""
    action = request.action.lower()
    if action in _ROLE_CHANGES and any(path in request.resource for path in _RESERVED_PATHS):
        return PolicyKind.IDENTITY, RESERVED_ROLE
    for kind, layer, is_banned, reason in _BANS:
        if request.principal.kind is kind and is_banned(action):
            return layer, reason
    return None


def rightful_actions(request: Request) -> tuple[str, ...]:
    """Give the actions that `find_right` lets this caller do, as patterns: for questions about all requests."""
    kind = request.principal.kind
    rights = (_CALLER_IDENTITY,) if kind in ACCOUNT_KINDS else ()
    is_long_term = kind in _LONG_TERM_KINDS and _SESSION_KEY not in request.context
    return (*rights, _SESSION_TOKEN) if is_long_term else rights


def banned_actions(kind: PrincipalKind) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the actions that `find_ban` keeps from such a caller whatever the resource, as patterns, and exceptions."""
    match kind:
        case PrincipalKind.ROOT:
            return ("sts:assumerole",), ()
        case PrincipalKind.ANONYMOUS:
            return tuple(sorted(_TRUST_ACTIONS)), ()
        case PrincipalKind.FEDERATED_USER:
            return ("iam:*", "sts:*"), (_CALLER_IDENTITY,)
        case PrincipalKind.ROLE_SESSION:
            return tuple(sorted(_USERS_ONLY)), ()
    return (), ()


def reserved_changes() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give what nobody but AWS changes: the actions, and patterns of the roles."""
    return tuple(sorted(_ROLE_CHANGES)), tuple(f"*{path}*" for path in _RESERVED_PATHS)


def needs_key_policy(request: Request, *, has_policy: bool) -> bool:
    """Hold iff a KMS key is asked for, or some KMS resource that has a policy.

    A key always has a policy, which must name the caller or its account: one that was not given allows nobody.
    AWS: KMS Developer Guide, "Key policies in AWS KMS".
    """
    return request.action.lower().startswith("kms:") and (has_policy or _KEY_ARN in request.resource)


def _is_for_long_term_users(action: str) -> bool:
    return action.startswith(("iam:", "sts:")) and action != _CALLER_IDENTITY


_BANS: tuple[tuple[PrincipalKind, PolicyKind, Callable[[str], bool], str], ...] = (
    (PrincipalKind.ROOT, PolicyKind.TRUST, "sts:assumerole".__eq__, "an account root assumes no role"),
    (PrincipalKind.ANONYMOUS, PolicyKind.TRUST, _TRUST_ACTIONS.__contains__, "an anonymous caller assumes no role"),
    (
        PrincipalKind.FEDERATED_USER,
        PolicyKind.SESSION,
        _is_for_long_term_users,
        "a federated user calls nothing of IAM and STS but `sts:GetCallerIdentity`",
    ),
    (
        PrincipalKind.ROLE_SESSION,
        PolicyKind.IDENTITY,
        _USERS_ONLY.__contains__,
        "a role session gets no session token and no federation token",
    ),
)
