"""Rotation: a second key takes the first one's places, and the first ends when nobody uses it; broken off anywhere."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from key_story import EVERYWHERE, app_with, key_ids, key_in, key_of, state_of, works
from keyhole.aws import Aws
from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.blueprint import Blueprint
from keyhole.errors import AwsError, KeyholeError
from keyhole.findings import Severity
from keyhole.handover import Place, PlaceState
from keyhole.naming import Scope
from keyhole.provision import apply_plan
from keyhole.provision.rotate import check_key, end_old_key, handover_findings, plan_ending, plan_renewal
from keyhole.resources.access_key import AccessKey, ExistingAccessKey, KeyUse
from local_story import AccountFactory, plan, up
from recording_aws import BreakingAws

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SCOPE = Scope("masks", "default", "111122223333", "eu-west-1")
PLACE = Place("env", "app.env", {"ID": "{access_key_id}", "KEY": "{secret_access_key}"}, "app.env")
WANT = AccessKey("access-key.up", "up", (PLACE,))


def key(key_id: str, made: datetime, used: datetime | None = None, *, is_active: bool = True) -> KeyUse:
    return KeyUse(key_id, is_active, made, used, "s3 in eu-west-1")


def state(*keys: KeyUse, held: str = "NEW", rotating: str = "") -> ExistingAccessKey:
    return ExistingAccessKey("up", keys, (PlaceState(PLACE, held, True, True),), rotating, SCOPE.tags)


OLD, NEW = key("OLD", NOW - 90 * DAY), key("NEW", NOW - 2 * DAY)


def operations(have: ExistingAccessKey, *, force: bool = False, unused_for: timedelta = DAY) -> list[str]:
    ending = end_old_key(have, NOW, unused_for=unused_for, force=force)
    return [call.operation for call in ending.calls]


def test_an_old_key_that_nobody_uses_is_deactivated_and_deleted() -> None:
    """Unused for the time, with the new key in place as long: it ends, and the rotation is forgotten."""
    ends = ["UpdateAccessKey", "DeleteAccessKey", "UntagUser"]
    assert operations(state(OLD, NEW, rotating="OLD")) == ends
    used = key("OLD", OLD.made, NOW - 25 * timedelta(hours=1))
    assert operations(state(used, NEW, rotating="OLD")) == ends
    assert operations(state(key("OLD", OLD.made, is_active=False), NEW)) == ["DeleteAccessKey"]


def test_an_old_key_that_may_be_in_use_stays() -> None:
    """It was used lately, or the new one is in place for too short a time to know: both say until when."""
    used = key("OLD", OLD.made, NOW - timedelta(hours=2))
    waiting = end_old_key(state(used, NEW, rotating="OLD"), NOW, unused_for=DAY)
    assert (waiting.calls, waiting.waits_for, waiting.until) == ((), used, NOW + timedelta(hours=22))
    fresh = end_old_key(state(OLD, key("NEW", NOW), rotating="OLD"), NOW, unused_for=DAY)
    assert (fresh.calls, fresh.until) == ((), NOW + DAY)


def test_force_deactivates_and_leaves_the_deletion_to_the_next_run() -> None:
    """Until then it can be had back; the tag stays, for the rotation is not done."""
    used = key("OLD", OLD.made, NOW)
    assert operations(state(used, NEW, rotating="OLD"), force=True) == ["UpdateAccessKey"]
    inactive = key("OLD", OLD.made, NOW, is_active=False)
    assert operations(state(inactive, NEW, rotating="OLD")) == ["DeleteAccessKey", "UntagUser"]


def test_the_key_in_the_places_never_ends() -> None:
    """Whatever is said, the only key that works is not touched; nor is anything where no place has a working key."""
    assert operations(state(NEW), force=True, unused_for=timedelta()) == []
    assert operations(state(OLD, NEW, held="GONE"), force=True) == []
    assert operations(state(OLD, key("NEW", NOW, is_active=False)), force=True) == []


def test_a_second_key_that_never_arrived_makes_room_again() -> None:
    """The run died with the new key's secret: its key goes, although both keys are of the same second."""
    have = state(key("OLD", NOW), key("LOST", NOW), held="OLD", rotating="OLD")
    calls = [call for change in plan_renewal(WANT, have, SCOPE).changes for call in change.calls]
    assert [call.operation for call in calls] == ["DeleteAccessKey", "TagUser", "CreateAccessKey", "WriteValues"]
    assert calls[0].params["AccessKeyId"] == "LOST"


def test_a_rotation_that_is_under_way_makes_no_third_key() -> None:
    """The new key is in its places: nothing is to be made, and the old one's end is next."""
    assert plan_renewal(WANT, state(OLD, NEW, rotating="OLD"), SCOPE).is_empty
    assert plan_renewal(WANT, state(NEW, rotating="OLD"), SCOPE).is_empty


def test_what_is_to_be_said_of_keys_is_said() -> None:
    """A place without the key, no key at all: each with the command that mends it."""
    assert list(handover_findings(WANT, state(NEW))) == []
    (lacking,) = handover_findings(WANT, state(NEW, held="GONE"))
    assert (lacking.severity, lacking.fix) == (Severity.PROBLEM, "`keyhole up`")
    there = state(NEW)
    second = PlaceState(Place("csv", "key.csv", {}, "key.csv"))
    two = ExistingAccessKey("up", there.keys, (*there.places, second), "", {})
    assert [finding.summary for finding in handover_findings(WANT, two)] == ["key.csv holds no key"]


@pytest.fixture
def aws(account: AccountFactory) -> BotocoreAws:
    return account("eu-west-1")


def rotate(aws: Aws, app: Blueprint, *, force: bool = True, unused_for: timedelta = DAY) -> bool:
    """Make what calls of a rotation can be made, and hold iff none failed."""
    want = key_of(app)
    done = apply_plan(plan_renewal(want, state_of(aws, app), app.scope), aws)
    if not done.is_complete:
        return False
    ending = end_old_key(state_of(aws, app), datetime.now(UTC), unused_for=unused_for, force=force)
    return apply_plan(plan_ending(want, ending, app.scope), aws).is_complete


def test_a_rotation_from_key_to_key(aws: BotocoreAws, tmp_path: Path) -> None:
    """Every place has the new key, the old one works until it ends, and `up` has nothing to do in between."""
    app = app_with(tmp_path, EVERYWHERE)
    assert up(aws, app).is_complete
    old = key_in(tmp_path)
    assert rotate(aws, app, force=False)
    assert {found.key_id for found in state_of(aws, app).places} == {key_in(tmp_path)[0]} != {old[0]}
    assert old[0] in key_ids(aws)
    assert plan(aws, app).is_empty
    assert rotate(aws, app)
    assert rotate(aws, app)
    assert (key_ids(aws), state_of(aws, app).rotating) == ([key_in(tmp_path)[0]], "")
    assert works(aws, tmp_path)


@pytest.mark.parametrize("survived", range(8))
def test_a_rotation_that_breaks_at_any_call_goes_on(aws: BotocoreAws, tmp_path: Path, survived: int) -> None:
    """After every single call that a run survives the file's key works, and further runs end with one new key."""
    app = app_with(tmp_path, EVERYWHERE)
    assert up(aws, app).is_complete
    old = key_in(tmp_path)
    breaking = BreakingAws(aws, survived)
    while rotate(breaking, app, unused_for=timedelta(-1)) and old[0] in key_ids(aws):
        assert works(aws, tmp_path)
    assert works(aws, tmp_path)
    for _ in range(3):
        if old[0] in key_ids(aws) or len(key_ids(aws)) > 1:
            assert rotate(aws, app, unused_for=timedelta(-1))
            assert works(aws, tmp_path)
    assert key_ids(aws) == [key_in(tmp_path)[0]] != [old[0]]
    assert plan(aws, app).is_empty


def test_a_new_key_that_is_not_known_at_once_is_waited_for(aws: BotocoreAws, tmp_path: Path) -> None:
    """IAM lags: it is asked again, and said; after a minute it is an error, and the old key is untouched."""
    assert up(aws, app_with(tmp_path)).is_complete
    key_id, secret = key_in(tmp_path)
    aws.call("iam", "UpdateAccessKey", UserName="up", AccessKeyId=key_id, Status="Inactive")
    said: list[str] = []
    slept: list[float] = []

    def wake_up(pause_s: float) -> None:
        slept.append(pause_s)
        if len(slept) == 3:
            aws.call("iam", "UpdateAccessKey", UserName="up", AccessKeyId=key_id, Status="Active")

    arn = check_key(aws, Credentials(key_id, secret), sleep=wake_up, on_wait=said.append)
    assert (arn.rpartition("/")[2], len(said), secret in str(said)) == ("up", 3, False)
    with pytest.raises(AwsError) as caught:
        check_key(aws, Credentials("AKIANOSUCHKEY0000000", "x"), sleep=lambda _pause: None)
    assert caught.value.hint == "the old key is untouched; run `keyhole rotate` again to go on"


def test_nothing_is_rotated_where_no_key_can_be_made() -> None:
    """Two keys in use, and no place has one: the error names both, with their last use."""
    one, two = key("ONE", OLD.made, NOW), key("TWO", OLD.made, NOW)
    with pytest.raises(KeyholeError, match=r"ONE: last used 2026-05-01 12:00 UTC for s3 in eu-west-1; TWO"):
        plan_renewal(WANT, state(one, two, held=""), SCOPE)
