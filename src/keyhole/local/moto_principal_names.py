"""Principals renamed in every policy that moto keeps with something: buckets, roles, topics, secrets and tables."""

from __future__ import annotations

import sys
from typing import Any

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from keyhole.local.principal_renaming import rename_in


def rename_everywhere(arn: str, name: str) -> None:
    """Write `name` for the ARN, in all accounts."""
    for account in list(iam_backends):
        for role in list(iam_backends[account]["aws"].roles.values()):
            role.assume_role_policy_document = rename_in(role.assume_role_policy_document, arn, name)
    for bucket_name, (partition, account) in list(s3_backends.bucket_accounts.items()):
        bucket = s3_backends[account][partition].buckets.get(bucket_name)
        if bucket is not None and bucket.policy:
            bucket.policy = rename_in(bucket.policy.decode("utf-8", "replace"), arn, name).encode()
    for backend in _backends("sns", "sns_backends"):
        for topic in list(backend.topics.values()):
            topic.policy = rename_in(topic.policy, arn, name)
    for backend in _backends("secretsmanager", "secretsmanager_backends"):
        for secret in list(backend.secrets.values()):
            if getattr(secret, "policy", None):
                secret.policy = rename_in(secret.policy, arn, name)
    for backend in _backends("dynamodb", "dynamodb_backends"):
        for stored in list(backend.resource_policies.values()):
            stored.policy_doc = rename_in(stored.policy_doc, arn, name)


def _backends(service: str, table: str) -> list[Any]:
    # While nobody has used a service, moto has not loaded it, and there is nothing in it.
    models = sys.modules.get(f"moto.{service}.models")
    backends = getattr(models, table, None)
    return [backend for _, _, backend in backends.iter_backends()] if backends is not None else []
