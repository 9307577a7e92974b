"""Grants as policy documents: object actions on objects, bucket actions on buckets, each as narrow as its prefix.

AWS: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keyhole.spec.model import Grant, Verb

# `write` includes AbortMultipartUpload: without it a broken upload leaves parts behind that cost and nobody sees.
OBJECT_ACTIONS: dict[Verb, tuple[str, ...]] = {
    "read": ("s3:GetObject",),
    "write": ("s3:PutObject", "s3:AbortMultipartUpload"),
    "delete": ("s3:DeleteObject",),
    "list": (),
}
VERSION = "2012-10-17"
SECURE_TRANSPORT = "aws:SecureTransport"


def object_actions(verbs: Iterable[Verb]) -> tuple[str, ...]:
    """Give the actions on objects that the verbs stand for, each once, in the order of reading them."""
    return tuple(action for verb in ("read", "write", "delete") if verb in verbs for action in OBJECT_ACTIONS[verb])


def grant_policy(grants: Iterable[tuple[str, Grant]], more: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """Give the identity policy of a workload from its grants, each with the ARN of its bucket, and more statements."""
    statements: list[dict[str, Any]] = []
    for index, (bucket_arn, grant) in enumerate(merge_grants(grants), 1):
        if actions := object_actions(grant.verbs):
            statements.append(
                {
                    "Sid": f"Objects{index}",
                    "Effect": "Allow",
                    "Action": list(actions),
                    "Resource": f"{bucket_arn}/{grant.prefix}*",
                }
            )
        if "list" in grant.verbs:
            statement: dict[str, Any] = {
                "Sid": f"List{index}",
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": bucket_arn,
            }
            if grant.prefix:
                statement["Condition"] = {"StringLike": {"s3:prefix": f"{grant.prefix}*"}}
            statements.append(statement)
    return {"Version": VERSION, "Statement": [*statements, *more]}


def merge_grants(grants: Iterable[tuple[str, Grant]]) -> list[tuple[str, Grant]]:
    """Give one grant for each bucket and prefix, with all the verbs that were given for it."""
    merged: dict[tuple[str, str], tuple[str, Grant]] = {}
    for bucket_arn, grant in grants:
        key = (bucket_arn, grant.prefix)
        if key in merged:
            verbs = tuple(dict.fromkeys((*merged[key][1].verbs, *grant.verbs)))
            merged[key] = (bucket_arn, grant.model_copy(update={"verbs": list(verbs)}))
        else:
            merged[key] = (bucket_arn, grant)
    return list(merged.values())


def bucket_policy(
    bucket_arn: str, public_prefixes: Iterable[str], *, tls_only: bool, more: Iterable[dict[str, Any]] = ()
) -> dict[str, Any] | None:
    """Give the bucket policy, None if nothing is to be said in one.

    Everyone may read the objects under the public prefixes, and list nothing; nobody does anything without TLS. `more`
    are statements for AWS's services.
    AWS: Amazon S3 User Guide, "Security best practices for Amazon S3", enforce encryption of data in transit.
    """
    statements: list[dict[str, Any]] = []
    if resources := [f"{bucket_arn}/{prefix}*" for prefix in public_prefixes]:
        statements.append(
            {
                "Sid": "PublicRead",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": resources,
            }
        )
    statements += more
    if tls_only:
        statements.append(
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
                "Condition": {"Bool": {SECURE_TRANSPORT: "false"}},
            }
        )
    return {"Version": VERSION, "Statement": statements} if statements else None


def service_trust(service: str, source_account: str = "") -> dict[str, Any]:
    """Give the trust policy of a role that an AWS service assumes, for this account alone if one is named.

    AWS: IAM User Guide, "The confused deputy problem".
    """
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if source_account:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": source_account}}
    return {"Version": VERSION, "Statement": [statement]}


def account_trust(partition: str, account: str, trusted: Iterable[str]) -> dict[str, Any]:
    """Give the trust policy of a role that the named principals, or else the whole account, may assume."""
    principals = list(trusted) or [f"arn:{partition}:iam::{account}:root"]
    statement = {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "sts:AssumeRole"}
    return {"Version": VERSION, "Statement": [statement]}
