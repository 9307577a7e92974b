"""S3: operation → actions, as AWS checks them; names differ from the API's in many places.

AWS: S3 User Guide, "Required permissions for Amazon S3 API operations"; Service Authorization Reference, "Actions,
resources, and condition keys for Amazon S3".
"""

from __future__ import annotations

from urllib.parse import unquote

from keyhole.local.actions.row import ContextOf, Need, Place, Row, every
from keyhole.local.call import ApiCall, Fault

_ACL = ("ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP", "GrantWrite")


def all_buckets(_call: ApiCall, _place: Place) -> tuple[str, ...]:
    """The account's buckets as a whole."""
    return ("arn:aws:s3:::*",)


def bucket(call: ApiCall, _place: Place) -> tuple[str, ...]:
    """The bucket of the call."""
    return (f"arn:aws:s3:::{call.params['Bucket']}",)


def object_(call: ApiCall, _place: Place) -> tuple[str, ...]:
    """The object of the call."""
    return (f"arn:aws:s3:::{call.params['Bucket']}/{call.params['Key']}",)


def copy_source(call: ApiCall) -> tuple[str, str, str]:
    """Give (bucket, key, version) that a copy reads. Raises: Fault where the header does not name an object."""
    path, _, version = call.params["CopySource"].partition("?versionId=")
    source_bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not source_bucket or not key or source_bucket.startswith("arn:"):
        message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        raise Fault("InvalidArgument", message, 400, extra=(("ArgumentName", "x-amz-copy-source"),))
    return source_bucket, key, version


def _source(call: ApiCall, _place: Place) -> tuple[str, ...]:
    source_bucket, key, version = copy_source(call)
    return () if version else (f"arn:aws:s3:::{source_bucket}/{key}",)


def _source_version(call: ApiCall, _place: Place) -> tuple[str, ...]:
    source_bucket, key, version = copy_source(call)
    return (f"arn:aws:s3:::{source_bucket}/{key}",) if version else ()


def _takes_tags(call: ApiCall, place: Place) -> bool:
    """Hold iff the copy takes tags of its source along: then they are read, and written."""
    if call.params.get("TaggingDirective") == "REPLACE":
        return False
    return bool(place.backend.object_tags(*copy_source(call)))


def _tagged_source(call: ApiCall, place: Place) -> tuple[str, ...]:
    return _source(call, place) if _takes_tags(call, place) else ()


def _tagged_source_version(call: ApiCall, place: Place) -> tuple[str, ...]:
    return _source_version(call, place) if _takes_tags(call, place) else ()


def _gets_source_tags(call: ApiCall, place: Place) -> tuple[str, ...]:
    return object_(call, place) if _takes_tags(call, place) else ()


def _all_keys(call: ApiCall, _place: Place) -> tuple[str, ...]:
    return (f"arn:aws:s3:::{call.params['Bucket']}/*",)


def _unversioned(call: ApiCall, place: Place) -> tuple[str, ...]:
    return () if call.params.get("VersionId") else object_(call, place)


def _versioned(call: ApiCall, place: Place) -> tuple[str, ...]:
    return object_(call, place) if call.params.get("VersionId") else ()


def by_version(action: str, version_action: str) -> Row:
    """Give the row of an operation that needs another action where it names a version."""
    return (Need(action, _unversioned), Need(version_action, _versioned))


_BYPASS = Need("s3:BypassGovernanceRetention", object_, ("BypassGovernanceRetention",))
_WITH_PUT: Row = (
    Need("s3:PutObjectTagging", object_, ("Tagging",)),
    Need("s3:PutObjectAcl", object_, _ACL),
    Need("s3:PutObjectRetention", object_, ("ObjectLockMode", "ObjectLockRetainUntilDate")),
    Need("s3:PutObjectLegalHold", object_, ("ObjectLockLegalHoldStatus",)),
)


def _creates(flag: str) -> ContextOf:
    """Whether the call makes an object, or is one of several that will.

    AWS: S3 User Guide, "Enforce conditional writes on Amazon S3 buckets".
    """
    return lambda _call, _place: {"s3:ObjectCreationOperation": flag}


_WRITE = Need("s3:PutObject", object_, context=_creates("true"))
_WRITE_PART = Need("s3:PutObject", object_, context=_creates("false"))
_PUT: Row = (_WRITE, *_WITH_PUT)
_READ_SOURCE: Row = (Need("s3:GetObject", _source), Need("s3:GetObjectVersion", _source_version))

_COPY_TAGS: Row = (
    Need("s3:GetObjectTagging", _tagged_source),
    Need("s3:GetObjectVersionTagging", _tagged_source_version),
    Need("s3:PutObjectTagging", _gets_source_tags),
)


def _matched(call: ApiCall, place: Place) -> tuple[str, ...]:
    """The object whose ETag the call compares: who may not read it may not learn that either.

    AWS: S3 User Guide, "How to perform conditional writes" and "How to perform conditional deletes", permissions.
    """
    return object_(call, place) if call.params.get("IfMatch", "*") != "*" else ()


def _replication_role(call: ApiCall, _place: Place) -> tuple[str, ...]:
    role = (call.params.get("ReplicationConfiguration") or {}).get("Role")
    return (str(role),) if role else ()


_COMPARE = Need("s3:GetObject", _matched)

_OBJECTS: dict[str, Row] = {
    "AbortMultipartUpload": every("s3:AbortMultipartUpload", object_),
    "CompleteMultipartUpload": (_WRITE, _COMPARE),
    "CopyObject": (*_READ_SOURCE, *_PUT, *_COPY_TAGS),
    "CreateMultipartUpload": (_WRITE_PART, *_WITH_PUT),
    "DeleteObject": (*by_version("s3:DeleteObject", "s3:DeleteObjectVersion"), _COMPARE, _BYPASS),
    "DeleteObjectTagging": by_version("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"),
    # Decided key by key in object_deletion; whoever may delete every key is all that this row lets through.
    "DeleteObjects": every("s3:DeleteObject", _all_keys),
    "GetObject": by_version("s3:GetObject", "s3:GetObjectVersion"),
    "GetObjectAcl": by_version("s3:GetObjectAcl", "s3:GetObjectVersionAcl"),
    "GetObjectAttributes": (
        *by_version("s3:GetObject", "s3:GetObjectVersion"),
        *by_version("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"),
    ),
    "GetObjectLegalHold": every("s3:GetObjectLegalHold", object_),
    "GetObjectRetention": every("s3:GetObjectRetention", object_),
    "GetObjectTagging": by_version("s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
    "GetObjectTorrent": every("s3:GetObjectTorrent", object_),
    "HeadObject": by_version("s3:GetObject", "s3:GetObjectVersion"),
    "ListParts": every("s3:ListMultipartUploadParts", object_),
    "PutObject": (*_PUT, _COMPARE),
    "PutObjectAcl": by_version("s3:PutObjectAcl", "s3:PutObjectVersionAcl"),
    "PutObjectLegalHold": every("s3:PutObjectLegalHold", object_),
    "PutObjectRetention": (Need("s3:PutObjectRetention", object_), _BYPASS),
    "PutObjectTagging": by_version("s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
    "RestoreObject": every("s3:RestoreObject", object_),
    "SelectObjectContent": every("s3:GetObject", object_),
    "DeleteObjectAnnotation": by_version("s3:DeleteObjectAnnotation", "s3:DeleteObjectVersionAnnotation"),
    "GetObjectAnnotation": by_version("s3:GetObjectAnnotation", "s3:GetObjectVersionAnnotation"),
    "ListObjectAnnotations": by_version("s3:ListObjectAnnotations", "s3:ListObjectVersionAnnotations"),
    "PutObjectAnnotation": by_version("s3:PutObjectAnnotation", "s3:PutObjectVersionAnnotation"),
    "UpdateObjectEncryption": every("s3:UpdateObjectEncryption", object_),
    "UploadPart": (_WRITE_PART,),
    "UploadPartCopy": (*_READ_SOURCE, _WRITE_PART),
}


def _has_tags(call: ApiCall, place: Place) -> tuple[str, ...]:
    configuration = call.params.get("CreateBucketConfiguration") or {}
    return bucket(call, place) if configuration.get("Tags") else ()


_BUCKETS: dict[str, Row] = {
    "CreateBucket": (
        Need("s3:CreateBucket", bucket),
        Need("s3:TagResource", _has_tags),
        Need("s3:PutBucketAcl", bucket, _ACL),
        Need("s3:PutBucketOwnershipControls", bucket, ("ObjectOwnership",)),
        Need("s3:PutBucketObjectLockConfiguration", bucket, ("ObjectLockEnabledForBucket",)),
        Need("s3:PutBucketVersioning", bucket, ("ObjectLockEnabledForBucket",)),
    ),
    "DeleteBucket": every("s3:DeleteBucket", bucket),
    "HeadBucket": every("s3:ListBucket", bucket),
    "ListBuckets": every("s3:ListAllMyBuckets", all_buckets),
    "ListMultipartUploads": every("s3:ListBucketMultipartUploads", bucket),
    "ListObjectVersions": every("s3:ListBucketVersions", bucket),
    "ListObjects": every("s3:ListBucket", bucket),
    "ListObjectsV2": every("s3:ListBucket", bucket),
    "DeleteBucketAnalyticsConfiguration": every("s3:PutAnalyticsConfiguration", bucket),
    "DeleteBucketCors": every("s3:PutBucketCORS", bucket),
    "DeleteBucketEncryption": every("s3:PutEncryptionConfiguration", bucket),
    "DeleteBucketIntelligentTieringConfiguration": every("s3:PutIntelligentTieringConfiguration", bucket),
    "DeleteBucketInventoryConfiguration": every("s3:PutInventoryConfiguration", bucket),
    "DeleteBucketLifecycle": every("s3:PutLifecycleConfiguration", bucket),
    "DeleteBucketMetricsConfiguration": every("s3:PutMetricsConfiguration", bucket),
    "DeleteBucketOwnershipControls": every("s3:PutBucketOwnershipControls", bucket),
    "DeleteBucketPolicy": every("s3:DeleteBucketPolicy", bucket),
    "DeleteBucketReplication": every("s3:PutReplicationConfiguration", bucket),
    "DeleteBucketTagging": every("s3:PutBucketTagging", bucket),
    "DeleteBucketWebsite": every("s3:DeleteBucketWebsite", bucket),
    "DeletePublicAccessBlock": every("s3:PutBucketPublicAccessBlock", bucket),
    "GetBucketAbac": every("s3:GetBucketAbac", bucket),
    "GetBucketAccelerateConfiguration": every("s3:GetAccelerateConfiguration", bucket),
    "GetBucketAcl": every("s3:GetBucketAcl", bucket),
    "GetBucketAnalyticsConfiguration": every("s3:GetAnalyticsConfiguration", bucket),
    "GetBucketCors": every("s3:GetBucketCORS", bucket),
    "GetBucketEncryption": every("s3:GetEncryptionConfiguration", bucket),
    "GetBucketIntelligentTieringConfiguration": every("s3:GetIntelligentTieringConfiguration", bucket),
    "GetBucketInventoryConfiguration": every("s3:GetInventoryConfiguration", bucket),
    "GetBucketLifecycle": every("s3:GetLifecycleConfiguration", bucket),
    "GetBucketLifecycleConfiguration": every("s3:GetLifecycleConfiguration", bucket),
    "GetBucketLocation": every("s3:GetBucketLocation", bucket),
    "GetBucketLogging": every("s3:GetBucketLogging", bucket),
    "GetBucketMetricsConfiguration": every("s3:GetMetricsConfiguration", bucket),
    "GetBucketNotification": every("s3:GetBucketNotification", bucket),
    "GetBucketNotificationConfiguration": every("s3:GetBucketNotification", bucket),
    "GetBucketOwnershipControls": every("s3:GetBucketOwnershipControls", bucket),
    "GetBucketPolicy": every("s3:GetBucketPolicy", bucket),
    "GetBucketPolicyStatus": every("s3:GetBucketPolicyStatus", bucket),
    "GetBucketReplication": every("s3:GetReplicationConfiguration", bucket),
    "GetBucketRequestPayment": every("s3:GetBucketRequestPayment", bucket),
    "GetBucketTagging": every("s3:GetBucketTagging", bucket),
    "GetBucketVersioning": every("s3:GetBucketVersioning", bucket),
    "GetBucketWebsite": every("s3:GetBucketWebsite", bucket),
    "GetObjectLockConfiguration": every("s3:GetBucketObjectLockConfiguration", bucket),
    "GetPublicAccessBlock": every("s3:GetBucketPublicAccessBlock", bucket),
    "ListBucketAnalyticsConfigurations": every("s3:GetAnalyticsConfiguration", bucket),
    "ListBucketIntelligentTieringConfigurations": every("s3:GetIntelligentTieringConfiguration", bucket),
    "ListBucketInventoryConfigurations": every("s3:GetInventoryConfiguration", bucket),
    "ListBucketMetricsConfigurations": every("s3:GetMetricsConfiguration", bucket),
    "PutBucketAbac": every("s3:PutBucketAbac", bucket),
    "PutBucketAccelerateConfiguration": every("s3:PutAccelerateConfiguration", bucket),
    "PutBucketAcl": every("s3:PutBucketAcl", bucket),
    "PutBucketAnalyticsConfiguration": every("s3:PutAnalyticsConfiguration", bucket),
    "PutBucketCors": every("s3:PutBucketCORS", bucket),
    "PutBucketEncryption": every("s3:PutEncryptionConfiguration", bucket),
    "PutBucketIntelligentTieringConfiguration": every("s3:PutIntelligentTieringConfiguration", bucket),
    "PutBucketInventoryConfiguration": every("s3:PutInventoryConfiguration", bucket),
    "PutBucketLifecycle": every("s3:PutLifecycleConfiguration", bucket),
    "PutBucketLifecycleConfiguration": every("s3:PutLifecycleConfiguration", bucket),
    "PutBucketLogging": every("s3:PutBucketLogging", bucket),
    "PutBucketMetricsConfiguration": every("s3:PutMetricsConfiguration", bucket),
    "PutBucketNotification": every("s3:PutBucketNotification", bucket),
    "PutBucketNotificationConfiguration": every("s3:PutBucketNotification", bucket),
    "PutBucketOwnershipControls": every("s3:PutBucketOwnershipControls", bucket),
    "PutBucketPolicy": every("s3:PutBucketPolicy", bucket),
    "PutBucketReplication": (
        Need("s3:PutReplicationConfiguration", bucket),
        Need(
            "iam:PassRole",
            _replication_role,
            context=lambda _call, _place: {"iam:PassedToService": "s3.amazonaws.com"},
        ),
    ),
    "PutBucketRequestPayment": every("s3:PutBucketRequestPayment", bucket),
    "PutBucketTagging": every("s3:PutBucketTagging", bucket),
    "PutBucketVersioning": every("s3:PutBucketVersioning", bucket),
    "PutBucketWebsite": every("s3:PutBucketWebsite", bucket),
    "PutObjectLockConfiguration": every("s3:PutBucketObjectLockConfiguration", bucket),
    "PutPublicAccessBlock": every("s3:PutBucketPublicAccessBlock", bucket),
}

_METADATA: dict[str, Row] = {
    **{
        f"{verb}BucketMetadata{kind}": every(f"s3:{verb}BucketMetadataTableConfiguration", bucket)
        for verb in ("Create", "Get", "Delete")
        for kind in ("Configuration", "TableConfiguration")
    },
    **{
        name: every(f"s3:{name}", bucket)
        for name in (
            "UpdateBucketMetadataAnnotationTableConfiguration",
            "UpdateBucketMetadataInventoryTableConfiguration",
            "UpdateBucketMetadataJournalTableConfiguration",
        )
    },
}

ROWS: dict[str, Row] = {**_OBJECTS, **_BUCKETS, **_METADATA}

# Member of the call → the condition key that it fills, where the operation has that member.
CONTEXT_MEMBERS = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "VersionId": "s3:versionid",
    "ACL": "s3:x-amz-acl",
    "GrantFullControl": "s3:x-amz-grant-full-control",
    "GrantRead": "s3:x-amz-grant-read",
    "GrantReadACP": "s3:x-amz-grant-read-acp",
    "GrantWrite": "s3:x-amz-grant-write",
    "GrantWriteACP": "s3:x-amz-grant-write-acp",
    "CopySource": "s3:x-amz-copy-source",
    "MetadataDirective": "s3:x-amz-metadata-directive",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "SSECustomerAlgorithm": "s3:x-amz-server-side-encryption-customer-algorithm",
    "StorageClass": "s3:x-amz-storage-class",
    "WebsiteRedirectLocation": "s3:x-amz-website-redirect-location",
    "ObjectOwnership": "s3:x-amz-object-ownership",
    "ObjectLockMode": "s3:object-lock-mode",
    "ObjectLockRetainUntilDate": "s3:object-lock-retain-until-date",
    "ObjectLockLegalHoldStatus": "s3:object-lock-legal-hold",
    "IfMatch": "s3:if-match",
    "IfNoneMatch": "s3:if-none-match",
}
# s3:prefix and its siblings are keys of the list actions only.
LIST_KEYS = frozenset({"Prefix", "Delimiter", "MaxKeys"})
LIST_OPERATIONS = frozenset({"ListObjects", "ListObjectsV2", "ListObjectVersions"})
