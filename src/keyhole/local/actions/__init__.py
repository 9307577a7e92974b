"""What each API call needs: the table from (service, operation) to the IAM actions and resources that AWS checks.

One file per service, one row per operation. An operation without a row is denied to everyone but the account root.
"""

from __future__ import annotations

from keyhole.local.actions import (
    cloudtrail,
    cloudwatch,
    dynamodb,
    ec2,
    ecs,
    iam,
    iam_providers,
    s3,
    s3control,
    secretsmanager,
    sns,
    sts,
    tagging,
)
from keyhole.local.actions.row import Row

_TABLES = {
    "s3": s3.ROWS,
    "s3control": s3control.ROWS,
    "iam": {**iam.ROWS, **iam_providers.ROWS},
    "sts": sts.ROWS,
    "ec2": ec2.ROWS,
    "resourcegroupstaggingapi": tagging.ROWS,
    "dynamodb": dynamodb.ROWS,
    "cloudwatch": cloudwatch.ROWS,
    "sns": sns.ROWS,
    "cloudtrail": cloudtrail.ROWS,
    "secretsmanager": secretsmanager.ROWS,
    "ecs": ecs.ROWS,
}


def find_row(service: str, operation: str) -> Row | None:
    """Give what the operation needs, or None where nobody has said."""
    return _TABLES.get(service, {}).get(operation)
