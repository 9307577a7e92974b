"""The policy of the resource that a question is about: a bucket's, or what another service keeps with a resource.

AWS: IAM User Guide, "Identity-based policies and resource-based policies".
"""

from __future__ import annotations

from keyhole.iam.model import Policy, PolicyKind
from keyhole.local import public
from keyhole.local.actions.row import Question
from keyhole.local.backend import Backend, Bucket, Document
from keyhole.local.call import Caller
from keyhole.local.policies import parse_stored


def find_resource_policy(question: Question, caller: Caller, bucket: Bucket | None, backend: Backend) -> Policy | None:
    """Give the policy that the resource of the question has, None where it has none."""
    if bucket is not None:
        return _bucket_policy(bucket, caller)
    document = backend.find_resource_policy(question.resource)
    return parse_stored(document, PolicyKind.RESOURCE) if document else None


def _bucket_policy(bucket: Bucket, caller: Caller) -> Policy | None:
    if bucket.policy is None:
        return None
    policy = parse_stored(Document(bucket.name, bucket.policy), PolicyKind.RESOURCE)
    is_outsider = caller.account != bucket.account
    if bucket.public_access_block.restrict_public_buckets and is_outsider and public.is_public(policy):
        return None
    return policy
