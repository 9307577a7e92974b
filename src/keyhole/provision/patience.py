"""Calls that AWS refuses only for now are tried again, never longer than a bound, and it is said why and for how long.

AWS lags behind itself (a new role is not seen everywhere at once), or is asked too much at a time.
AWS: IAM User Guide, "Troubleshoot IAM: Changes that I make are not always immediately visible"; SDKs and Tools
Reference Guide, "Retry behavior"; Amazon EC2 API Reference, "Query API request rate".
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 8.0
GIVE_UP_S = 60.0
"""How long one call is waited for."""
GIVE_UP_ALL_S = 600.0
"""How long all calls of a run are waited for together, summed over those that wait side by side."""

Answer = TypeVar("Answer")
OnWait = Callable[[str], None]
"""Is told why and how long: "IAM does not see what was just made yet, 3 s"."""


@dataclass(frozen=True, slots=True)
class Lag:
    """One way in which AWS lags behind: which refusal of which calls shows it, and for how long it is believed."""

    operations: frozenset[str]
    code: str
    part_of_message: str
    reason: str
    longest_s: float = GIVE_UP_S


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
        # It may just as well have another one by now: that is looked up then.
        longest_s=30,
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
        frozenset(
            {
                *("AttachRolePolicy", "AddRoleToInstanceProfile", "PutRolePermissionsBoundary"),
                *("AttachUserPolicy", "PutUserPermissionsBoundary", "CreateAccessKey"),
                *("PutRolePolicy", "PutUserPolicy"),
            }
        ),
        "NoSuchEntity",
        "",
        "IAM does not see what was just made yet",
    ),
)


TOO_MUCH = frozenset(
    {
        *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException"),
        *("TooManyRequests", "TooManyRequestsException", "RequestLimitExceeded", "EC2ThrottledException"),
        *("SlowDown", "BandwidthLimitExceeded", "ProvisionedThroughputExceededException"),
    }
)
BUSY = frozenset(
    {
        *("OperationAborted", "ConcurrentModification", "ConcurrentModificationException", "ConflictException"),
        *("EntityTemporarilyUnmodifiable", "PriorRequestNotComplete", "ConcurrentAccess"),
    }
)
UNWELL = frozenset({"InternalError", "InternalFailure", "ServiceUnavailable", "ServiceFailure", "RequestTimeout"})


class Patience:
    """How long a run waits for AWS: so long for one call, so long for all of them. Thread-safe.

    `stopped` ends every wait. `sleep` replaces the waiting itself.
    """

    def __init__(
        self,
        stopped: threading.Event | None = None,
        *,
        each_s: float = GIVE_UP_S,
        total_s: float = GIVE_UP_ALL_S,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._stopped = stopped or threading.Event()
        self._each_s = each_s
        self._left_s = total_s
        self._sleep = sleep or self._stopped.wait
        self._lock = threading.Lock()

    def call(self, aws: Aws, call: Call, on_wait: OnWait = lambda _reason: None) -> dict[str, Any]:
        """Make the call, again and again while AWS refuses it only for now, and give its answer, {} if it is settled.

        Raises: AwsError, with what was waited for as its hint.
        """
        try:
            return self.ask(lambda: aws.call(call.service, call.operation, **call.params), call.operation, on_wait)
        except AwsError as error:
            if error.code not in call.settled_by:
                raise
            return {}

    def ask(self, question: Callable[[], Answer], operation: str, on_wait: OnWait) -> Answer:
        """Give the answer to a question that may be asked more than once. Raises: AwsError."""
        waited_s, pause_s, tries = 0.0, FIRST_WAIT_S, 0
        while True:
            tries += 1
            try:
                return question()
            except AwsError as error:
                lag = find_lag(operation, error)
                if lag is None or self._stopped.is_set():
                    raise
                # Those that wait side by side do not all come back at the same moment.
                drawn_s = pause_s * random.uniform(0.75, 1.0)  # noqa: S311  # no secret
                if waited_s >= min(self._each_s, lag.longest_s) or not self._take(drawn_s):
                    raise _impatient(error, lag, waited_s, tries) from error
            on_wait(f"{lag.reason}, {drawn_s:.2g} s")
            self._sleep(drawn_s)
            waited_s, pause_s = waited_s + drawn_s, min(pause_s * 2, LONGEST_WAIT_S)

    def pause(self, seconds: float, reason: str, on_wait: OnWait) -> None:
        """Wait once, if the run has the time, and say why."""
        if self._take(seconds):
            on_wait(f"{reason}, {seconds:.2g} s")
            self._sleep(seconds)

    def _take(self, pause_s: float) -> bool:
        """Hold iff the run has so much time left, and take it."""
        with self._lock:
            if self._left_s < pause_s:
                return False
            self._left_s -= pause_s
            return True


class PatientAws:
    """An AWS that is asked again while it refuses only for now; what lags behind is not known of reads."""

    def __init__(self, below: Aws, patience: Patience, on_wait: OnWait) -> None:
        self._below = below
        self._patience = patience
        self._on_wait = on_wait

    @property
    def region(self) -> str:
        return self._below.region

    @property
    def endpoint_url(self) -> str:
        return self._below.endpoint_url

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Make one call and give its answer. Raises: AwsError."""
        return self._patience.ask(
            lambda: self._below.call(service, operation, **params), operation, self._named(operation)
        )

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Give every item of every page; a listing that is refused halfway begins anew. Raises: AwsError."""
        yield from self._patience.ask(
            lambda: list(self._below.pages(service, operation, result_key, **params)),
            operation,
            self._named(operation),
        )

    def _named(self, operation: str) -> OnWait:
        return lambda reason: self._on_wait(f"{operation}: {reason}")


def find_lag(operation: str, error: AwsError) -> Lag | None:
    """Give the reason for which this refusal may be gone soon, or None if it will not."""
    message = error.message.lower()
    for lag in LAGS:
        if operation in lag.operations and error.code == lag.code and lag.part_of_message in message:
            return lag
    for codes, reason, longest_s in (
        (TOO_MUCH, "AWS is asked too much at a time", GIVE_UP_S),
        (BUSY, "AWS is still busy with the change before", GIVE_UP_S),
        (UNWELL, "AWS has trouble of its own", 20.0),
    ):
        if error.code in codes:
            return Lag(frozenset({operation}), error.code, "", reason, longest_s)
    return None


def _impatient(error: AwsError, lag: Lag, waited_s: float, tries: int) -> AwsError:
    """Give the last refusal with what was done about it."""
    return AwsError(
        error.message,
        code=error.code,
        operation=error.operation,
        request_id=error.request_id,
        status=error.status,
        hint=f"{lag.reason}: it was asked {tries} times in {waited_s:.0f} s; run it again later",
    )
