"""The ACL that a request asks for: a canned one, grant headers, or a document; and how it reads in a response.

AWS: S3 User Guide, "Access control list (ACL) overview"; S3 API Reference, PutObjectAcl and PutBucketAcl.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from keyhole.local.call import ApiCall, Fault
from keyhole.local.canonical_ids import canonical_id, find_account
from keyhole.local.s3_xml import element
from keyhole.local.stored_objects import Acl, Grant

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
PUBLIC_GROUPS = frozenset({ALL_USERS, AUTHENTICATED_USERS})
FULL_CONTROL = "FULL_CONTROL"

_PERMISSIONS = frozenset({"READ", "WRITE", "READ_ACP", "WRITE_ACP", FULL_CONTROL})
_HEADERS = {
    "GrantFullControl": FULL_CONTROL,
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_MAX_GRANTS = 100
_GRANTEE = re.compile(r'^\s*(id|uri|emailAddress)\s*=\s*"?([^",]+)"?\s*$', re.IGNORECASE)
# What the canned ACLs grant beside the owner's full control; EC2's own account, which aws-exec-read names, is not here.
_CANNED_GROUPS: dict[str, tuple[Grant, ...]] = {
    "private": (),
    "public-read": (Grant(ALL_USERS, "READ"),),
    "public-read-write": (Grant(ALL_USERS, "READ"), Grant(ALL_USERS, "WRITE")),
    "authenticated-read": (Grant(AUTHENTICATED_USERS, "READ"),),
    "aws-exec-read": (),
    "log-delivery-write": (Grant(LOG_DELIVERY, "WRITE"), Grant(LOG_DELIVERY, "READ_ACP")),
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
}


def asks_for_acl(call: ApiCall) -> bool:
    """Hold iff the request names an ACL in any of the ways."""
    return any(call.params.get(name) for name in ("ACL", "AccessControlPolicy", *_HEADERS))


def private_acl(owner: str) -> Acl:
    """Give the ACL of what nobody said anything about: all to its owner, nothing to others."""
    return Acl(owner, (Grant(owner, FULL_CONTROL),))


def requested_acl(call: ApiCall, owner: str, bucket_owner: str = "") -> Acl:
    """Give the ACL that the request asks for; `bucket_owner` is that of an object's bucket, "" for a bucket's ACL.

    Raises: Fault where it names what does not exist, or more than one ACL.
    """
    canned, grants = call.params.get("ACL"), _header_grants(call)
    document = call.params.get("AccessControlPolicy")
    if canned and grants:
        raise Fault("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed", 400)
    if document is not None and (canned or grants):
        raise Fault("UnexpectedContent", "This request does not support content", 400)
    if canned:
        return _canned(str(canned), owner, bucket_owner)
    if grants:
        return Acl(owner, grants)
    return _document(document, owner) if document is not None else private_acl(owner)


def is_public(acl: Acl) -> bool:
    """Hold iff the ACL grants anything to everyone, or to everyone who signs.

    AWS: S3 User Guide, "Blocking public access to your Amazon S3 storage", section "The meaning of "public"".
    """
    return any(grant.grantee in PUBLIC_GROUPS for grant in acl.grants)


def grants_others(acl: Acl, owner: str) -> bool:
    """Hold iff somebody but the owner has something of it."""
    return any(grant.grantee != owner for grant in acl.grants)


def write_acl(acl: Acl) -> str:
    """Give the inside of an AccessControlPolicy document."""
    grants = "".join(_write_grant(grant) for grant in acl.grants)
    return write_owner(acl.owner) + element("AccessControlList", inner=grants)


def write_owner(account: str, name: str = "Owner") -> str:
    """Give an Owner or Initiator element."""
    return element(name, inner=element("ID", canonical_id(account)))


def _write_grant(grant: Grant) -> str:
    if "://" in grant.grantee:
        kind, who = "Group", element("URI", grant.grantee)
    else:
        kind, who = "CanonicalUser", element("ID", canonical_id(grant.grantee))
    schema = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    grantee = f'<Grantee {schema} xsi:type="{kind}">{who}</Grantee>'
    return element("Grant", inner=grantee + element("Permission", grant.permission))


def _canned(name: str, owner: str, bucket_owner: str) -> Acl:
    if name not in _CANNED_GROUPS:
        raise _invalid("", "x-amz-acl", name)
    own = Grant(owner, FULL_CONTROL)
    others = _CANNED_GROUPS[name]
    if bucket_owner and bucket_owner != owner and name.startswith("bucket-owner-"):
        others = (Grant(bucket_owner, FULL_CONTROL if name == "bucket-owner-full-control" else "READ"),)
    return Acl(owner, (own, *others))


def _header_grants(call: ApiCall) -> tuple[Grant, ...]:
    found: list[Grant] = []
    for member, permission in _HEADERS.items():
        value = call.params.get(member)
        for part in str(value).split(",") if value else ():
            match = _GRANTEE.match(part)
            if match is None:
                raise _invalid("Argument format not recognized", f"x-amz-grant-{permission.lower()}", part)
            kind = {"id": "ID", "uri": "URI"}.get(match[1].lower(), "EmailAddress")
            found.append(Grant(_grantee({kind: match[2].strip()}), permission))
    return tuple(found)


def _document(document: Any, owner: str) -> Acl:
    grants = document.get("Grants") or ()
    owner_id = (document.get("Owner") or {}).get("ID")
    if not owner_id or len(grants) > _MAX_GRANTS:
        raise _malformed()
    if owner_id != canonical_id(owner):
        raise Fault("AccessDenied", "Access Denied", 403)
    return Acl(owner, tuple(_read_grants(grants)))


def _read_grants(grants: Iterable[Any]) -> Iterable[Grant]:
    for grant in grants:
        permission, grantee = grant.get("Permission"), grant.get("Grantee")
        if permission not in _PERMISSIONS or not isinstance(grantee, dict):
            raise _malformed()
        yield Grant(_grantee(grantee), permission)


def _grantee(grantee: dict[str, Any]) -> str:
    """Give the account's number or the group's URI that a grantee names. Raises: Fault where there is no such."""
    if uri := grantee.get("URI"):
        if uri not in (ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY):
            raise _invalid("Invalid group uri", "uri", str(uri))
        return str(uri)
    if user_id := grantee.get("ID"):
        account = find_account(str(user_id))
        if account is None:
            raise _invalid("Invalid id", "id", str(user_id))
        return account
    if grantee.get("EmailAddress"):
        message = "The email address you provided does not match any account on record."
        raise Fault("UnresolvableGrantByEmailAddress", message, 400)
    raise _malformed()


def _malformed() -> Fault:
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return Fault("MalformedACLError", message, 400)


def _invalid(message: str, name: str, value: str) -> Fault:
    return Fault("InvalidArgument", message, 400, extra=(("ArgumentName", name), ("ArgumentValue", value)))
