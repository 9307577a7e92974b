"""Everything that the status is made of, read from AWS side by side; what cannot be read stands there as its error.

Only calls that read are made.
AWS: IAM API Reference, GetAccessKeyLastUsed; Amazon S3 API Reference, GetBucketPolicyStatus, GetPublicAccessBlock;
AWS CloudTrail API Reference, GetTrailStatus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from keyhole.aws import Aws
from keyhole.blueprint import Blueprint
from keyhole.errors import AwsError, KeyholeError
from keyhole.naming import Scope
from keyhole.provision.snapshot import READERS, kind_of, read_resource
from keyhole.resources import KINDS, Existing, Wanted
from keyhole.resources.access_key import AccessKey as HandedOverKey
from keyhole.resources.access_key import read_handed_over
from keyhole.resources.bucket import Bucket
from keyhole.resources.role import ExistingRole
from keyhole.resources.trail import Trail
from keyhole.resources.user import ExistingUser, User

T = TypeVar("T")
PUBLIC_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everyone",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "every AWS account",
}


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key of a user, and when it was last used; AWS is some hours late with that."""

    id: str
    user: str
    is_active: bool
    created: datetime | None
    last_used: datetime | None = None
    service: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class PublicAccess:
    """What S3 itself says about a bucket: whether its policy is public, and what its ACL grants to whom."""

    is_public: bool
    grants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is there. Everything is by address, but `unlisted` by kind and `old_keys` by key id.

    `existing` has None where nothing is, `old_keys` where AWS knows no such key. `inline`: the documents of the inline
    policies that someone gave to a role or user, by its address, kind and name of policy.
    """

    existing: dict[str, Existing | KeyholeError | None]
    orphans: tuple[tuple[str, Existing], ...]
    unlisted: dict[str, KeyholeError]
    public: dict[str, PublicAccess | KeyholeError | None]
    account_block: dict[str, bool] | KeyholeError
    keys: dict[str, tuple[AccessKey, ...] | KeyholeError]
    trails: dict[str, dict[str, Any] | KeyholeError | None]
    old_keys: dict[str, AccessKey | KeyholeError | None] = field(default_factory=dict)
    inline: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def there(self) -> dict[str, Existing]:
        """Give what is there and could be read, by address."""
        return {
            address: have
            for address, have in self.existing.items()
            if have is not None and not isinstance(have, KeyholeError)
        }


def read_status(aws: Aws, blueprint: Blueprint, old_keys: tuple[str, ...] = ()) -> Reading:
    """Read everything.

    Raises: KeyholeError if nothing of what the file names could be read.
    """
    scope = blueprint.scope
    pool = ThreadPoolExecutor(READERS)

    def submit(read: Callable[..., T], *what: Any) -> Future[T | KeyholeError]:
        return pool.submit(_attempt, read, aws, *what)

    def of_kind(kind: type, read: Callable[..., T], *more: Any) -> dict[str, Future[T | KeyholeError]]:
        wanted = [want for want in blueprint.resources if isinstance(want, kind)]
        return {want.address: submit(read, want.name, *more) for want in wanted}

    try:
        existing = {want.address: submit(_read, scope, want) for want in blueprint.resources}
        found = {kind: submit(_find, scope, kind) for kind in KINDS}
        public = of_kind(Bucket, _public_access, scope.account)
        keys = of_kind(User, _access_keys)
        trails = of_kind(Trail, _trail_status)
        old = {key_id: submit(_old_key, key_id) for key_id in old_keys}
        block = submit(_account_block, scope.account)
        states = _results(existing)
        _fail_if_nothing_was_read(states)
        listed = _results(found)
        left = list(_orphans(scope, states, listed, submit))
        inline = {
            (address, name): submit(_inline_policy, have, name)
            for address, have in states.items()
            if isinstance(have, (ExistingRole, ExistingUser))
            for name in have.inline_policies
        }
        return Reading(
            existing=states,
            orphans=tuple((kind, have) for kind, have in left if not isinstance(have, KeyholeError)),
            unlisted={kind: error for kind, error in (*listed.items(), *left) if isinstance(error, KeyholeError)},
            public=_results(public),
            account_block=block.result(),
            keys=_results(keys),
            trails=_results(trails),
            old_keys=_results(old),
            inline={key: text for key, text in _results(inline).items() if not isinstance(text, KeyholeError)},
        )
    finally:
        pool.shutdown(cancel_futures=True)


K = TypeVar("K")


def _results(futures: dict[K, Future[T]]) -> dict[K, T]:
    return {key: future.result() for key, future in futures.items()}


def _attempt(read: Callable[..., T], *what: Any) -> T | KeyholeError:
    try:
        return read(*what)
    except KeyholeError as error:
        return error


def _fail_if_nothing_was_read(states: dict[str, Existing | KeyholeError | None]) -> None:
    refusals = [state for state in states.values() if isinstance(state, AwsError)]
    if refusals and len(refusals) == len(states):
        raise refusals[0]


def _read(aws: Aws, scope: Scope, want: Wanted) -> Existing | None:
    if isinstance(want, HandedOverKey):
        return read_handed_over(aws, want, check=False)
    return read_resource(aws, scope, kind_of(want.address), want.name)


def _find(aws: Aws, scope: Scope, kind: str) -> tuple[str, ...]:
    return tuple(KINDS[kind].find(aws, scope))


def _orphans(
    scope: Scope,
    states: dict[str, Existing | KeyholeError | None],
    listed: dict[str, tuple[str, ...] | KeyholeError],
    submit: Callable[..., Future[Any]],
) -> Iterator[tuple[str, Existing | KeyholeError]]:
    """Give what carries the scope's tags and is not in the file, or why it could not be read.

    Kinds of which something in the file could not be read are passed over: it is said there already.
    """
    known = {
        (kind_of(address), have.name)
        for address, have in states.items()
        if have is not None and not isinstance(have, KeyholeError)
    }
    unread = {kind_of(address) for address, have in states.items() if isinstance(have, KeyholeError)}
    reads = [
        (kind, submit(read_resource, scope, kind, name))
        for kind, names in listed.items()
        if not isinstance(names, KeyholeError) and kind not in unread
        for name in names
        if (kind, name) not in known
    ]
    for kind, future in reads:
        have = future.result()
        if isinstance(have, KeyholeError) or (have is not None and scope.owns(have.tags)):
            yield kind, have


def _public_access(aws: Aws, name: str, account: str) -> PublicAccess | None:
    owner = {"Bucket": name, "ExpectedBucketOwner": account}
    try:
        grants = aws.call("s3", "GetBucketAcl", **owner)["Grants"]
    except AwsError as error:
        if error.code == "NoSuchBucket":
            return None
        raise
    opened = tuple(
        f"{PUBLIC_GROUPS[grant['Grantee']['URI']]} has {grant['Permission']}"
        for grant in grants
        if grant["Grantee"].get("URI") in PUBLIC_GROUPS
    )
    try:
        answer = aws.call("s3", "GetBucketPolicyStatus", **owner)
    except AwsError as error:
        if error.code not in {"NoSuchBucketPolicy", "NoSuchBucket"}:
            raise
        return PublicAccess(False, opened)
    return PublicAccess(bool(answer["PolicyStatus"]["IsPublic"]), opened)


def _account_block(aws: Aws, account: str) -> dict[str, bool]:
    try:
        answer = aws.call("s3control", "GetPublicAccessBlock", AccountId=account)
    except AwsError as error:
        if error.code == "NoSuchPublicAccessBlockConfiguration":
            return {}
        raise
    return {name: bool(is_on) for name, is_on in answer["PublicAccessBlockConfiguration"].items()}


def _access_keys(aws: Aws, user: str) -> tuple[AccessKey, ...]:
    try:
        listed = list(aws.pages("iam", "ListAccessKeys", "AccessKeyMetadata", UserName=user))
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return ()
        raise
    return tuple(_with_last_use(aws, item, user) for item in sorted(listed, key=lambda item: item["CreateDate"]))


def _with_last_use(aws: Aws, item: dict[str, Any], user: str) -> AccessKey:
    used = aws.call("iam", "GetAccessKeyLastUsed", AccessKeyId=item["AccessKeyId"]).get("AccessKeyLastUsed", {})
    return AccessKey(
        id=str(item["AccessKeyId"]),
        user=user,
        is_active=item["Status"] == "Active",
        created=item["CreateDate"],
        last_used=used.get("LastUsedDate"),
        service=_known(used.get("ServiceName")),
        region=_known(used.get("Region")),
    )


def _known(value: str | None) -> str:
    """AWS writes "N/A" where it does not know."""
    return "" if value in {None, "N/A"} else str(value)


def _old_key(aws: Aws, key_id: str) -> AccessKey | None:
    """Give the key wherever in the account it belongs, None if AWS knows it no more."""
    try:
        user = str(aws.call("iam", "GetAccessKeyLastUsed", AccessKeyId=key_id).get("UserName") or "")
    except AwsError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    found = aws.pages("iam", "ListAccessKeys", "AccessKeyMetadata", **({"UserName": user} if user else {}))
    item = next((item for item in found if item["AccessKeyId"] == key_id), None)
    return _with_last_use(aws, item, user) if item is not None else None


def _trail_status(aws: Aws, arn: str) -> dict[str, Any] | None:
    try:
        return aws.call("cloudtrail", "GetTrailStatus", Name=arn)
    except AwsError as error:
        if error.code in {"TrailNotFoundException", "ResourceNotFoundException"}:
            return None
        raise


def _inline_policy(aws: Aws, have: ExistingRole | ExistingUser, name: str) -> dict[str, Any]:
    kind = "Role" if isinstance(have, ExistingRole) else "User"
    answer = aws.call("iam", f"Get{kind}Policy", **{f"{kind}Name": have.name, "PolicyName": name})
    return dict(answer["PolicyDocument"])
