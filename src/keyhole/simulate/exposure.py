"""A bucket's openness as its account has it: policy, Block Public Access of bucket and account, and ACL.

AWS: S3 User Guide, "Blocking public access to your Amazon S3 storage" and "Access control list (ACL) overview".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keyhole.aws import Aws
from keyhole.errors import AwsError
from keyhole.iam import Policy
from keyhole.iam.access.exposure import Exposure, find_exposures
from keyhole.iam.symbolic.budget import Budget
from keyhole.simulate.authorization import read_bucket_policy

_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "anyone on the web",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "anyone who has an AWS account",
}
_LOG_GROUP = "http://acs.amazonaws.com/groups/s3/LogDelivery"
_ACL_FIX = "set Object Ownership to `BucketOwnerEnforced`, which turns ACLs off, or IgnorePublicAcls"


@dataclass(frozen=True, slots=True)
class Openness:
    """Who outside the account comes in, and what was found of the bucket beside its policy."""

    exposures: tuple[Exposure, ...]
    has_policy: bool
    notes: tuple[str, ...] = ()

    @property
    def is_public(self) -> bool:
        """Hold iff AWS calls it public, and nothing blocks it."""
        return any(exposure.is_public and exposure.is_open for exposure in self.exposures)

    @property
    def is_closed(self) -> bool:
        """Hold iff certainly nobody outside the account comes in."""
        return not any(exposure.is_open for exposure in self.exposures)


def judge_policy(policy: Policy, account: str, budget_s: float) -> Openness:
    """Judge a policy by itself."""
    return Openness(tuple(find_exposures(account, policy, Budget(budget_s))), has_policy=True)


def judge_bucket(aws: Aws, bucket: str, budget_s: float) -> Openness:
    """Judge a bucket of the account of the credentials. Raises: KeyholeError, AwsError."""
    account = str(aws.call("sts", "GetCallerIdentity")["Account"])
    policy = read_bucket_policy(aws, bucket, account)
    owner = {"Bucket": bucket, "ExpectedBucketOwner": account}
    blocks = {
        "bucket": _read_block(lambda: aws.call("s3", "GetPublicAccessBlock", **owner)),
        "account": _read_block(lambda: aws.call("s3control", "GetPublicAccessBlock", AccountId=account)),
    }
    notes = [f"Block Public Access of the {place}: {_describe(block)}" for place, block in blocks.items()]
    in_force = {name for block in blocks.values() for name, is_set in block.items() if is_set}
    exposures: list[Exposure] = []
    if policy is not None:
        restricts = "RestrictPublicBuckets" in in_force
        exposures += find_exposures(account, policy, Budget(budget_s), restricts_public=restricts)
    if _takes_acls(aws, owner):
        grants = aws.call("s3", "GetBucketAcl", **owner)
        exposures += _acl_exposures(grants, ignored="IgnorePublicAcls" in in_force)
        if "IgnorePublicAcls" not in in_force:
            notes.append("objects may have ACLs of their own, which were not read")
    else:
        notes.append("ACLs are off (BucketOwnerEnforced)")
    return Openness(tuple(exposures), policy is not None, tuple(notes))


def _read_block(ask: Callable[[], dict[str, Any]]) -> dict[str, bool]:
    try:
        return dict(ask()["PublicAccessBlockConfiguration"])
    except AwsError as error:
        if error.code == "NoSuchPublicAccessBlockConfiguration":
            return {}
        raise


def _describe(block: dict[str, bool]) -> str:
    is_set = [name for name, value in block.items() if value]
    return "all four" if len(is_set) == 4 else ", ".join(is_set) or "none"


def _takes_acls(aws: Aws, owner: dict[str, str]) -> bool:
    try:
        rules = aws.call("s3", "GetBucketOwnershipControls", **owner)["OwnershipControls"]["Rules"]
    except AwsError as error:
        if error.code == "OwnershipControlsNotFoundError":
            return True
        raise
    return bool(rules[0]["ObjectOwnership"] != "BucketOwnerEnforced")


def _acl_exposures(acl: dict[str, Any], *, ignored: bool) -> list[Exposure]:
    found: list[Exposure] = []
    owner = acl.get("Owner", {}).get("ID")
    for grant in acl.get("Grants") or ():
        grantee = grant.get("Grantee", {})
        uri, number = grantee.get("URI", ""), grantee.get("ID", "")
        if (number and number == owner) or uri == _LOG_GROUP:
            continue
        is_public = uri in _GROUPS
        who = _GROUPS.get(uri) or f"the account with canonical id {number[:12]}…"
        held = "Block Public Access (IgnorePublicAcls) makes S3 ignore it" if is_public and ignored else ""
        name = f"the bucket's ACL: {grant.get('Permission')}"
        found.append(Exposure(name, (who,), is_public, None, _ACL_FIX, held))
    return found
