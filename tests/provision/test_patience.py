"""Waiting for AWS: for which refusals, how often, how long at most, and how it is said."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keyhole.aws import Aws, Call
from keyhole.errors import AwsError
from keyhole.naming import Scope
from keyhole.provision import Change, Event, Plan, Verb, apply_plan, take_snapshot
from keyhole.provision.patience import (
    BUSY,
    FIRST_WAIT_S,
    GIVE_UP_S,
    LONGEST_WAIT_S,
    TOO_MUCH,
    Patience,
    PatientAws,
    find_lag,
)
from local_story import AccountFactory, blueprint_of
from recording_aws import RecordingAws, refusal

SCOPE = Scope("shop", "default", "111122223333", "eu-west-1")
CALL = Call("iam", "TagRole")


class BusyAws(RecordingAws):
    """Refuses every call `times` times with the code, and lets it through then."""

    def __init__(self, code: str, times: int) -> None:
        self._times = times
        self._asked: dict[str, int] = {}
        super().__init__(refuse=self._decide)
        self._code = code

    def _decide(self, operation: str) -> AwsError | None:
        self._asked[operation] = self._asked.get(operation, 0) + 1
        return refusal(self._code, "Rate exceeded", operation) if self._asked[operation] <= self._times else None


class Clock:
    """Counts the seconds that would have been slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)


@pytest.mark.parametrize("code", sorted(TOO_MUCH | BUSY))
def test_what_aws_refuses_only_for_now_is_made_in_the_end(code: str) -> None:
    """Refused three times, the call is made the fourth time; each wait is said with its reason and its seconds."""
    aws, clock, reasons = BusyAws(code, 3), Clock(), list[str]()
    Patience(sleep=clock.sleep).call(aws, CALL, reasons.append)
    assert len(aws.calls) == 4
    assert [reason.rpartition(", ")[2] for reason in reasons] == [f"{slept:.2g} s" for slept in clock.slept]
    assert all(reason.startswith("AWS is ") for reason in reasons)


def test_waits_grow_up_to_a_bound() -> None:
    """Each wait is up to twice the one before, drawn so that many do not come back at once, and none is long."""
    clock = Clock()
    Patience(sleep=clock.sleep).call(BusyAws("Throttling", 9), CALL)
    bounds = [min(FIRST_WAIT_S * 2**n, LONGEST_WAIT_S) for n in range(9)]
    assert all(0.75 * bound <= slept <= bound for slept, bound in zip(clock.slept, bounds, strict=True))


def test_a_call_that_is_refused_for_ever_fails_after_a_minute() -> None:
    """It ends in AWS's own refusal; the hint says what was waited for, how often and how long."""
    clock = Clock()
    with pytest.raises(AwsError) as caught:
        Patience(sleep=clock.sleep).call(BusyAws("Throttling", 10_000), CALL)
    assert GIVE_UP_S <= sum(clock.slept) <= GIVE_UP_S + LONGEST_WAIT_S
    assert (caught.value.code, caught.value.request_id) == ("Throttling", "REQ1")
    assert caught.value.hint.startswith(f"AWS is asked too much at a time: it was asked {len(clock.slept) + 1} times")


def test_all_calls_of_a_run_together_wait_only_so_long() -> None:
    """A hundred resources that are refused for ever do not wait a minute each."""
    clock = Clock()
    aws, patience = BusyAws("SlowDown", 10_000), Patience(total_s=100, sleep=clock.sleep)
    failed = 0
    for _ in range(100):
        with pytest.raises(AwsError):
            patience.call(aws, CALL)
        failed += 1
    assert failed == 100
    assert sum(clock.slept) <= 100


@pytest.mark.parametrize("code", ["AccessDenied", "MalformedPolicyDocument", "LimitExceeded", "EntityAlreadyExists"])
def test_what_will_not_change_is_not_waited_for(code: str) -> None:
    """A plain refusal is told at once, as it came."""
    clock, aws = Clock(), BusyAws(code, 1)
    with pytest.raises(AwsError) as caught:
        Patience(sleep=clock.sleep).call(aws, CALL)
    assert (len(aws.calls), clock.slept, caught.value.hint) == (1, [], "")


def test_one_who_leaves_does_not_wait() -> None:
    """After Ctrl-C a refusal is the end."""
    stopped = threading.Event()
    stopped.set()
    aws = BusyAws("Throttling", 1)
    with pytest.raises(AwsError):
        Patience(stopped).call(aws, CALL)
    assert len(aws.calls) == 1


@pytest.mark.parametrize(
    ("operation", "code", "message"),
    [
        ("AttachRolePolicy", "NoSuchEntity", "The role with name x cannot be found."),
        ("PutBucketPolicy", "MalformedPolicy", "Invalid principal in policy"),
        ("CreateTrail", "InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected"),
        ("CreateRole", "MalformedPolicyDocument", "Federated principals must be valid"),
        ("AssociateIamInstanceProfile", "InvalidParameterValue", "Invalid IAM Instance Profile ARN"),
    ],
)
def test_lags_of_aws_behind_itself_are_known(operation: str, code: str, message: str) -> None:
    """What was just made is not seen everywhere at once, where it is known to be so, and nowhere else."""
    error = refusal(code, message, operation)
    assert find_lag(operation, error) is not None
    assert find_lag("DeleteUser", error) is None


def test_every_call_of_a_plan_is_waited_for_and_events_say_why() -> None:
    """A throttled run makes every call once in the end, in order; its events name reason and seconds."""
    aws, clock, waits = BusyAws("RequestLimitExceeded", 2), Clock(), list[str]()

    def note(event: Event) -> None:
        if event.stage == "wait":
            waits.append(event.detail)

    calls = tuple(Call("iam", operation) for operation in ("CreateRole", "TagRole", "UpdateRole"))
    planned = Plan(SCOPE, (Change("role.a", "a", Verb.CREATE, calls),))
    assert apply_plan(planned, aws, note, sleep=clock.sleep).is_complete
    assert aws.operations == [f"iam:{call.operation}" for call in calls for _ in range(3)]
    assert len(waits) == 6
    assert all(wait.startswith("AWS is asked too much at a time, 0.") for wait in waits)


def test_a_whole_plan_that_is_throttled_for_ever_ends_and_says_so_of_each() -> None:
    """Forty resources, each refused for ever: all are failures, and the waiting is bounded for all together."""
    clock = Clock()
    changes = tuple(Change(f"role.{n}", f"{n}", Verb.CREATE, (CALL,)) for n in range(40))
    applied = apply_plan(Plan(SCOPE, changes), BusyAws("Throttling", 10_000), sleep=clock.sleep)
    assert len(applied.failures) == 40
    assert sum(clock.slept) <= 600


def test_reads_are_asked_again_too(account: AccountFactory, tmp_path: Path) -> None:
    """A throttled snapshot is the same as one that is not, for every operation that it asks."""
    file = tmp_path / "keyhole.toml"
    file.write_text('[app]\nname = "shop"\nregion = "ap-northeast-2"\n[buckets.b]\n', "utf-8")
    app, aws, waits = blueprint_of(file), account(), list[str]()
    throttled = Throttled(aws)
    patience = Patience(sleep=lambda _s: None)
    assert take_snapshot(throttled, app, on_wait=waits.append, patience=patience) == take_snapshot(aws, app)
    assert {wait.partition(":")[0] for wait in waits} == throttled.refused
    assert len(throttled.refused) > 5


class Throttled:
    """Refuses each operation the first time that it is asked."""

    def __init__(self, below: Aws) -> None:
        self._below = below
        self._lock = threading.Lock()
        self.refused: set[str] = set()
        self.region = below.region
        self.endpoint_url = below.endpoint_url

    def _refuse_first(self, operation: str) -> None:
        with self._lock:
            is_first = operation not in self.refused
            self.refused.add(operation)
        if is_first:
            raise refusal("ThrottlingException", "Rate exceeded", operation)

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        self._refuse_first(operation)
        return self._below.call(service, operation, **params)

    def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
        self._refuse_first(operation)
        return self._below.pages(service, operation, result_key, **params)


def test_a_listing_that_is_refused_halfway_begins_anew() -> None:
    """Nothing is given twice."""

    class Halfway(RecordingAws):
        tries = 0

        def pages(self, service: str, operation: str, result_key: str, **params: Any) -> Iterator[dict[str, Any]]:
            self.tries += 1
            yield {"n": 1}
            if self.tries == 1:
                raise refusal("Throttling")
            yield {"n": 2}

    patient = PatientAws(Halfway(), Patience(sleep=lambda _s: None), lambda _reason: None)
    assert [item["n"] for item in patient.pages("iam", "ListRoles", "Roles")] == [1, 2]
