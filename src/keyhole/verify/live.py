"""The policies that the account really has, for everyone and everything of the file: what was changed by hand included.

Attached, inline and group policies, boundaries, trust, bucket policies and ACLs, and what Block Public Access leaves of
them. ACLs of single objects, organizations' policies and session policies are not read.
AWS: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage" and "Access control list (ACL) overview".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from keyhole.aws import Aws
from keyhole.blueprint import LAUNCHER, Blueprint
from keyhole.errors import AwsError, KeyholeError
from keyhole.iam import (
    Condition,
    Effect,
    Element,
    Policy,
    PolicyKind,
    Principal,
    PrincipalElement,
    PrincipalKind,
    PrincipalPattern,
    Statement,
    parse_policy,
)
from keyhole.iam.text import write_document
from keyhole.resources.bucket import Bucket
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.resources.role import Role
from keyhole.resources.user import User
from keyhole.verify.managed import Documents, read_document
from keyhole.verify.rehearse import PlannedPolicies

_PUBLIC_GROUPS: dict[str, tuple[Condition, ...]] = {
    "http://acs.amazonaws.com/groups/global/AllUsers": (),
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": (
        Condition("StringLike", "aws:PrincipalAccount", ("*",)),
    ),
}
"""The groups that reach beyond accounts, and what is true of whoever is in them."""
_EVERYONE = PrincipalElement((PrincipalPattern("*", "*"),))
_ON_BUCKET = {
    "READ": ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
    "READ_ACP": ("s3:GetBucketAcl",),
    "WRITE_ACP": ("s3:PutBucketAcl",),
}
_ON_OBJECTS = {"WRITE": ("s3:PutObject", "s3:DeleteObject")}
_NOT_THERE = {"NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy", "NoSuchBucket"}


class HeldPolicies(Protocol):
    """What a caller has."""

    @property
    def identity(self) -> tuple[Policy, ...]:
        """The policies of its own and of its groups."""

    @property
    def boundary(self) -> Policy | None:
        """What limits them."""


class GatePolicies(Protocol):
    """What a resource has."""

    @property
    def policy(self) -> Policy | None:
        """The policy of a bucket."""

    @property
    def trust(self) -> Policy | None:
        """The trust policy of a role."""


ReadCaller = Callable[[Aws, Principal], HeldPolicies]
ReadResource = Callable[[Aws, Principal, str, str], GatePolicies]


def read_live_policies(
    aws: Aws, blueprint: Blueprint, managed: Documents, read_caller: ReadCaller, read_resource: ReadResource
) -> PlannedPolicies:
    """Give the policies of the account in the place of those of the plan.

    Raises: KeyholeError if a role, user or bucket of the file is not there, AwsError.
    """
    found = PlannedPolicies(blueprint, managed)
    scope = blueprint.scope
    account_block = _block(aws, "s3control", AccountId=scope.account)
    for resource in blueprint.resources:
        key = resource.address.partition(".")[2]
        match resource:
            case Role() | User():
                principal = found.principal(key)
                held = read_caller(aws, principal)
                found.identity[key] = held.identity
                found.boundaries.pop(key, None)
                if held.boundary is not None:
                    found.boundaries[key] = held.boundary
                if isinstance(resource, Role):
                    trust = read_resource(aws, principal, "sts:AssumeRole", principal.role_arn).trust
                    if trust is None:
                        raise KeyholeError(f"the trust policy of `{principal.role_arn}` was not told", hint="try again")
                    found.trusts[principal.role_arn] = trust
            case ManagedPolicy() if key.endswith(LAUNCHER):
                text = write_document(read_document(aws, resource.arn))
                found.identity[key] = (parse_policy(text, PolicyKind.IDENTITY, name=resource.arn),)
            case Bucket():
                root = f"arn:{scope.partition}:iam::{scope.account}:root"
                owner = Principal(PrincipalKind.ROOT, root, scope.account)
                arn = f"arn:{scope.partition}:s3:::{resource.name}"
                policy = read_resource(aws, owner, "s3:ListBucket", arn).policy
                policy = _effective(aws, policy, arn, scope.account, account_block)
                found.buckets.pop(resource.name, None)
                if policy is not None:
                    found.buckets[resource.name] = policy
            case _:
                pass
    return found


def _effective(aws: Aws, policy: Policy | None, arn: str, account: str, block: dict[str, bool]) -> Policy | None:
    """Give the bucket's policy with what its ACL grants to everyone, as far as Block Public Access lets them."""
    name = arn.rpartition(":")[2]
    owner = {"Bucket": name, "ExpectedBucketOwner": account}
    own = _block(aws, "s3", **owner)
    statements: list[Statement] = list(policy.statements) if policy else []
    takes_public = not (block.get("IgnorePublicAcls") or own.get("IgnorePublicAcls"))
    acl = aws.call("s3", "GetBucketAcl", **owner)
    statements.extend(_granted_by_acl(acl, arn, account, takes_public=takes_public))
    if policy and (block.get("RestrictPublicBuckets") or own.get("RestrictPublicBuckets")) and _is_public(aws, owner):
        outside = Condition("StringNotEquals", "aws:PrincipalAccount", (account,))
        no_service = Condition("Bool", "aws:PrincipalIsAWSService", ("false",))
        deny = Statement(
            Effect.DENY, Element(("s3:*",)), Element((arn, f"{arn}/*")), _EVERYONE, (outside, no_service), "PublicBlock"
        )
        statements.append(deny)
    if not statements:
        return None
    return replace(policy or Policy((), name=name), statements=tuple(statements))


def _is_public(aws: Aws, owner: dict[str, str]) -> bool:
    try:
        return bool(aws.call("s3", "GetBucketPolicyStatus", **owner)["PolicyStatus"]["IsPublic"])
    except AwsError as error:
        if error.code not in _NOT_THERE:
            raise
    return False


def _block(aws: Aws, service: str, **params: Any) -> dict[str, bool]:
    try:
        answer = aws.call(service, "GetPublicAccessBlock", **params)
    except AwsError as error:
        if error.code not in _NOT_THERE:
            raise
        return {}
    return {name: bool(is_on) for name, is_on in answer["PublicAccessBlockConfiguration"].items()}


def _granted_by_acl(acl: dict[str, Any], arn: str, account: str, *, takes_public: bool) -> Iterator[Statement]:
    """What AWS's table says that a grant of a bucket's ACL comes to, but for the owner's own.

    Another account is there by its canonical id alone, of which nobody can tell whose it is; of a group that is not
    known, like S3's own for the delivery of logs, nobody can tell who is in it.
    """
    for grant in acl["Grants"]:
        uri, number = grant["Grantee"].get("URI"), grant["Grantee"].get("ID")
        conditions: tuple[Condition, ...]
        if (uri in _PUBLIC_GROUPS and not takes_public) or (uri is None and number == acl["Owner"]["ID"]):
            continue
        if uri in _PUBLIC_GROUPS:
            principals, conditions = _EVERYONE, _PUBLIC_GROUPS[uri]
        else:
            other = PrincipalElement((PrincipalPattern("CanonicalUser", str(uri or number)),))
            principals, conditions = other, (Condition("StringNotEquals", "aws:PrincipalAccount", (account,)),)
        permission = str(grant["Permission"])
        # A permission that is new may be any.
        whole = permission not in {*_ON_BUCKET, *_ON_OBJECTS}
        for table, resource in ((_ON_BUCKET, arn), (_ON_OBJECTS, f"{arn}/*")):
            actions = tuple(name for key, names in table.items() if whole or key == permission for name in names)
            if actions:
                sid = f"ACL{permission.replace('_', '')}"
                yield Statement(Effect.ALLOW, Element(actions), Element((resource,)), principals, conditions, sid)
