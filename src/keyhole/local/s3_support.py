"""The S3 operations that the store has. It takes a request for any other as the nearest one that it knows, such as
DeleteBucket for DeleteBucketMetricsConfiguration: those must not reach it.
"""

from __future__ import annotations

SUPPORTED = frozenset(
    {
        *("ListBuckets", "CreateBucket", "DeleteBucket", "HeadBucket"),
        *("ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads", "GetBucketLocation"),
        *("GetBucketAcl", "PutBucketAcl"),
        *("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy", "GetBucketPolicyStatus"),
        *("GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"),
        *("GetBucketOwnershipControls", "PutBucketOwnershipControls", "DeleteBucketOwnershipControls"),
        *("GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"),
        *("GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"),
        *("GetBucketCors", "PutBucketCors", "DeleteBucketCors"),
        *("GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"),
        *("GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"),
        *("GetBucketReplication", "PutBucketReplication", "DeleteBucketReplication"),
        *("GetBucketVersioning", "PutBucketVersioning", "GetBucketLogging", "PutBucketLogging"),
        *("GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration"),
        *("GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration"),
        *("GetBucketInventoryConfiguration", "PutBucketInventoryConfiguration", "ListBucketInventoryConfigurations"),
        *("GetObjectLockConfiguration", "PutObjectLockConfiguration", "PutObjectRetention"),
        *("GetObjectLegalHold", "PutObjectLegalHold"),
        *("GetObject", "HeadObject", "GetObjectAttributes", "PutObject", "CopyObject", "RestoreObject"),
        *("DeleteObject", "DeleteObjects", "SelectObjectContent"),
        *("GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"),
        *("CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload"),
        *("AbortMultipartUpload", "ListParts"),
    }
)
