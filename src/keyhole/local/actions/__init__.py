"""What each API call needs: the table from (service, operation) to the IAM actions and resources that AWS checks.

One file per service, one row per operation. An operation without a row is denied to everyone but the account root.
"""

from __future__ import annotations

from keyhole.local.actions import ec2, iam, s3, sts, tagging
from keyhole.local.actions.row import Row

_TABLES = {
    "s3": s3.ROWS,
    "iam": iam.ROWS,
    "sts": sts.ROWS,
    "ec2": ec2.ROWS,
    "resourcegroupstaggingapi": tagging.ROWS,
}


def find_row(service: str, operation: str) -> Row | None:
    """Give what the operation needs, or None where nobody has said."""
    return _TABLES.get(service, {}).get(operation)
