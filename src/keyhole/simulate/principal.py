"""Who asks, as one writes it: an ARN, an account number, a service's name, or nobody.

AWS: IAM User Guide, "AWS JSON policy elements: Principal" and "IAM identifiers", IAM ARNs.
"""

from __future__ import annotations

import re
from functools import lru_cache

from keyhole.errors import KeyholeError
from keyhole.iam import ANONYMOUS, Principal, PrincipalKind

ANONYMOUS_WORD = "anonymous"
ANY_SESSION = "<session>"
"""The name of a role's session that has none: it has characters that no real session's name has."""

_ARN = re.compile(r"arn:(aws[a-z-]*):(iam|sts)::([0-9]{12}):([^\s*?]+)")
_ACCOUNT = re.compile(r"[0-9]{12}")
_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal)")
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_WEB_IDENTITY_ACTION = "sts:assumerolewithwebidentity"
_FORMS = "write the ARN of a user, role, session or provider, an account's number, or a service's name"
_HINTS = {
    "group": "a group asks for nothing: name one of its users, and give the group's policies as the user's",
    "policy": "a policy asks for nothing: name the user or role that it is attached to",
    "instance-profile": "name the role that is in the instance profile",
    "assumed-role": "write `…:assumed-role/ROLE/SESSION`, or the role's own ARN for a session of any name",
}


@lru_cache(maxsize=1024)
def parse_principal(text: str | None, action: str = "", principal_arn: str = "") -> Principal:
    """The caller that the text names; None, or `anonymous`, is a caller without credentials.

    A role's ARN means a session of that role, whose name is not known: policies that name one session do not name it.
    A bare domain that asks for sts:AssumeRoleWithWebIdentity is an identity provider, otherwise it is a service.
    `principal_arn` is the value of `aws:PrincipalArn`, which alone tells the path of a session's role.
    Raises: KeyholeError.
    """
    if text is None or text == ANONYMOUS_WORD:
        return ANONYMOUS
    if _ACCOUNT.fullmatch(text):
        return Principal(PrincipalKind.ROOT, f"arn:aws:iam::{text}:root", text)
    if found := _ARN.fullmatch(text):
        principal = _parse_arn(found, principal_arn)
        if principal is not None:
            return principal
        kind = found[4].partition("/")[0]
        raise KeyholeError(f"`{text}` is no principal that can ask for anything", hint=_HINTS.get(kind, _FORMS))
    if action.lower() == _WEB_IDENTITY_ACTION and _DOMAIN.fullmatch(text):
        return Principal(PrincipalKind.WEB_IDENTITY, text)
    if _SERVICE.fullmatch(text):
        return Principal(PrincipalKind.SERVICE, text)
    raise KeyholeError(f"`{text}` is no principal", hint=_hint_for(text))


def _parse_arn(found: re.Match[str], principal_arn: str) -> Principal | None:
    """The principal of an ARN; None where nobody with such an ARN makes requests."""
    arn, (partition, service, account, path) = found[0], found.groups()
    kind, _, name = path.partition("/")
    last = name.rpartition("/")[2]
    if (service, path) == ("iam", "root"):
        return Principal(PrincipalKind.ROOT, arn, account)
    if not last:
        return None
    if (service, kind) == ("iam", "user"):
        return Principal(PrincipalKind.USER, arn, account)
    if (service, kind) == ("iam", "role"):
        session_arn = f"arn:{partition}:sts::{account}:assumed-role/{last}/{ANY_SESSION}"
        return Principal(PrincipalKind.ROLE_SESSION, session_arn, account, arn)
    if (service, kind) == ("sts", "assumed-role") and name.count("/") == 1 and not name.startswith("/"):
        start, end = f"arn:{partition}:iam::{account}:role/", f"/{name.partition('/')[0]}"
        is_its_role = principal_arn.startswith(start) and principal_arn.endswith(end)
        return Principal(PrincipalKind.ROLE_SESSION, arn, account, principal_arn if is_its_role else "")
    if (service, kind) == ("sts", "federated-user"):
        return Principal(PrincipalKind.FEDERATED_USER, arn, account)
    if service == "iam" and kind in {"oidc-provider", "saml-provider"}:
        return Principal(PrincipalKind.WEB_IDENTITY, arn)
    return None


def _hint_for(text: str) -> str:
    if "*" in text or "?" in text:
        return "one request has one caller: write its ARN, or null (on the command line `anonymous`) for nobody"
    return _FORMS
