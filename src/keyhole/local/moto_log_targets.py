"""Whether S3 may write access logs into a bucket: its policy decides, by the engine that decides everything else.

moto looks for one form of statement, reads over conditions, and fails on a policy with `"Principal": "*"`.
AWS: Amazon S3 User Guide, "Enabling Amazon S3 server access logging", permissions for log delivery.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from typing import Any

from moto.s3.models import FakeBucket

from keyhole.errors import PolicyError
from keyhole.iam import Context, PolicyKind, PolicySet, Principal, PrincipalKind, Request, decide, parse_policy

LOGGING = "logging.s3.amazonaws.com"
_LOG_FILE = "2026-01-01-00-00-00-0123456789ABCDEF"
_LOGGED: ContextVar[Any] = ContextVar("bucket whose requests are to be logged", default=None)


@cache
def mend_logging() -> None:
    """Let PutBucketLogging ask the target's policy whether S3 may write there for this bucket."""
    original = FakeBucket.set_logging

    def set_logging(self: Any, logging_config: Any, bucket_backend: Any) -> None:
        token = _LOGGED.set(self)
        try:
            original(self, logging_config, bucket_backend)
        finally:
            _LOGGED.reset(token)

    FakeBucket.set_logging = set_logging
    FakeBucket._log_permissions_enabled_policy = staticmethod(_may_write_logs)


def _may_write_logs(target_bucket: Any, target_prefix: str | None) -> bool:
    """Hold iff the target's policy lets S3 write a log file of the bucket that PutBucketLogging names."""
    logged = _LOGGED.get()
    if not target_bucket.policy or logged is None:
        return False
    try:
        policy = parse_policy(target_bucket.policy.decode(), PolicyKind.RESOURCE, name=target_bucket.name)
    except PolicyError:
        return False
    context = {
        "aws:SourceArn": f"arn:{logged.partition}:s3:::{logged.name}",
        "aws:SourceAccount": logged.account_id,
        "aws:SecureTransport": "true",
        "aws:PrincipalIsAWSService": "true",
    }
    resource = f"arn:{target_bucket.partition}:s3:::{target_bucket.name}/{target_prefix or ''}{_LOG_FILE}"
    service = Principal(PrincipalKind.SERVICE, arn=LOGGING)
    request = Request(service, "s3:PutObject", resource, Context(context), target_bucket.account_id)
    return decide(request, PolicySet(resource=policy)).is_allowed
