"""The policies that an account holds for one of its users or roles, and those of the bucket or role it asks for.

What is not read is said: organizations' policies, session policies, and the policies of other services' resources.
AWS: IAM API Reference and Amazon S3 API Reference, the operations that are called here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from keyhole.aws import Aws
from keyhole.errors import AwsError, KeyholeError, PolicyError
from keyhole.iam import Context, ContextValue, Policy, PolicyKind, Principal, PrincipalKind, parse_policy
from keyhole.simulate.question import is_for_trust

_S3_ARN = ":s3:::"
_NO_PRINCIPAL = "a user, a role, a role's session, or the account's root"
_TYPES = {PrincipalKind.ROOT: "Account", PrincipalKind.USER: "User", PrincipalKind.ROLE_SESSION: "AssumedRole"}
# Whose resources have policies of their own, which are not read here.
_WITH_RESOURCE_POLICIES = frozenset(
    {
        *("backup", "codeartifact", "dynamodb", "ecr", "elasticfilesystem", "es", "events", "execute-api", "glacier"),
        *("glue", "kinesis", "kms", "lambda", "logs", "secretsmanager", "sns", "sqs"),
    }
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal as its account knows it. `context`: the condition keys that follow from it."""

    principal: Principal
    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    context: Context = field(default_factory=Context)


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as the caller's account knows it. `notes`: what could matter and was not read."""

    account: str = ""
    policy: Policy | None = None
    trust: Policy | None = None
    notes: tuple[str, ...] = ()

    @property
    def context(self) -> Context:
        """The condition keys that follow from the resource."""
        if not self.account:
            return Context()
        return Context({"aws:ResourceAccount": self.account, "s3:ResourceAccount": self.account})


def read_caller(aws: Aws, principal: Principal) -> Caller:
    """The principal with its policies, those of its groups, and its boundary.

    Raises: KeyholeError if it is none of the account's, AwsError.
    """
    account = str(aws.call("sts", "GetCallerIdentity")["Account"])
    if principal.kind not in _TYPES:
        raise KeyholeError(
            f"the account holds no policies for `{principal.arn or principal.kind.value}`",
            hint=f"name {_NO_PRINCIPAL}; for others give the policies as files, without `--from-account`",
        )
    if principal.account != account:
        raise KeyholeError(
            f"`{principal.arn}` is of another account than the credentials, which belong to `{account}`",
            hint="use credentials of its account (`--profile`, AWS_PROFILE)",
        )
    if principal.kind is PrincipalKind.ROOT:
        return Caller(principal, context=_context(principal, {"aws:userid": account}))
    return _read_user(aws, principal) if principal.kind is PrincipalKind.USER else _read_role(aws, principal)


def _read_user(aws: Aws, principal: Principal) -> Caller:
    name = principal.arn.rpartition("/")[2]
    user = _find(aws, "GetUser", "User", principal.arn, UserName=name)
    _check_arn(principal.arn, str(user["Arn"]))
    groups = [str(group["GroupName"]) for group in aws.pages("iam", "ListGroupsForUser", "Groups", UserName=name)]
    identity = [*_read_policies(aws, "User", name)]
    for group in groups:
        identity += _read_policies(aws, "Group", group)
    values = {"aws:userid": str(user["UserId"]), "aws:username": name}
    return Caller(principal, tuple(identity), _read_boundary(aws, user), _context(principal, values, user))


def _read_role(aws: Aws, principal: Principal) -> Caller:
    name, session = principal.arn.split("/")[1:]
    role = _find(aws, "GetRole", "Role", principal.role_arn or principal.arn, RoleName=name)
    role_arn = str(role["Arn"])
    if principal.role_arn:
        _check_arn(principal.role_arn, role_arn)
    principal = Principal(principal.kind, principal.arn, principal.account, role_arn)
    values = {"aws:userid": f"{role['RoleId']}:{session}"}
    identity = tuple(_read_policies(aws, "Role", name))
    return Caller(principal, identity, _read_boundary(aws, role), _context(principal, values, role))


def _find(aws: Aws, operation: str, member: str, arn: str, **params: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = aws.call("iam", operation, **params)[member]
    except AwsError as error:
        if error.code == "NoSuchEntity":
            raise KeyholeError(f"there is no `{arn}`", hint=f"`aws iam list-{member.lower()}s` lists them") from None
        raise
    return found


def _check_arn(asked: str, found: str) -> None:
    if asked != found:
        raise KeyholeError(f"there is no `{asked}`", hint=f"the one of this name is `{found}`")


def _context(principal: Principal, values: Mapping[str, str], holder: Mapping[str, Any] | None = None) -> Context:
    """AWS: IAM User Guide, "AWS global condition context keys", Properties of the principal."""
    tags = (holder or {}).get("Tags") or ()
    known: dict[str, ContextValue] = {f"aws:PrincipalTag/{tag['Key']}": str(tag["Value"]) for tag in tags}
    known |= {
        "aws:PrincipalArn": principal.role_arn or principal.arn,
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalType": _TYPES[principal.kind],
        "aws:PrincipalIsAWSService": "false",
    }
    return Context({**known, **values})


def _read_policies(aws: Aws, kind: str, name: str) -> Iterator[Policy]:
    """The managed and the inline policies of a User, Group or Role."""
    who = {f"{kind}Name": name}
    for attached in aws.pages("iam", f"ListAttached{kind}Policies", "AttachedPolicies", **who):
        yield _read_managed(aws, str(attached["PolicyArn"]), PolicyKind.IDENTITY)
    for inline in aws.pages("iam", f"List{kind}Policies", "PolicyNames", **who):
        document = aws.call("iam", f"Get{kind}Policy", PolicyName=str(inline), **who)["PolicyDocument"]
        yield _parse(document, PolicyKind.IDENTITY, f"{kind.lower()} {name}: {inline}")


def _read_boundary(aws: Aws, holder: Mapping[str, Any]) -> Policy | None:
    arn = (holder.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    return _read_managed(aws, str(arn), PolicyKind.BOUNDARY) if arn else None


def _read_managed(aws: Aws, arn: str, kind: PolicyKind) -> Policy:
    version = str(aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"])
    answer = aws.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
    return _parse(answer["PolicyVersion"]["Document"], kind, arn)


def _parse(document: str | Mapping[str, Any], kind: PolicyKind, name: str) -> Policy:
    try:
        return parse_policy(document, kind, name)
    except PolicyError as error:
        raise PolicyError(f"`{name}`, as the account has it: {error}", hint=error.hint) from None


def read_resource(aws: Aws, principal: Principal, action: str, resource: str) -> Resource:
    """The bucket's owner and policy, or the role's trust policy.

    Raises: KeyholeError if they cannot be read from the caller's account, AwsError.
    """
    organization = "the organization's policies (SCPs and RCPs) were not read: give those that there are as files"
    if _S3_ARN in resource:
        return Resource(principal.account, _read_bucket_policy(aws, principal.account, resource), notes=(organization,))
    if is_for_trust(action, resource):
        return Resource(principal.account, trust=_read_trust(aws, principal.account, resource), notes=(organization,))
    service = action.partition(":")[0].lower()
    unread = f"a resource of `{service}` may have a policy of its own, which was not read: give it as a file"
    return Resource(notes=(organization, unread) if service in _WITH_RESOURCE_POLICIES else (organization,))


def _read_bucket_policy(aws: Aws, account: str, resource: str) -> Policy | None:
    bucket = resource.partition(_S3_ARN)[2].partition("/")[0]
    if not bucket or "*" in bucket or "?" in bucket:
        raise KeyholeError(f"`{resource}` names no bucket", hint="write `arn:aws:s3:::bucket/key`, or `*`")
    try:
        text = str(aws.call("s3", "GetBucketPolicy", Bucket=bucket, ExpectedBucketOwner=account)["Policy"])
    except AwsError as error:
        if error.code == "NoSuchBucketPolicy":
            return None
        if error.code == "NoSuchBucket":
            raise KeyholeError(f"there is no bucket `{bucket}`", hint="check the resource's ARN") from None
        if error.code in {"AccessDenied", "MethodNotAllowed"}:
            raise KeyholeError(
                f"the policy of bucket `{bucket}` cannot be read: {error}",
                hint="if it is another account's, give `--resource-account` and, if it has one, `--resource-policy`",
            ) from None
        raise
    return _parse(text, PolicyKind.RESOURCE, bucket)


def _read_trust(aws: Aws, account: str, arn: str) -> Policy:
    if arn.split(":")[4] != account:
        raise KeyholeError(f"`{arn}` is another account's role", hint="give its trust policy as a file, by `--trust`")
    role = _find(aws, "GetRole", "Role", arn, RoleName=arn.rpartition("/")[2])
    _check_arn(arn, str(role["Arn"]))
    return _parse(role["AssumeRolePolicyDocument"], PolicyKind.TRUST, arn)
