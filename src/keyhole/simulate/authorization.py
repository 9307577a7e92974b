"""An account with all its users and roles, and the policy of what is asked for: live, or from files.

AWS: IAM API Reference, "GetAccountAuthorizationDetails"; Amazon S3 API Reference, "GetBucketPolicy".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keyhole.aws import Aws
from keyhole.errors import AwsError, KeyholeError
from keyhole.iam import Policy, PolicyKind, parse_policy
from keyhole.iam.access.account import Account, read_details
from keyhole.iam.access.document import may_overlap
from keyhole.iam.access.standing import Target
from keyhole.iam.lint import WarningCode, find_warnings
from keyhole.iam.match import compile_glob, is_action_pattern, match_glob
from keyhole.iam.principals import is_account_id
from keyhole.simulate.files import read_policy

_LISTS = {
    "UserDetailList": ["User"],
    "GroupDetailList": ["Group"],
    "RoleDetailList": ["Role"],
    "Policies": ["LocalManagedPolicy", "AWSManagedPolicy"],
}
_S3 = ":s3:::"
_NO_ACTION = {WarningCode.ACTION_UNKNOWN, WarningCode.SERVICE_UNKNOWN, WarningCode.WILDCARD_UNMATCHED}
ORGANIZATION_NOTE = "an organization's policies (SCPs and RCPs) and session policies are not looked at: they only limit"

ABILITIES_NOTE = (
    "policies of buckets, keys and other resources are not looked at: they may let it do more, or keep it from what is "
    "listed; `keyhole who` looks at one"
)


def read_account(aws: Aws) -> Account:
    """Give the account of the credentials, with managed policies that its details leave out. Raises: KeyholeError."""
    details: dict[str, Any] = {
        name: list(aws.pages("iam", "GetAccountAuthorizationDetails", name, Filter=filters))
        for name, filters in _LISTS.items()
    }
    there = {str(policy["Arn"]) for policy in details["Policies"]}
    for arn in dict.fromkeys(_managed_arns(details)):
        if arn not in there:
            version = str(aws.call("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"])
            answer = aws.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)["PolicyVersion"]
            found = {"VersionId": version, "IsDefaultVersion": True, "Document": answer["Document"]}
            details["Policies"].append({"Arn": arn, "DefaultVersionId": version, "PolicyVersionList": [found]})
    return read_details(details)


def _managed_arns(details: dict[str, Any]) -> Iterator[str]:
    for name in ("UserDetailList", "GroupDetailList", "RoleDetailList"):
        for holder in details[name]:
            yield from (str(each["PolicyArn"]) for each in holder.get("AttachedManagedPolicies") or ())
            if arn := (holder.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"):
                yield str(arn)


def read_account_file(file: Path) -> Account:
    """Give the account that a file describes: the output of `aws iam get-account-authorization-details`.

    Raises: KeyholeError.
    """
    try:
        details = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = str(getattr(error, "strerror", "") or error).lower()
        raise KeyholeError(
            f"`{file}` cannot be read: {reason}", hint="`aws iam get-account-authorization-details > FILE` writes it"
        ) from None
    if not isinstance(details, dict):
        raise KeyholeError(f"`{file}` holds no account's details", hint="give the JSON object that AWS answered")
    return read_details(details)


def read_targets(
    account: Account, action: str, resource: str, *, aws: Aws | None, policy_file: Path | None
) -> tuple[list[Target], list[str]]:
    """Give what is asked for, once for each bucket or role that it may be, and what was not read.

    Raises: KeyholeError for what cannot be asked, and where the policy that decides is not there.
    """
    if not is_action_pattern(action):
        raise KeyholeError(f"`{action}` is no action", hint="write it with its service: `s3:GetObject`, `s3:Get*`")
    if resource != "*" and not resource.startswith("arn:"):
        raise KeyholeError(f"the resource `{resource}` is neither an ARN nor `*`", hint="`arn:aws:s3:::bucket/*`")
    fields = resource.split(":", 5)
    owner = fields[4] if len(fields) == 6 and is_account_id(fields[4]) else account.number
    notes = [ORGANIZATION_NOTE, *_find_odd(action)]
    if may_overlap(action.lower(), "sts:assumerole*") and _role_pattern(resource, account):
        roles = _assumed(account, action, resource)
        if roles is not None:
            return roles, notes
    if policy_file is not None:
        policy = read_policy(policy_file, PolicyKind.RESOURCE)
        return [Target(action, resource, owner, policy)], notes
    service = action.partition(":")[0].lower()
    is_of_keys = service == "kms" and may_overlap(resource, "arn:*:kms:*:*:key/*")
    if is_of_keys or (":key/" in resource and may_overlap(action.lower(), "kms:*")):
        return [_key_target(action, resource, owner, aws)], notes
    if may_overlap(action.lower(), "s3:*") and may_overlap(resource, "arn:*:s3:::*"):
        if service != "s3" and _S3 not in resource:
            notes.append("policies of single resources other than buckets were not read")
        return _bucket_targets(account, action, resource, aws, notes), notes
    notes.append(f"policies of single resources (if `{service}` has such) were not read: give one by --resource-policy")
    return [Target(action, resource, owner)], notes


def _find_odd(action: str) -> Iterator[str]:
    """Give what is odd about an action that nobody is known to have: it is asked for all the same."""
    if action.startswith("*"):
        return
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    asked = parse_policy({"Version": "2012-10-17", "Statement": statement}, PolicyKind.IDENTITY)
    for warning in find_warnings(asked, PolicyKind.IDENTITY):
        if warning.code in _NO_ACTION:
            yield f"{warning.message}; {warning.hint}"


def _role_pattern(resource: str, account: Account) -> bool:
    return resource == "*" or may_overlap(resource, f"arn:{account.partition}:iam::{account.number}:role/*")


def _assumed(account: Account, action: str, resource: str) -> list[Target] | None:
    """Give one target for each role that the pattern fits; None if actions are asked for that are not of trust."""
    if not action.lower().startswith("sts:"):
        return None
    glob = compile_glob(resource)
    roles = [role for role in account.roles if resource == "*" or match_glob(glob, role.arn)]
    if not roles:
        raise KeyholeError(f"no role of account {account.number} is `{resource}`", hint="check the ARN and its path")
    return [
        Target(action, role.arn, account.number, role.trust.parse(), PolicyKind.TRUST)
        for role in roles
        if role.trust is not None
    ]


def _bucket_targets(account: Account, action: str, resource: str, aws: Aws | None, notes: list[str]) -> list[Target]:
    bucket = resource.partition(_S3)[2].partition("/")[0] or "*"
    is_one = not set("*?") & set(bucket)
    if aws is None:
        notes.append(
            f"bucket `{bucket}` is taken to have no policy: give the one that it has by --bucket-policy"
            if is_one
            else "bucket policies are not looked at: `--bucket-policy` is for one bucket"
        )
        return [Target(action, resource, account.number)]
    if is_one:
        return [Target(action, resource, account.number, read_bucket_policy(aws, bucket, account.number))]
    names = [str(each["Name"]) for each in aws.call("s3", "ListBuckets")["Buckets"]]
    glob = compile_glob(bucket)
    start = f"arn:{account.partition}{_S3}"
    places = {name: (f"{start}{name}", f"{start}{name}/*") for name in names if match_glob(glob, name)}
    targets = [
        Target(action, resource, account.number, read_bucket_policy(aws, name, account.number), within=within)
        for name, within in places.items()
    ]
    if _S3 not in resource or not targets:
        # What is of no bucket that is there: making one, listing them all.
        others = tuple(pattern for within in places.values() for pattern in within)
        targets.append(Target(action, resource, account.number, outside=others))
    return targets


def read_bucket_policy(aws: Aws, bucket: str, owner: str) -> Policy | None:
    """Give a bucket's policy, None if it has none. Raises: KeyholeError, AwsError."""
    try:
        text = str(aws.call("s3", "GetBucketPolicy", Bucket=bucket, ExpectedBucketOwner=owner)["Policy"])
    except AwsError as error:
        if error.code == "NoSuchBucketPolicy":
            return None
        if error.code == "NoSuchBucket":
            raise KeyholeError(f"there is no bucket `{bucket}`", hint="check its name") from None
        raise
    return parse_policy(text, PolicyKind.RESOURCE, bucket)


def _key_target(action: str, resource: str, owner: str, aws: Aws | None) -> Target:
    if aws is None or set("*?") & set(resource):
        raise KeyholeError(
            "a KMS key's own policy decides who may use it, and it is not there",
            hint="name one key, and give its policy by --resource-policy",
        )
    text = str(aws.call("kms", "GetKeyPolicy", KeyId=resource, PolicyName="default")["Policy"])
    return Target(action, resource, owner, parse_policy(text, PolicyKind.RESOURCE, "key policy"))
