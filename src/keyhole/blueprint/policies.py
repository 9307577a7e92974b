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


def object_actions(verbs: Iterable[Verb]) -> tuple[str, ...]:
    """Give the actions on objects that the verbs stand for, each once, in the order of reading them."""
    return tuple(action for verb in ("read", "write", "delete") if verb in verbs for action in OBJECT_ACTIONS[verb])


def grant_policy(grants: Iterable[tuple[str, Grant]]) -> dict[str, Any]:
    """Give the identity policy of a workload from its grants, each with the ARN of its bucket."""
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
    return {"Version": VERSION, "Statement": statements}


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


def public_read_policy(bucket_arn: str, prefixes: Iterable[str]) -> dict[str, Any]:
    """Give the bucket policy that lets everyone read the objects under the prefixes, and list nothing."""
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "PublicRead",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": [f"{bucket_arn}/{prefix}*" for prefix in prefixes],
            }
        ],
    }


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
