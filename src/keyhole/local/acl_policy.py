"""ACLs as policies: what an ACL grants is said in Allow statements, so that the one engine decides it.

AWS: S3 User Guide, "Access control list (ACL) overview" (mapping of ACL permissions and access policy permissions),
"How Amazon S3 authorizes a request for an object operation", "Controlling ownership of objects".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from keyhole.iam.model import Effect, Element, Policy, PrincipalElement, PrincipalPattern, Statement
from keyhole.local.acl_requests import ALL_USERS, AUTHENTICATED_USERS, FULL_CONTROL, is_public, private_acl
from keyhole.local.backend import Bucket
from keyhole.local.canonical_ids import find_account
from keyhole.local.stored_objects import ANONYMOUS_OWNER, Acl, StoredObject

ENFORCED = "BucketOwnerEnforced"

_BUCKET_ACTIONS = {
    "READ": ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
    "READ_ACP": ("s3:GetBucketAcl",),
    "WRITE_ACP": ("s3:PutBucketAcl",),
}
# Who may create an object may also say whose it is to be.
_WRITE_ACTIONS = ("s3:PutObject", "s3:PutObjectAcl")
_OBJECT_ACTIONS = {
    "READ": ("s3:GetObject", "s3:GetObjectVersion"),
    "READ_ACP": ("s3:GetObjectAcl", "s3:GetObjectVersionAcl"),
    "WRITE_ACP": ("s3:PutObjectAcl", "s3:PutObjectVersionAcl"),
}


def uses_acls(bucket: Bucket) -> bool:
    """Hold iff the bucket's ACL and those of its objects count."""
    return bucket.ownership != ENFORCED


def bucket_acl(bucket: Bucket) -> Acl:
    """Give the ACL that a bucket shows: where ACLs are disabled, full control of its owner."""
    return bucket.acl if bucket.acl and uses_acls(bucket) else private_acl(bucket.account)


def object_acl(bucket: Bucket, stored: StoredObject) -> Acl:
    """Give the ACL that an object shows: where ACLs are disabled, full control of the bucket's owner."""
    return stored.stamp.acl if stored.stamp and uses_acls(bucket) else private_acl(bucket.account)


def bucket_statements(bucket: Bucket, *, is_anonymous: bool) -> tuple[Statement, ...]:
    """Give what the bucket's ACL grants on the bucket itself."""
    arn = f"arn:aws:s3:::{bucket.name}"
    return tuple(_statements(_counting(bucket, bucket_acl(bucket)), _BUCKET_ACTIONS, arn, is_anonymous))


def write_statements(
    bucket: Bucket, key: str, stored: StoredObject | None, caller_account: str, *, is_anonymous: bool
) -> tuple[Statement, ...]:
    """Give what the bucket's ACL grants on writing an object: what another owns, nobody overwrites or deletes by it."""
    owner = object_acl(bucket, stored).owner if stored and stored.stamp else bucket.account if stored else ""
    is_own = bool(stored) and owner == (caller_account or ANONYMOUS_OWNER)
    if stored and not is_own:
        return ()
    actions = (*_WRITE_ACTIONS, *(("s3:DeleteObject",) if is_own else ()))
    arn = f"arn:aws:s3:::{bucket.name}/{key}"
    return tuple(_statements(_counting(bucket, bucket_acl(bucket)), {"WRITE": actions}, arn, is_anonymous))


def object_statements(bucket: Bucket, stored: StoredObject, *, is_anonymous: bool) -> tuple[Statement, ...]:
    """Give what the object's ACL grants on it."""
    arn = f"arn:aws:s3:::{bucket.name}/{stored.key}"
    return tuple(_statements(_counting(bucket, object_acl(bucket, stored)), _OBJECT_ACTIONS, arn, is_anonymous))


@lru_cache(maxsize=1024)
def merge(policy: Policy | None, statements: tuple[Statement, ...], name: str) -> Policy | None:
    """Give one policy of a bucket's policy and the statements; None where there is nothing."""
    if policy is None:
        return Policy(statements, name=f"ACL of {name}") if statements else None
    return Policy((*policy.statements, *statements), policy.version, policy.id, policy.name) if statements else policy


@lru_cache(maxsize=1024)
def denials_of(policy: Policy) -> Policy:
    """Give the policy without what it allows: a bucket's owner can deny what is not its own, never allow it."""
    denials = tuple(statement for statement in policy.statements if statement.effect is Effect.DENY)
    return Policy(denials, policy.version, policy.id, policy.name)


@lru_cache(maxsize=1024)
def name_accounts(policy: Policy) -> Policy:
    """Give the policy with accounts in place of their canonical user ids."""
    return replace(policy, statements=tuple(_name_accounts(statement) for statement in policy.statements))


def _name_accounts(statement: Statement) -> Statement:
    element = statement.principals
    if element is None or all(pattern.kind != "CanonicalUser" for pattern in element.patterns):
        return statement
    patterns = tuple(
        PrincipalPattern("AWS", f"arn:aws:iam::{find_account(pattern.value)}:root")
        if pattern.kind == "CanonicalUser"
        else pattern
        for pattern in element.patterns
    )
    return replace(statement, principals=replace(element, patterns=patterns))


def _counting(bucket: Bucket, acl: Acl) -> Acl:
    """Give what counts of an ACL: a public one that is to be ignored is its owner's only."""
    return private_acl(acl.owner) if bucket.public_access_block.ignore_public_acls and is_public(acl) else acl


def _statements(acl: Acl, actions: Mapping[str, tuple[str, ...]], arn: str, is_anonymous: bool) -> Iterator[Statement]:
    for number, grant in enumerate(acl.grants):
        granted = tuple(
            action for permission, names in actions.items() for action in names
            if grant.permission in (permission, FULL_CONTROL)
        )  # fmt: skip
        principal = _principal(grant.grantee, is_anonymous)
        if granted and principal:
            yield Statement(
                effect=Effect.ALLOW,
                actions=Element(granted),
                # A key may have signs that a pattern gives a meaning to.
                resources=Element((_literal(arn),)),
                principals=PrincipalElement((principal,)),
                sid=f"Acl{number}",
            )


def _principal(grantee: str, is_anonymous: bool) -> PrincipalPattern | None:
    if grantee == ALL_USERS or (grantee == AUTHENTICATED_USERS and not is_anonymous):
        return PrincipalPattern("*", "*")
    if grantee == ANONYMOUS_OWNER:
        return PrincipalPattern("*", "*") if is_anonymous else None
    is_account = grantee.isascii() and grantee.isdigit()
    return PrincipalPattern("AWS", f"arn:aws:iam::{grantee}:root") if is_account else None


def _literal(arn: str) -> str:
    return "".join(f"${{{sign}}}" if sign in "*?$" else sign for sign in arn)
