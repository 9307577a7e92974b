"""The policy of the resource that a question is about, and whose it is: a bucket's policy with what ACLs add to it, or
what another service keeps with a resource.

AWS: IAM User Guide, "Identity-based policies and resource-based policies"; S3 User Guide, "How Amazon S3 authorizes a
request".
"""

from __future__ import annotations

from dataclasses import dataclass

from keyhole.iam import public
from keyhole.iam.model import Policy, PolicyKind, PrincipalKind
from keyhole.local import acl_policy
from keyhole.local.actions import s3
from keyhole.local.actions.owner import account_of
from keyhole.local.actions.row import Question
from keyhole.local.backend import Backend, Bucket, Document
from keyhole.local.call import ApiCall, Caller
from keyhole.local.policies import parse_stored

# What these ask about an object's key is asked of the bucket's owner: the object is yet to come, or to go.
_WRITES = frozenset(
    {
        *("PutObject", "CopyObject", "DeleteObject", "DeleteObjects", "CreateMultipartUpload", "UploadPart"),
        *("UploadPartCopy", "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts"),
    }
)


@dataclass(frozen=True, slots=True)
class Resource:
    """What a resource has to say on a question: its policy, None where it has none, and the account that owns it."""

    policy: Policy | None
    account: str


@dataclass(frozen=True, slots=True)
class ObjectName:
    """The object that a question is about; an empty version is the current one."""

    bucket: str
    key: str
    version_id: str


def find_object_name(question: Question, call: ApiCall) -> ObjectName | None:
    """Give the object that an S3 question is about, None where it is about a bucket."""
    bucket, _, key = question.resource.removeprefix("arn:aws:s3:::").partition("/")
    if not key:
        return None
    if is_of_source(question, call):
        return ObjectName(bucket, key, s3.copy_source(call)[2])
    return ObjectName(bucket, key, str(question.context.get("s3:versionid") or call.params.get("VersionId") or ""))


def is_of_source(question: Question, call: ApiCall) -> bool:
    """Hold iff the question is about what a copy reads."""
    return "CopySource" in call.params and question.action.startswith("s3:Get")


def find_resource(
    question: Question, call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend
) -> Resource:
    """Give what the resource of the question has to say."""
    if bucket is None:
        document = backend.find_resource_policy(question.resource)
        owner = account_of(question.resource) or caller.account
        return Resource(parse_stored(document, PolicyKind.RESOURCE) if document else None, owner)
    policy = _bucket_policy(bucket, caller)
    if not acl_policy.uses_acls(bucket):
        return Resource(policy, bucket.account)
    name = find_object_name(question, call)
    is_anonymous = caller.principal.kind is PrincipalKind.ANONYMOUS
    if name is None:
        statements = acl_policy.bucket_statements(bucket, is_anonymous=is_anonymous)
        return Resource(acl_policy.merge(policy, statements, bucket.name), bucket.account)
    stored = backend.find_object(name.bucket, name.key, name.version_id)
    is_there = stored is not None and not stored.is_delete_marker
    if call.operation in _WRITES and not is_of_source(question, call):
        present = stored if is_there else None
        statements = acl_policy.write_statements(bucket, name.key, present, caller.account, is_anonymous=is_anonymous)
        return Resource(acl_policy.merge(policy, statements, bucket.name), bucket.account)
    if stored is None or not is_there:
        return Resource(policy, bucket.account)
    owner = acl_policy.object_acl(bucket, stored).owner
    if policy is not None and owner != bucket.account:
        policy = acl_policy.denials_of(policy)
    statements = acl_policy.object_statements(bucket, stored, is_anonymous=is_anonymous)
    return Resource(acl_policy.merge(policy, statements, bucket.name), owner)


def _bucket_policy(bucket: Bucket, caller: Caller) -> Policy | None:
    if bucket.policy is None:
        return None
    policy = acl_policy.name_accounts(parse_stored(Document(bucket.name, bucket.policy), PolicyKind.RESOURCE))
    is_outsider = caller.account != bucket.account and caller.principal.kind is not PrincipalKind.SERVICE
    if bucket.public_access_block.restrict_public_buckets and is_outsider and public.is_public(policy):
        return acl_policy.denials_of(policy)
    return policy
