"""S3 bucket: private, encrypted, without ACLs; opened by its policy only as far as the file says.

AWS: Amazon S3 API Reference, "Actions"; Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError, KeyholeError, NotOursError
from keyhole.iam.text import same_document, write_document
from keyhole.naming import Scope
from keyhole.resources.bucket_rules import same_block, same_cors, same_lifecycle
from keyhole.resources.kind import Foreign, find_tagged, missing_tags, removal, tag_dict, tag_list

NAME = "bucket"
DEPENDS_ON: tuple[str, ...] = ()
FOREIGN = Foreign.REFUSED
METRICS_ID = "EntireBucket"  # what the S3 console calls the metrics of a whole bucket


@dataclass(frozen=True, slots=True)
class Settings:
    """What a bucket is set to; None means that AWS has no such setting."""

    public_access_block: dict[str, bool] | None = None
    ownership: str | None = None
    encryption: dict[str, Any] | None = None
    bucket_key: bool = False
    """Whether a key of the bucket's spares most calls of KMS, and their cost; it means nothing without KMS."""
    versioning: bool = False
    lifecycle: list[dict[str, Any]] | None = None
    cors: list[dict[str, Any]] | None = None
    policy: dict[str, Any] | None = None
    request_metrics: bool = False
    access_logs: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as it shall be. `account` owns it: every call says so, and S3 refuses any other owner's bucket."""

    address: str
    name: str
    account: str
    region: str
    settings: Settings
    tags: dict[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExistingBucket:
    name: str
    account: str
    settings: Settings
    tags: dict[str, str]


def find(aws: Aws, scope: Scope) -> Iterator[str]:
    """Give the names of the buckets that carry the scope's tags."""
    for arn in find_tagged(aws, scope, "s3:bucket"):
        yield arn.rpartition(":")[2]


def read(aws: Aws, scope: Scope, name: str) -> ExistingBucket | None:
    """Give the bucket's tags and settings.

    Raises: KeyholeError if the name is taken by another account, or the bucket is in another region; AwsError.
    """
    owner = {"Bucket": name, "ExpectedBucketOwner": scope.account}
    try:
        region = _region(aws.call("s3", "GetBucketLocation", **owner))
    except AwsError as error:
        if error.code == "NoSuchBucket":
            return None
        raise _why_not_readable(aws, scope, name, error) from error
    if region != scope.region:
        raise KeyholeError(
            f"bucket `{name}` is in `{region}`, and the file says `{scope.region}`",
            hint=f'a bucket never moves: write `region = "{region}"`, or choose another bucket name',
        )
    tags = _get(aws, "GetBucketTagging", owner, lambda answer: tag_dict(answer["TagSet"]), "NoSuchTagSet")
    encryption, bucket_key = _get(
        aws, "GetBucketEncryption", owner, _encryption, "ServerSideEncryptionConfigurationNotFoundError"
    ) or (None, False)
    settings = Settings(
        public_access_block=_get(
            aws,
            "GetPublicAccessBlock",
            owner,
            lambda answer: dict(answer["PublicAccessBlockConfiguration"]),
            "NoSuchPublicAccessBlockConfiguration",
        ),
        ownership=_get(
            aws,
            "GetBucketOwnershipControls",
            owner,
            lambda answer: str(answer["OwnershipControls"]["Rules"][0]["ObjectOwnership"]),
            "OwnershipControlsNotFoundError",
        ),
        encryption=encryption,
        bucket_key=bucket_key,
        versioning=bool(_get(aws, "GetBucketVersioning", owner, lambda answer: answer.get("Status") == "Enabled", "")),
        lifecycle=_get(
            aws,
            "GetBucketLifecycleConfiguration",
            owner,
            lambda answer: list(answer["Rules"]),
            "NoSuchLifecycleConfiguration",
        ),
        cors=_get(aws, "GetBucketCors", owner, lambda answer: list(answer["CORSRules"]), "NoSuchCORSConfiguration"),
        policy=_get(aws, "GetBucketPolicy", owner, _policy, "NoSuchBucketPolicy"),
        request_metrics=bool(
            _get(aws, "GetBucketMetricsConfiguration", {**owner, "Id": METRICS_ID}, _is_whole, "NoSuchConfiguration")
        ),
        access_logs=_get(aws, "GetBucketLogging", owner, _access_logs, ""),
    )
    return ExistingBucket(name, scope.account, settings, tags or {})


def calls(want: Bucket | None, have: ExistingBucket | None) -> Iterator[Call]:
    """Give the calls from `have` to `want`. Deleting presupposes an empty bucket."""
    if want is None:
        if have is not None:
            owner = {"Bucket": have.name, "ExpectedBucketOwner": have.account}
            yield removal("s3", "DeleteBucket", owner, "delete the bucket")
        return
    owner = {"Bucket": want.name, "ExpectedBucketOwner": want.account}
    if have is None:
        yield _create(want)
        have = ExistingBucket(want.name, want.account, Settings(), want.tags)
    if lacking := missing_tags(want.tags, have.tags):
        tagging = {"TagSet": tag_list({**have.tags, **lacking})}
        yield Call(
            "s3",
            "PutBucketTagging",
            {**owner, "Tagging": tagging},
            why="tag it as this app's: `keyhole down` may delete it then",
        )
    yield from _settings(want.settings, have.settings, owner)


def _create(want: Bucket) -> Call:
    """The tags come with the creation: a run that breaks right after it leaves a bucket that is known to be ours."""
    configuration: dict[str, Any] = {"Tags": tag_list(want.tags)}
    if want.region != "us-east-1":
        configuration["LocationConstraint"] = want.region
    params = {"Bucket": want.name, "CreateBucketConfiguration": configuration, "ObjectOwnership": "BucketOwnerEnforced"}
    return Call("s3", "CreateBucket", params, why="create the bucket")


def _settings(want: Settings, have: Settings, owner: dict[str, Any]) -> Iterator[Call]:
    """Close before opening: a policy goes before Block Public Access shuts, and comes after it opens."""
    if have.policy is not None and not same_document(want.policy, have.policy) and want.policy is None:
        yield removal("s3", "DeleteBucketPolicy", owner, "remove the bucket policy")
    if not same_block(want.public_access_block, have.public_access_block):
        params = {**owner, "PublicAccessBlockConfiguration": want.public_access_block}
        yield Call("s3", "PutPublicAccessBlock", params, why=_describe_block(want.public_access_block))
    if want.ownership != have.ownership:
        params = {**owner, "OwnershipControls": {"Rules": [{"ObjectOwnership": want.ownership}]}}
        yield Call("s3", "PutBucketOwnershipControls", params, why="disable ACLs")
    if (want.encryption, want.bucket_key) != (have.encryption, have.bucket_key):
        rule: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": want.encryption}
        rule |= {"BucketKeyEnabled": True} if want.bucket_key else {}
        params = {**owner, "ServerSideEncryptionConfiguration": {"Rules": [rule]}}
        yield Call("s3", "PutBucketEncryption", params, why="encrypt new objects")
    if want.versioning != have.versioning:
        status = "Enabled" if want.versioning else "Suspended"
        params = {**owner, "VersioningConfiguration": {"Status": status}}
        why = "keep old versions" if want.versioning else "keep no new old versions: versioning is suspended"
        yield Call("s3", "PutBucketVersioning", params, destructive=not want.versioning, why=why)
    if not same_lifecycle(want.lifecycle, have.lifecycle):
        yield from _rules("Lifecycle", want.lifecycle, owner)
    if not same_cors(want.cors, have.cors):
        yield from _rules("Cors", want.cors, owner)
    if want.access_logs != have.access_logs:
        logging = {"LoggingEnabled": want.access_logs} if want.access_logs else {}
        target = want.access_logs["TargetBucket"] if want.access_logs else ""
        why = f"log its requests in {target}" if target else "log its requests no more"
        params = {**owner, "BucketLoggingStatus": logging}
        yield Call("s3", "PutBucketLogging", params, destructive=want.access_logs is None, why=why)
    yield from _metrics(want.request_metrics, have.request_metrics, owner)
    if want.policy is not None and not same_document(want.policy, have.policy):
        params = {**owner, "Policy": write_document(want.policy)}
        why = _describe_replacement(have.policy) if have.policy else "set the bucket policy"
        yield Call("s3", "PutBucketPolicy", params, destructive=have.policy is not None, why=why)


def _rules(setting: str, want: list[dict[str, Any]] | None, owner: dict[str, Any]) -> Iterator[Call]:
    if want is None:
        yield removal("s3", f"DeleteBucket{setting}", owner, f"remove the {setting.lower()} rules")
    elif setting == "Lifecycle":
        params = {**owner, "LifecycleConfiguration": {"Rules": want}}
        yield Call("s3", "PutBucketLifecycleConfiguration", params, why="set the lifecycle rules")
    else:
        yield Call("s3", "PutBucketCors", {**owner, "CORSConfiguration": {"CORSRules": want}}, why="set the CORS rules")


def _metrics(want: bool, have: bool, owner: dict[str, Any]) -> Iterator[Call]:
    params = {**owner, "Id": METRICS_ID}
    if want and not have:
        configuration = {"MetricsConfiguration": {"Id": METRICS_ID}}
        yield Call("s3", "PutBucketMetricsConfiguration", {**params, **configuration}, why="measure its requests")
    if have and not want:
        yield removal("s3", "DeleteBucketMetricsConfiguration", params, "measure its requests no more")


def _describe_replacement(policy: dict[str, Any]) -> str:
    statements = policy.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    names = ", ".join(str(statement.get("Sid", "no Sid")) for statement in statements)
    return f"replace the bucket policy that is there now ({names})"


def _describe_block(block: dict[str, bool] | None) -> str:
    open_settings = [key for key, is_on in (block or {}).items() if not is_on]
    if not open_settings:
        return "block all public access"
    return "block public access, but for the bucket policy"


def _get(
    aws: Aws, operation: str, owner: dict[str, Any], pick: Callable[[dict[str, Any]], Any], absent_code: str
) -> Any:
    """Give one setting, or None if S3 says by `absent_code` that the bucket has none."""
    try:
        return pick(aws.call("s3", operation, **owner))
    except AwsError as error:
        if error.code == absent_code:
            return None
        raise


def _region(answer: dict[str, Any]) -> str:
    """AWS: Amazon S3 API Reference, GetBucketLocation: null is us-east-1, "EU" is eu-west-1."""
    location = answer.get("LocationConstraint") or "us-east-1"
    return "eu-west-1" if location == "EU" else str(location)


def _is_whole(answer: dict[str, Any]) -> bool:
    """Hold iff the configuration measures the whole bucket, and no part of it alone."""
    return not answer["MetricsConfiguration"].get("Filter")


def _encryption(answer: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    rule = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
    by_default = dict(rule["ApplyServerSideEncryptionByDefault"])
    return by_default, by_default["SSEAlgorithm"] != "AES256" and bool(rule.get("BucketKeyEnabled"))


def _access_logs(answer: dict[str, Any]) -> dict[str, str] | None:
    logging = answer.get("LoggingEnabled")
    return {key: logging.get(key, "") for key in ("TargetBucket", "TargetPrefix")} if logging else None


def _policy(answer: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer["Policy"])
    return document


def _why_not_readable(aws: Aws, scope: Scope, name: str, error: AwsError) -> KeyholeError:
    """Tell a bucket of someone else from one that these credentials may not read."""
    if error.status != 403:
        return error
    try:
        mine = {bucket["Name"] for bucket in aws.call("s3", "ListBuckets").get("Buckets", ())}
    except AwsError:
        return error
    if name in mine:
        return error
    free = _free_name(aws, name, scope.account)
    return NotOursError(
        f"the bucket name `{name}` is taken by another AWS account",
        hint=f"bucket names are unique in all of AWS: `{free}` is free"
        if free
        else "bucket names are unique in all of AWS: choose another",
    )


def _free_name(aws: Aws, name: str, account: str) -> str:
    """Give a name like this one that nobody has now; "" if none was found soon."""
    for suffix in (f"-{account}", *(f"-{account}-{number}" for number in range(2, 6))):
        free = name.removesuffix(f"-{account}")[: 63 - len(suffix)].rstrip("-.") + suffix
        try:
            aws.call("s3", "HeadBucket", Bucket=free)
        except AwsError as error:
            if error.status == 404:
                return free
    return ""
