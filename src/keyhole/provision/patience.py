"""Calls that AWS refuses only because it has not caught up with itself yet: they are tried again, and it is said.

AWS: IAM User Guide, "Troubleshoot IAM: Changes that I make are not always immediately visible".
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 8.0
GIVE_UP_S = 60.0


@dataclass(frozen=True, slots=True)
class Lag:
    """One way in which AWS lags behind: which refusal of which calls shows it."""

    operations: frozenset[str]
    code: str
    part_of_message: str
    reason: str


LAGS = (
    Lag(
        frozenset({"AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"}),
        "InvalidParameterValue",
        "iam instance profile",
        "EC2 does not see the new instance profile yet",
    ),
    Lag(
        frozenset({"AssociateIamInstanceProfile"}),
        "IncorrectState",
        "",
        "the instance still lets go of its old profile",
    ),
    Lag(
        frozenset({"PutBucketPolicy"}),
        "AccessDenied",
        "blockpublicpolicy",
        "S3 has not opened Block Public Access yet",
    ),
    Lag(frozenset({"PutBucketPolicy"}), "MalformedPolicy", "invalid principal", "S3 does not see the new role yet"),
    Lag(
        frozenset({"CreateTable", "UpdateTable", "DeleteTable"}),
        "ResourceInUseException",
        "",
        "DynamoDB is still busy with this table",
    ),
    Lag(
        frozenset({"CreateTrail", "UpdateTrail"}),
        "InsufficientS3BucketPolicyException",
        "",
        "CloudTrail does not see the bucket's new policy yet",
    ),
    Lag(
        frozenset({"CreateRole", "UpdateAssumeRolePolicy"}),
        "MalformedPolicyDocument",
        "federated",
        "IAM does not see the new OIDC provider yet",
    ),
    Lag(
        frozenset({"CreateBucket", "PutBucketPolicy", "PutPublicAccessBlock", "DeleteBucket"}),
        "OperationAborted",
        "",
        "S3 is still busy with this bucket",
    ),
    Lag(
        frozenset(
            {
                *("AttachRolePolicy", "AddRoleToInstanceProfile", "PutRolePermissionsBoundary"),
                *("AttachUserPolicy", "PutUserPermissionsBoundary"),
            }
        ),
        "NoSuchEntity",
        "",
        "IAM does not see what was just made yet",
    ),
)


def call_patiently(aws: Aws, call: Call, stopped: threading.Event, on_wait: Callable[[str], None]) -> None:
    """Make the call; wait and try again while AWS only lags behind, for a minute at most.

    Raises: AwsError.
    """
    waited, pause = 0.0, FIRST_WAIT_S
    while True:
        try:
            aws.call(call.service, call.operation, **call.params)
        except AwsError as error:
            if error.code in call.settled_by:
                return
            lag = _lag(call, error)
            if lag is None or waited >= GIVE_UP_S or stopped.is_set():
                raise
            on_wait(lag.reason)
            stopped.wait(pause)
            waited, pause = waited + pause, min(pause * 2, LONGEST_WAIT_S)
        else:
            return


def _lag(call: Call, error: AwsError) -> Lag | None:
    message = error.message.lower()
    return next(
        (
            lag
            for lag in LAGS
            if call.operation in lag.operations and error.code == lag.code and lag.part_of_message in message
        ),
        None,
    )
